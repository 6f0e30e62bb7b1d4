#include "websocket-service/gateway_metrics.h"

struct gateway_metrics gateway_metrics = {
	.sockets = METRIC_GAUGE("parley_sockets", "Open sockets."),
	.upgrades_opened =
		METRIC_COUNTER("parley_upgrades_total{result=\"opened\"}",
                               "Upgrade requests by result."),
	.upgrades_refused =
		METRIC_COUNTER("parley_upgrades_total{result=\"refused\"}",
                               "Upgrade requests by result."),
	.sockets_closed = METRIC_COUNTER("parley_sockets_closed_total",
                                         "Close frames that the gateway sent."),
	.sockets_too_slow = METRIC_COUNTER("parley_sockets_too_slow_total",
                                           "Sockets closed with 4408."),
	.tokens_replaced = METRIC_COUNTER("parley_socket_tokens_replaced_total",
                                          "Tokens of open sockets that a new "
                                          "one has replaced."),
	.frames_in = METRIC_COUNTER("parley_frames_total{direction=\"in\"}",
                                    "Text frames by direction."),
	.frames_out = METRIC_COUNTER("parley_frames_total{direction=\"out\"}",
                                     "Text frames by direction."),
	.socket_writes = METRIC_COUNTER(
		"parley_socket_writes_total",
		"Writes to sockets. Frames out per write is the batch size."),
	.frames_refused = METRIC_COUNTER("parley_frames_refused_total",
                                         "Frames answered with an error."),
	.frames_held = METRIC_GAUGE("parley_frames_held",
                                    "Frames that wait for a look-up of a "
                                    "recipient or conversation."),
	.keys_queries = METRIC_COUNTER(
		"parley_keys_queries_total",
		"Queries for the keys of conversations, each for one or many."),
	.sends_unsettled =
		METRIC_GAUGE("parley_sends_unsettled", "Messages under way."),
	.kafka_pending =
		METRIC_GAUGE("parley_kafka_pending",
                             "Records that Kafka has not acknowledged yet."),
	.kafka_refused = METRIC_COUNTER("parley_kafka_refused_total",
                                        "Records that Kafka did not accept."),
	.kafka_producer_rebuilt = METRIC_GAUGE(
		"parley_kafka_producer_rebuilt",
		"Kafka producers that were replaced after a fatal error."),
	.kafka_checks = METRIC_GAUGE(
		"parley_kafka_checks",
		"Questions to Kafka whether the topics can be used."),
	.kafka_checks_failed =
		METRIC_GAUGE("parley_kafka_checks_failed",
                             "Of these, without an answer, or with a bad one."),
	.topics_unfit = METRIC_GAUGE(
		"parley_topics_unfit",
		"1 while a setting of a topic breaks a promise, else 0."),
	.events = METRIC_COUNTER("parley_events_total",
                                 "Records of message_events read."),
	.events_lag = METRIC_GAUGE("parley_events_lag",
                                   "Records of message_events not read yet."),
	.hints_dropped = METRIC_GAUGE("parley_hints_dropped",
                                      "Hints that did not reach Redis."),
	.redis_up = METRIC_GAUGE(
		"parley_redis_up",
		"1 while Redis does all that the gateway asks of it."),
	.redis_faults =
		METRIC_GAUGE("parley_redis_faults",
                             "Commands that Redis answered with an error."),
	.save_time = METRIC_HISTOGRAM(
		"parley_save_seconds",
		"From a message's frame to its `saved` state."),
	.delivery_time =
		METRIC_HISTOGRAM("parley_deliver_seconds",
                                 "From an event's record to the socket."),
	.lookup_time = METRIC_HISTOGRAM("parley_lookup_seconds",
                                        "Requests to identity-service."),
	.lookups_failed = METRIC_COUNTER(
		"parley_lookups_failed_total",
		"Requests that identity-service did not answer."),
	.rooms = METRIC_GAUGE(
		"parley_rooms",
		"Large conversations with members on this gateway."),
	.rooms_pending_users = METRIC_GAUGE(
		"parley_rooms_pending_users",
		"Users on this gateway whose rooms, or whose blockers after a "
		"change, are not known yet."),
	.rooms_queries = METRIC_COUNTER(
		"parley_rooms_queries_total",
		"Queries for the rooms of users, each for one user or many."),
	.rooms_late_answers = METRIC_COUNTER(
		"parley_rooms_late_answers_total",
		"Answers about rooms that arrived after `welcome` was sent."),
	.receipts = METRIC_COUNTER("parley_receipts_total",
                                   "Receipts from clients."),
	.receipts_retried =
		METRIC_COUNTER("parley_receipts_retried_total",
                               "Receipts that Kafka did not accept at once."),
	.receipts_unsettled = METRIC_GAUGE("parley_receipts_unsettled",
                                           "Receipts on their way to Kafka."),
	.typing = METRIC_COUNTER("parley_typing_total",
                                 "Typing notifications passed on."),
	.typing_dropped =
		METRIC_COUNTER("parley_typing_dropped_total",
                               "Typing records that Kafka did not accept."),
	.roster_queries = METRIC_COUNTER(
		"parley_roster_queries_total",
		"Queries for the recipients of typing notifications."),
	.frames_too_fast =
		METRIC_COUNTER("parley_frames_too_fast_total",
                               "Frames refused because a user sent too many."),
	.presence_users = METRIC_GAUGE("parley_presence_users",
                                       "Users with sockets on this gateway."),
	.presence_subscriptions = METRIC_GAUGE(
		"parley_presence_subscriptions",
		"Presence subscriptions, one for each socket and user."),
	.presence_changes = METRIC_COUNTER("parley_presence_changes_total",
                                           "Presence changes sent to sockets."),
	.presence_queries =
		METRIC_COUNTER("parley_presence_queries_total",
                               "Queries to Redis for a user's presence."),
};

void gateway_metrics_start(void)
{
	/* The struct has no other members. */
	struct metric *metrics = (struct metric *)&gateway_metrics;

	for (size_t i = 0; i < sizeof(gateway_metrics) / sizeof(*metrics); i++)
		metrics_add(&metrics[i]);
}
