#include "persistence-service/save/saver.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/service/service.h"
#include "persistence-service/persistence_metrics.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/save/publisher.h"
#include "persistence-service/save/saver_database.h"
#include "persistence-service/save/transaction.h"
#include "persistence-service/topics.h"

#include <poll.h>

enum {
	WAIT_MS = 100, /* of a step */
	CHECK_WAIT_MS = 1000,
	CHECK_AGAIN_MAX_MS = 2000,
	SLOW_KAFKA_MS = 3000,
	METRICS_MS = 1000,
	REJOIN_MS = 1000,
};

struct saver {
	const struct settings *settings;
	struct kafka_group *group; /* NULL until the topics were found */
	struct publisher *publisher;
	struct saver_database *database;
	struct transaction *transaction;
	struct batch *batch;
	unsigned generation; /* of the group when the batch was taken */
	unsigned check_attempt;
	uint64_t check_due_ms;
	uint64_t metrics_due_ms;
	bool draining;
};

enum status saver_create(const struct settings *settings,
                         struct saver **ret_saver)
{
	struct saver *s = mem_new(sizeof(*s));

	s->settings = settings;
	s->database = saver_database_create(settings);
	s->transaction = transaction_create(
		saver_database_sql(s->database),
		&(struct transaction_options){
			.partitions = (uint32_t)settings->kafka_partitions,
			.reactions_max = (unsigned)settings->reactions_max,
		});
	s->batch = batch_create((unsigned)settings->batch_max);
	service_part("kafka", false, "not checked yet");
	*ret_saver = s;
	return ST_OK;
}

void saver_destroy(struct saver **saver)
{
	struct saver *s = *saver;

	if (!s)
		return;
	batch_destroy(&s->batch);
	kafka_group_destroy(&s->group);
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

/* --- Kafka at the start -------------------------------------------------- */
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
		status = publisher_create(s->settings, s->group, &s->publisher);
	if (status != ST_OK)
		return status;
	log_event(LOG_INFO, "group.joining", F_TEXT("group", options.group),
	          F_TEXT("instance", options.instance));
	service_part("kafka", true, "");
	return ST_OK;
}

static enum status check_topics(struct saver *s)
{
	uint64_t now_ms = clock_mono_ms();
	enum status status;
	char why[256];

	if (now_ms < s->check_due_ms) {
		wait_or_stop((unsigned)(s->check_due_ms - now_ms));
		return ST_OK;
	}
	status = topics_check(s->settings, CHECK_WAIT_MS, why, sizeof(why));
	if (status == ST_OK)
		return join(s);
	service_part("kafka", false, why);
	s->check_due_ms = clock_mono_ms() + backoff_ms(s->check_attempt++, 50,
	                                               CHECK_AGAIN_MAX_MS);
	return ST_OK;
}

/*
 * Another process uses our instance id; or a broker that restarted takes our
 * own older membership for another process. Records whose offsets were not
 * marked are read again.
 */
static void rejoin(struct saver *s)
{
	log_event(LOG_ERROR, "group.fenced",
	          F_TEXT("instance", settings_instance(s->settings)));
	service_part("kafka", false, "another process has this instance id");
	batch_clear(s->batch);
	transaction_evict_caches(s->transaction);
	publisher_destroy(&s->publisher);
	kafka_group_destroy(&s->group);
	s->check_due_ms = clock_mono_ms() + REJOIN_MS +
	                  backoff_ms(s->check_attempt++, 50, REJOIN_MS);
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

static enum status take_records(struct saver *s)
{
	unsigned wait_ms = WAIT_MS;
	enum status status = ST_OK;

	while (status == ST_OK && s->batch->count < s->batch->max) {
		struct kafka_message *message = NULL;

		status = kafka_group_poll(s->group, wait_ms, &message);
		drop_stale(s);
		if (status == ST_OK)
			batch_add(s->batch, &message);
		wait_ms = 0;
	}
	if (status == ST_BROKEN) {
		rejoin(s);
		return ST_OK;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status hold(struct saver *s, unsigned wait_ms)
{
	enum status status = kafka_group_pause(
		s->group, wait_ms < WAIT_MS ? wait_ms : WAIT_MS);

	if (status == ST_BROKEN) {
		rejoin(s);
		return ST_OK;
	}
	drop_stale(s);
	return status;
}

/* --- saving -------------------------------------------------------------- */
static void save(struct saver *s)
{
	uint64_t began_us = clock_mono_us();
	enum status status;

	FAULT_POINT("gather.after");
	status = transaction_save(s->transaction, s->batch);
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

static enum status work(struct saver *s)
{
	unsigned wait_ms;
	enum status status = ST_OK;

	if (!saver_database_ready(s->database, &wait_ms))
		return hold(s, wait_ms);
	if (s->batch->count == 0 && !s->draining)
		status = take_records(s);
	if (s->batch->count == 0 && s->draining)
		return publisher_wait(s->publisher, WAIT_MS);
	if (status != ST_OK || s->batch->count == 0)
		return status;
	if (publisher_full(s->publisher))
		return publisher_wait(s->publisher, WAIT_MS);
	save(s);
	return ST_OK;
}

static void report_health(struct saver *s)
{
	uint64_t now_ms = clock_mono_ms();
	bool slow;

	if (now_ms < s->metrics_due_ms)
		return;
	s->metrics_due_ms = now_ms + METRICS_MS;
	slow = publisher_waiting_ms(s->publisher) > SLOW_KAFKA_MS;
	service_part("kafka", !slow, slow ? "events are not confirmed" : "");
	persistence_metrics_update(kafka_group_lag(s->group),
	                           publisher_in_flight(s->publisher));
}

enum status saver_step(struct saver *s)
{
	enum status status;

	if (!s->group)
		return check_topics(s);
	status = publisher_poll(s->publisher);
	if (status == ST_OK)
		status = work(s);
	if (status == ST_OK && s->group)
		report_health(s);
	return status;
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
