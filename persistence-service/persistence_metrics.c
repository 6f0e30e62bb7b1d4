#include "persistence-service/persistence_metrics.h"

#include "common/base/clock.h"
#include "common/service/metrics.h"
#include "persistence-service/save/batch/batch.h"

static struct metric saved = METRIC_COUNTER(
	"parley_records_total{outcome=\"saved\"}", "Records by outcome.");
static struct metric duplicate = METRIC_COUNTER(
	"parley_records_total{outcome=\"duplicate\"}", "Records by outcome.");
static struct metric dead = METRIC_COUNTER(
	"parley_records_total{outcome=\"dead\"}", "Records by outcome.");
static struct metric refused = METRIC_COUNTER(
	"parley_records_total{outcome=\"refused\"}", "Records by outcome.");
static struct metric notified = METRIC_COUNTER(
	"parley_records_total{outcome=\"notified\"}", "Records by outcome.");
static struct metric batches =
	METRIC_COUNTER("parley_batches_total", "Batches saved.");
static struct metric batch_size =
	METRIC_GAUGE("parley_batch_records", "Records of the last batch.");
static struct metric retries = METRIC_COUNTER("parley_save_retries_total",
                                              "Failed tries to save a batch.");
static struct metric transaction = METRIC_HISTOGRAM(
	"parley_transaction_seconds", "Time to write a batch to the database.");
static struct metric turn = METRIC_HISTOGRAM(
	"parley_batch_seconds",
	"From a batch's first record to its events handed to Kafka.");
static struct metric lag =
	METRIC_GAUGE("parley_consumer_lag_records",
                     "Records of message_save that wait to be taken.");
static struct metric in_flight =
	METRIC_GAUGE("parley_batches_in_flight",
                     "Batches whose events Kafka has not confirmed.");
static struct metric kafka_checks =
	METRIC_GAUGE("parley_kafka_checks",
                     "Questions to Kafka whether the topics can be used.");
static struct metric kafka_checks_failed =
	METRIC_GAUGE("parley_kafka_checks_failed",
                     "Of these, without an answer, or with a bad one.");
static struct metric topics_unfit =
	METRIC_GAUGE("parley_topics_unfit",
                     "1 while a setting of a topic breaks a promise, else 0.");
static struct metric event_refused = METRIC_COUNTER(
	"parley_events_refused_total",
	"Records that their topic never accepts: events, dead letters.");
static struct metric announced_again = METRIC_COUNTER(
	"parley_membership_announced_again_total",
	"Announcements of membership changes that are over a second old.");
static struct metric query = METRIC_HISTOGRAM(
	"parley_query_seconds",
	"From taking a gateway's query to handing its answer to Kafka.");
static struct metric query_dropped = METRIC_COUNTER(
	"parley_queries_dropped_total",
	"Queries of gateways without an answer; the gateways ask again.");
static struct metric answered_2xx = METRIC_COUNTER(
	"parley_http_requests_total{code=\"2xx\"}", "REST answers by code.");
static struct metric answered_4xx = METRIC_COUNTER(
	"parley_http_requests_total{code=\"4xx\"}", "REST answers by code.");
static struct metric answered_5xx = METRIC_COUNTER(
	"parley_http_requests_total{code=\"5xx\"}", "REST answers by code.");
static struct metric request =
	METRIC_HISTOGRAM("parley_http_request_seconds", "REST answers.");

static struct metric unread =
	METRIC_GAUGE("parley_http_unread_bytes",
                     "Bytes of REST answers that wait for their readers.");
static struct metric unread_cut =
	METRIC_COUNTER("parley_http_answers_cut_total",
                       "REST answers that were cut: their readers were slow.");
static struct metric lookup = METRIC_HISTOGRAM("parley_lookup_seconds",
                                               "Requests to identity-service.");
static struct metric lookup_failed =
	METRIC_COUNTER("parley_lookups_failed_total",
                       "Requests that identity-service did not answer.");

void persistence_metrics_start(void)
{
	struct metric *all[] = {
		&query,
		&query_dropped,
		&saved,
		&duplicate,
		&dead,
		&refused,
		&notified,
		&batches,
		&batch_size,
		&retries,
		&transaction,
		&turn,
		&lag,
		&in_flight,
		&event_refused,
		&answered_2xx,
		&answered_4xx,
		&answered_5xx,
		&request,
		&lookup,
		&lookup_failed,
		&unread,
		&unread_cut,
		&kafka_checks,
		&kafka_checks_failed,
		&topics_unfit,
		&announced_again,
	};

	for (unsigned i = 0; i < ARRAY_LEN(all); i++)
		metrics_add(all[i]);
}

void persistence_metrics_batch_saved(const struct batch *batch,
                                     uint64_t took_us)
{
	metric_count(&saved, batch_count_outcome(batch, OUTCOME_SAVED));
	metric_count(&duplicate, batch_count_outcome(batch, OUTCOME_DUPLICATE));
	metric_count(&dead, batch_count_outcome(batch, OUTCOME_DEAD));
	metric_count(&refused, batch_count_outcome(batch, OUTCOME_REFUSED));
	metric_count(&notified, batch_count_outcome(batch, OUTCOME_NOTIFIED));
	metric_count(&batches, 1);
	metric_set(&batch_size, batch->count);
	metric_observe_us(&transaction, took_us);
	metric_observe_us(&turn, clock_mono_us() - batch->began_us);
}

void persistence_metrics_batch_retried(void)
{
	metric_count(&retries, 1);
}

void persistence_metrics_event_refused(void)
{
	metric_count(&event_refused, 1);
}

void persistence_metrics_announced_again(unsigned count)
{
	metric_count(&announced_again, count);
}

void persistence_metrics_lookup(bool answered, uint64_t took_us)
{
	metric_observe_us(&lookup, took_us);
	if (!answered)
		metric_count(&lookup_failed, 1);
}

void persistence_metrics_query(bool answered, uint64_t took_us)
{
	if (answered)
		metric_observe_us(&query, took_us);
	else
		metric_count(&query_dropped, 1);
}

void persistence_metrics_update(int64_t lag_now, unsigned in_flight_now)
{
	if (lag_now >= 0)
		metric_set(&lag, (uint64_t)lag_now);
	metric_set(&in_flight, in_flight_now);
}

void persistence_metrics_kafka(unsigned checks, unsigned failed, bool unfit)
{
	metric_set(&kafka_checks, checks);
	metric_set(&kafka_checks_failed, failed);
	metric_set(&topics_unfit, unfit ? 1 : 0);
}

void persistence_metrics_unread(size_t bytes, uint64_t cut)
{
	metric_set(&unread, bytes);
	metric_count(&unread_cut, cut);
}

void persistence_metrics_request(void *context, const char *path, unsigned http,
                                 uint64_t took_us)
{
	(void)context;
	(void)path;
	metric_count(http < 400   ? &answered_2xx
	             : http < 500 ? &answered_4xx
	                          : &answered_5xx,
	             1);
	metric_observe_us(&request, took_us);
}
