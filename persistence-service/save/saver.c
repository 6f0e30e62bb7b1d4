#include "persistence-service/save/saver.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/io/kafka/watch.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/service/service.h"
#include "common/service/topic_settings.h"
#include "common/wire/event.h"
#include "persistence-service/persistence_metrics.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/save/publisher.h"
#include "persistence-service/save/query_worker.h"
#include "persistence-service/save/saver_database.h"
#include "persistence-service/save/transaction.h"
#include "persistence-service/topics.h"

#include <poll.h>
#include <stdio.h>

enum {
	WAIT_MS = 100, /* of a step */
	CHECK_WAIT_MS = 1000,
	CHECK_AGAIN_MAX_MS = 2000,
	SLOW_KAFKA_MS = 3000,
	METRICS_MS = 1000,
	REJOIN_MS = 1000,
	JOIN_SLOW_MS = 15000,
	FENCED_AGAIN_MS = 60000,
	KAFKA_WHY_MAX = 640,
	PRUNE_EVERY_MS = 10000,
	PRUNE_MORE_MS = 100, /* as long as many refusals are old */
	PRUNE_WAIT_MS = 100,
};

struct saver {
	const struct settings *settings;
	struct query_worker *queries;
	struct outbox_publisher *outbox_publisher;
	struct kafka_group *group; /* NULL until the topics were found */
	struct kafka_watch *watch; /* from the first group on */
	struct publisher *publisher;
	struct saver_database *database;
	struct transaction *transaction;
	struct batch *batch;
	unsigned generation; /* of the group when the batch was taken */
	unsigned check_attempt;
	uint64_t check_due_ms;
	uint64_t metrics_due_ms;
	uint64_t joined_ms;
	uint64_t fenced_ms; /* the last time; 0: never */
	uint64_t prune_due_ms;
	int32_t prune_partition; /* the next one */
	bool unchecked_logged;
	bool partitions_logged;
	bool draining;
	struct topic_settings_logged logged;
};

struct saver *saver_create(const struct settings *settings,
                           struct query_worker *queries,
                           struct outbox_publisher *outbox_publisher)
{
	struct saver *s = mem_new(sizeof(*s));

	s->settings = settings;
	s->queries = queries;
	s->outbox_publisher = outbox_publisher;
	s->database = saver_database_create(settings);
	s->transaction = transaction_create(
		saver_database_sql(s->database),
		&(struct transaction_options){
			.topic = settings->topic_save,
			.partitions = (uint32_t)settings->kafka_partitions,
			.reactions_max = (unsigned)settings->reactions_max,
		});
	s->batch = batch_create((unsigned)settings->batch_max);
	service_part_add("kafka");
	return s;
}

void saver_destroy(struct saver **saver)
{
	struct saver *s = *saver;

	if (!s)
		return;
	batch_destroy(&s->batch);
	kafka_group_destroy(&s->group);
	kafka_watch_stop(&s->watch);
	publisher_destroy(&s->publisher);
	transaction_destroy(&s->transaction);
	saver_database_destroy(&s->database);
	mem_free(saver);
}

static void wait_or_stop(unsigned wait_ms)
{
	struct pollfd stop = {.fd = service_wake_fd(), .events = POLLIN};

	(void)poll(&stop, 1, (int)(wait_ms < WAIT_MS ? wait_ms : WAIT_MS));
}

/* --- Kafka at the start, and after a fault ------------------------------- */
static void wait_before_check(struct saver *s, unsigned base_ms)
{
	s->check_due_ms =
		clock_mono_ms() + base_ms +
		backoff_ms(s->check_attempt++, 50, CHECK_AGAIN_MAX_MS);
}

static enum status start_watch(struct saver *s)
{
	struct kafka_options options = settings_kafka(s->settings);
	const struct kafka_watch_topic topics[] = {
		{s->settings->topic_save, false, SAVE_RETENTION_MIN_MS},
		{s->settings->topic_events, true, 0},
	};

	return s->watch ? ST_OK
	                : kafka_watch_start(&options, topics, ARRAY_LEN(topics),
	                                    &s->watch);
}

static enum status join(struct saver *s)
{
	struct kafka_group_options options = {
		.common = settings_kafka(s->settings),
		.topic = s->settings->topic_save,
		.group = s->settings->group,
		.instance = settings_instance(s->settings),
	};
	enum status status = kafka_group_create(&options, &s->group);

	if (status == ST_OK)
		status = publisher_create(s->settings, s->group,
		                          s->outbox_publisher, &s->publisher);
	if (status == ST_OK)
		status = start_watch(s);
	if (status != ST_OK)
		return status;
	log_event(LOG_INFO, "group.joining", F_TEXT("group", options.group),
	          F_TEXT("instance", options.instance));
	s->generation = 0;
	s->joined_ms = clock_mono_ms();
	return ST_OK;
}

