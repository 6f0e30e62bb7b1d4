#include "websocket-service/gateway_metrics.h"

struct metric measure_sockets =
	METRIC_GAUGE("parley_sockets", "Open connections");
struct metric measure_opened = METRIC_COUNTER(
	"parley_upgrades_total{result=\"opened\"}", "Upgrades by result");
struct metric measure_refused = METRIC_COUNTER(
	"parley_upgrades_total{result=\"refused\"}", "Upgrades by result");
struct metric measure_closed = METRIC_COUNTER("parley_sockets_closed_total",
                                              "Close frames that were sent");
struct metric measure_too_slow = METRIC_COUNTER("parley_sockets_too_slow_total",
                                                "Sockets closed with 4408");
struct metric measure_frames_in = METRIC_COUNTER(
	"parley_frames_total{direction=\"in\"}", "Text frames by direction");
struct metric measure_frames_out = METRIC_COUNTER(
	"parley_frames_total{direction=\"out\"}", "Text frames by direction");
struct metric measure_writes =
	METRIC_COUNTER("parley_socket_writes_total",
                       "Writes; frames out per write is the batch");
struct metric measure_bad_frames = METRIC_COUNTER(
	"parley_frames_refused_total", "Frames answered with an error");
struct metric measure_unsettled =
	METRIC_GAUGE("parley_sends_unsettled", "Messages under way");
struct metric measure_kafka_pending = METRIC_GAUGE(
	"parley_kafka_pending", "Records that Kafka has not acknowledged");
struct metric measure_kafka_refused = METRIC_COUNTER(
	"parley_kafka_refused_total", "Messages that Kafka did not take");
struct metric measure_kafka_rebuilt = METRIC_GAUGE(
	"parley_kafka_producer_rebuilt", "Fatal producers that were replaced");
struct metric measure_events =
	METRIC_COUNTER("parley_events_total", "Records of message_events read");
struct metric measure_events_lag = METRIC_GAUGE(
	"parley_events_lag", "Records of message_events not yet read");
struct metric measure_hints_dropped =
	METRIC_GAUGE("parley_hints_dropped", "Hints that did not reach Redis");
struct metric measure_save = METRIC_HISTOGRAM(
	"parley_save_seconds", "From a message's frame to its saved state");
struct metric measure_deliver = METRIC_HISTOGRAM(
	"parley_deliver_seconds", "From an event's record to the socket");
struct metric measure_lookup = METRIC_HISTOGRAM(
	"parley_lookup_seconds", "Questions to identity-service");
struct metric measure_lookup_failed =
	METRIC_COUNTER("parley_lookups_failed_total",
                       "Questions that identity did not answer");

struct metric measure_rooms = METRIC_GAUGE(
	"parley_rooms", "Large conversations that somebody here is in");
struct metric measure_rooms_asking = METRIC_GAUGE(
	"parley_rooms_asking", "Users here whose rooms are not known yet");
struct metric measure_rooms_asked = METRIC_COUNTER(
	"parley_rooms_asked_total",
	"Questions which rooms users are in, each about one or many");
struct metric measure_rooms_late = METRIC_COUNTER(
	"parley_rooms_late_total", "Answers that came after welcome was said");
struct metric measure_receipts =
	METRIC_COUNTER("parley_receipts_total", "Receipts from clients");
struct metric measure_receipts_again =
	METRIC_COUNTER("parley_receipts_again_total",
                       "Receipts that Kafka did not take at once");
struct metric measure_receipts_unsettled = METRIC_GAUGE(
	"parley_receipts_unsettled", "Receipts on their way to Kafka");
struct metric measure_typing =
	METRIC_COUNTER("parley_typing_total", "Typing that was told to others");
struct metric measure_typing_dropped =
	METRIC_COUNTER("parley_typing_dropped_total",
                       "Records of typing that Kafka did not take");
struct metric measure_rosters_asked =
	METRIC_COUNTER("parley_rosters_asked_total",
                       "Questions whom somebody's typing is for");
struct metric measure_too_fast =
	METRIC_COUNTER("parley_frames_too_fast_total",
                       "Frames refused because a user sent too many");
struct metric measure_presence_users =
	METRIC_GAUGE("parley_presence_users", "Users with sockets here");
struct metric measure_presence_watches =
	METRIC_GAUGE("parley_presence_watches",
                     "Users watched by sockets here, for each socket");
struct metric measure_presence_told = METRIC_COUNTER(
	"parley_presence_changes_total", "Changes of presence told to sockets");
struct metric measure_presence_asked =
	METRIC_COUNTER("parley_presence_asked_total",
                       "Questions to Redis about a user's presence");

void measures_start(void)
{
	metrics_add(&measure_sockets);
	metrics_add(&measure_opened);
	metrics_add(&measure_refused);
	metrics_add(&measure_closed);
	metrics_add(&measure_too_slow);
	metrics_add(&measure_frames_in);
	metrics_add(&measure_frames_out);
	metrics_add(&measure_writes);
	metrics_add(&measure_bad_frames);
	metrics_add(&measure_unsettled);
	metrics_add(&measure_kafka_pending);
	metrics_add(&measure_kafka_refused);
	metrics_add(&measure_kafka_rebuilt);
	metrics_add(&measure_events);
	metrics_add(&measure_events_lag);
	metrics_add(&measure_hints_dropped);
	metrics_add(&measure_save);
	metrics_add(&measure_deliver);
	metrics_add(&measure_lookup);
	metrics_add(&measure_lookup_failed);
	metrics_add(&measure_rooms);
	metrics_add(&measure_rooms_asking);
	metrics_add(&measure_rooms_asked);
	metrics_add(&measure_rooms_late);
	metrics_add(&measure_receipts);
	metrics_add(&measure_receipts_again);
	metrics_add(&measure_receipts_unsettled);
	metrics_add(&measure_typing);
	metrics_add(&measure_typing_dropped);
	metrics_add(&measure_rosters_asked);
	metrics_add(&measure_too_fast);
	metrics_add(&measure_presence_users);
	metrics_add(&measure_presence_watches);
	metrics_add(&measure_presence_told);
	metrics_add(&measure_presence_asked);
}
