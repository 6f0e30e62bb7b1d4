#include "websocket-service/measures.h"

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
}