/*
 * Gives up the group: its offsets are not marked, so the records come again
 * when this process joins anew. The requests of REST go on meanwhile.
 */
static void start_over(struct saver *s, const char *why)
{
	service_part("kafka", false, why);
	batch_clear(s->batch);
	transaction_evict_caches(s->transaction);
	publisher_destroy(&s->publisher);
	kafka_group_destroy(&s->group);
	wait_before_check(s, REJOIN_MS);
}

static void note_unchecked(struct saver *s, const char *topic)
{
	if (!topic || s->unchecked_logged)
		return;
	log_event(LOG_WARN, "topic.unchecked", F_TEXT("topic", topic));
	s->unchecked_logged = true;
}

/* Kafka's topics are checked whether or not the database is there. */
static void check_topics(struct saver *s)
{
	uint64_t now_ms = clock_mono_ms();
	const char *unchecked;
	enum status status;
	char why[TOPICS_WHY_MAX];

	if (now_ms < s->check_due_ms) {
		wait_or_stop((unsigned)(s->check_due_ms - now_ms));
		return;
	}
	status = topics_check(s->settings, CHECK_WAIT_MS, &unchecked, why);
	if (status != ST_OK) {
		service_part("kafka", false, why);
		wait_before_check(s, 0);
		return;
	}
	note_unchecked(s, unchecked);
	if (join(s) != ST_OK)
		start_over(s, "librdkafka refuses the settings of the group");
	else
		service_part("kafka", true, NULL);
}

/*
 * Another process uses our instance id; or a broker that restarted takes our
 * own older membership for another process. The latter passes at once. Records
 * whose offsets were not marked are read again.
 */
static void rejoin(struct saver *s)
{
	uint64_t now_ms = clock_mono_ms();
	bool again = s->fenced_ms && now_ms - s->fenced_ms < FENCED_AGAIN_MS;

	s->fenced_ms = now_ms;
	log_event(again ? LOG_ERROR : LOG_WARN,
	          again ? "group.fenced_again" : "group.fenced",
	          F_TEXT("instance", settings_instance(s->settings)));
	start_over(s, "another process has this instance id");
}

/* --- taking records ------------------------------------------------------ */
/*
 * Records taken before a rebalance come again to the new owner of their
 * partition. Another process may have written to our partitions meanwhile, so
 * the caches are stale, too.
 */
static void drop_stale(struct saver *s)
{
	unsigned generation = kafka_group_generation(s->group);

	if (generation == s->generation)
		return;
	log_event(LOG_INFO, "group.rebalanced",
	          F_NUMBER("partitions", kafka_group_partitions(s->group)),
	          F_NUMBER("dropped", s->batch->count));
	batch_clear(s->batch);
	transaction_evict_caches(s->transaction);
	s->generation = generation;
}

/* No save waits for a query: docs/adr/0019. */
static void take_record(struct saver *s, struct kafka_message **message)
{
	const struct batch_entry *entry;

	batch_add(s->batch, message);
	entry = &s->batch->entries[s->batch->count - 1];
	if (entry->outcome == OUTCOME_OPEN &&
	    save_kind_is_query(entry->record.kind))
		query_worker_add(s->queries, &entry->record,
		                 kafka_message_header(entry->message,
		                                      EVENT_ORIGIN_HEADER));
}

static void take_records(struct saver *s)
{
	unsigned wait_ms = WAIT_MS;
	enum status status = ST_OK;

	while (status == ST_OK && s->batch->count < s->batch->max) {
		struct kafka_message *message = NULL;

		status = kafka_group_poll(s->group, wait_ms, &message);
		drop_stale(s);
		if (status == ST_OK)
			take_record(s, &message);
		wait_ms = 0;
	}
	if (status == ST_BROKEN)
		rejoin(s);
}

static void hold(struct saver *s, unsigned wait_ms)
{
	if (kafka_group_pause(s->group,
	                      wait_ms < WAIT_MS ? wait_ms : WAIT_MS) != ST_OK)
		rejoin(s);
	else
		drop_stale(s);
}

/* --- saving -------------------------------------------------------------- */
/*
 * This process was stopped or cut off while its partitions moved to another
 * one, which has saved records since.
 */
static void leave_partitions(struct saver *s)
{
	log_event(LOG_WARN, "partitions.taken",
	          F_NUMBER("dropped", s->batch->count));
	start_over(s, "another process saves the records of our partitions");
}

static void save(struct saver *s)
{
	uint64_t began_us = clock_mono_us();
	enum status status;

	FAULT_POINT("gather.after");
	status = transaction_save(s->transaction, s->batch);
	if (status == ST_DENIED) {
		leave_partitions(s);
		return;
	}
	if (status == ST_BUSY) {
		publisher_send_pending(s->publisher, s->batch);
		batch_clear_pending_events(s->batch);
		return;
	}
	if (status != ST_OK) {
		persistence_metrics_batch_retried();
		saver_database_failed(s->database, status);
		return;
	}
	saver_database_worked(s->database);
	FAULT_POINT("events.before");
	publisher_send(s->publisher, s->batch);
	FAULT_POINT("events.after");
	persistence_metrics_batch_saved(s->batch, clock_mono_us() - began_us);
	batch_clear(s->batch);
}

/* One partition at a time: its refusals that no record needs any more. */
static void prune_refusals(struct saver *s)
{
	uint64_t now_ms = clock_mono_ms();
	int32_t partition = s->prune_partition;
	int64_t committed;
	enum status status;
	bool more = false;

	if (now_ms < s->prune_due_ms || !transaction_may_prune(s->transaction))
		return;
	s->prune_due_ms = now_ms + PRUNE_EVERY_MS;
	s->prune_partition =
		(partition + 1) % (int32_t)s->settings->kafka_partitions;
	if (kafka_group_committed(s->group, partition, PRUNE_WAIT_MS,
	                          &committed) != ST_OK)
		return;
	status = transaction_prune(s->transaction, (unsigned)partition,
	                           committed, &more);
	if (status != ST_OK)
		saver_database_failed(s->database, status);
	if (!more)
		return;
	s->prune_partition = partition;
	s->prune_due_ms = now_ms + PRUNE_MORE_MS;
}

static void work(struct saver *s)
{
	unsigned wait_ms;

	if (!saver_database_ready(s->database, s->batch->count, &wait_ms)) {
		hold(s, wait_ms);
		return;
	}
	prune_refusals(s);
	if (s->batch->count == 0 && !s->draining)
		take_records(s);
	if (!s->group)
		return;
	if (s->batch->count && !publisher_full(s->publisher))
		save(s);
	else if (s->batch->count || s->draining)
		(void)!publisher_wait(s->publisher, WAIT_MS);
}

/* --- health -------------------------------------------------------------- */
/*
 * More partitions than at the start break the order within conversations. The
 * saver goes on, since it cannot mend that, and logs it once.
 */
static void note_partitions(struct saver *s, unsigned partitions)
{
	if (partitions == s->settings->kafka_partitions || s->partitions_logged)
		return;
	log_event(LOG_ERROR, "topic.partitions_changed",
	          F_TEXT("topic", s->settings->topic_save),
	          F_NUMBER("partitions", partitions),
	          F_NUMBER("needed", s->settings->kafka_partitions));
	s->partitions_logged = true;
}

static void report_health(struct saver *s)
{
	uint64_t now_ms = clock_mono_ms();
	struct kafka_watch_state kafka;
	char why[KAFKA_WHY_MAX] = "";

	if (now_ms < s->metrics_due_ms)
		return;
	s->metrics_due_ms = now_ms + METRICS_MS;
	kafka_watch_read(s->watch, &kafka);
	snprintf(why, sizeof(why), "%s", kafka.why);
	persistence_metrics_kafka(kafka.asked, kafka.failed,
	                          *kafka.unfit != '\0');
	topic_settings_log(&s->logged, kafka.unfit);
	if (kafka.partitions)
		note_partitions(s, kafka.partitions);
	if (!*why && publisher_waiting_ms(s->publisher) > SLOW_KAFKA_MS)
		snprintf(why, sizeof(why), "events are not confirmed");
	if (!*why && !kafka_group_generation(s->group) &&
	    now_ms - s->joined_ms > JOIN_SLOW_MS)
		snprintf(why, sizeof(why), "not in the group %s yet: %s",
		         s->settings->group, kafka_group_error(s->group));
	service_part("kafka", !*why, why);
	persistence_metrics_update(kafka_group_lag(s->group),
	                           publisher_in_flight(s->publisher));
}

void saver_step(struct saver *s)
{
	unsigned wait_ms;

	if (!s->group) {
		(void)saver_database_ready(s->database, false, &wait_ms);
		check_topics(s);
	} else if (publisher_poll(s->publisher) != ST_OK) {
		start_over(s, publisher_why(s->publisher));
	} else {
		work(s);
		if (s->group)
			report_health(s);
	}
}

void saver_drain(struct saver *s)
{
	s->draining = true;
}

/* Without a database the batch stays in Kafka: its offsets are not marked. */
bool saver_drained(const struct saver *s)
{
	if (!s->group)
		return true;
	if (s->batch->count && sql_connected(saver_database_sql(s->database)))
		return false;
	return publisher_idle(s->publisher);
}
