#include "common/io/kafka/watch.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/thread.h"
#include "common/io/kafka/private.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum {
	ASK_EVERY_MS = 2000,
	ASK_AGAIN_MS = 500, /* after a fault */
	ANSWER_MS = 2000,
	EVENT_LATE_MS = 1000,
	METADATA_MS = 1000,
	STOP_CHECK_MS = 100,
};

struct topic {
	char *name;
	bool written;
	uint64_t retention_min_ms;
	rd_kafka_topic_t *handle;
	/* As the broker told them last. */
	struct kafka_topic_settings settings;
	bool shown; /* false: the broker does not show them to this client */
};

struct kafka_watch {
	struct kafka_sink sink; /* it logs nothing: the state has the reason */
	char *brokers;
	rd_kafka_t *handle;
	rd_kafka_queue_t *queue;
	struct topic topics[KAFKA_WATCH_TOPICS_MAX];
	unsigned count;
	int stop_fd;
	pthread_t thread;
	bool started;
	/* The thread's. */
	uint64_t failing_since_ms; /* 0: the last answer was good */
	bool knows_settings;
	rd_kafka_resp_err_t error; /* the last one since a good answer */
	char error_text[KAFKA_WATCH_WHY_MAX / 2];
	pthread_mutex_t lock; /* guards the state */
	struct kafka_watch_state state;
};

/* --- verdicts ------------------------------------------------------------ */
enum status kafka_topic_usable(const rd_kafka_metadata_topic_t *topic,
                               int64_t min_insync, char *ret_why,
                               size_t why_size)
{
	if (topic->err || topic->partition_cnt == 0) {
		snprintf(ret_why, why_size, "topic %s: %s", topic->topic,
		         topic->err ? rd_kafka_err2str(topic->err)
		                    : "it has no partitions");
		return topic->err ? kafka_status(topic->err) : ST_NOT_FOUND;
	}
	for (int i = 0; i < topic->partition_cnt; i++) {
		const rd_kafka_metadata_partition_t *p = &topic->partitions[i];

		if (p->leader < 0) {
			snprintf(ret_why, why_size,
			         "topic %s: partition %d has no leader",
			         topic->topic, p->id);
			return ST_UNAVAILABLE;
		}
		if (p->isr_cnt < min_insync) {
			snprintf(ret_why, why_size,
			         "topic %s: partition %d has %d of %d replicas "
			         "in sync, min.insync.replicas is %lld",
			         topic->topic, p->id, p->isr_cnt,
			         p->replica_cnt, (long long)min_insync);
			return ST_UNAVAILABLE;
		}
	}
	return ST_OK;
}

void kafka_error_text(rd_kafka_resp_err_t error, const char *reason,
                      char *ret_text, size_t size)
{
	const char *broker = strstr(reason, ": ");
	char *times;

	*ret_text = '\0';
	/* Of a broker that hangs librdkafka guesses that it is an old one. */
	if (!*reason || error == RD_KAFKA_RESP_ERR__TIMED_OUT ||
	    error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
	    strstr(reason, "Local: Timed out"))
		return;
	snprintf(ret_text, size, ": %s", broker ? broker + 2 : reason);
	times = strstr(ret_text, " (after ");
	if (times)
		*times = '\0';
}

/*
 * Which broker failed, and when, changes with each attempt. While the kind of
 * error is the same, the first text after the verdict stays.
 */
static void on_error(rd_kafka_t *handle, int error, const char *reason,
                     void *opaque)
{
	struct kafka_watch *w = CONTAINER_OF(opaque, struct kafka_watch, sink);

	(void)handle;
	if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
	    (*w->state.why && w->error == (rd_kafka_resp_err_t)error))
		return;
	w->error = (rd_kafka_resp_err_t)error;
	kafka_error_text(w->error, reason, w->error_text,
	                 sizeof(w->error_text));
}

/* --- asking -------------------------------------------------------------- */
static bool stopping(const struct kafka_watch *w, int wait_ms)
{
	struct pollfd stop = {.fd = w->stop_fd, .events = POLLIN};

	return poll(&stop, 1, wait_ms) == 1;
}

/* NULL when the watch is to stop. librdkafka makes an event of a timeout. */
static rd_kafka_event_t *next_event(struct kafka_watch *w)
{
	uint64_t until_ms = clock_mono_ms() + ANSWER_MS + EVENT_LATE_MS;
	rd_kafka_event_t *event = NULL;

	while (!event && !stopping(w, 0) && clock_mono_ms() < until_ms) {
		rd_kafka_poll(w->handle, 0); /* calls on_error() */
		event = rd_kafka_queue_poll(w->queue, STOP_CHECK_MS);
	}
	return event;
}

static void read_settings(struct topic *topic,
                          const rd_kafka_ConfigResource_t *resource)
{
	const rd_kafka_ConfigEntry_t **entries;
	size_t count = 0;

	topic->settings = (struct kafka_topic_settings){0};
	entries = rd_kafka_ConfigResource_configs(resource, &count);
	for (size_t i = 0; i < count; i++) {
		const char *value = rd_kafka_ConfigEntry_value(entries[i]);

		if (value)
			kafka_topic_setting_read(
				&topic->settings,
				rd_kafka_ConfigEntry_name(entries[i]), value);
	}
	topic->shown = !rd_kafka_ConfigResource_error(resource) && count;
}

/* The broker answers in its own order, but with all topics. */
static void read_answer(struct kafka_watch *w, rd_kafka_event_t *event)
{
	const rd_kafka_ConfigResource_t **resources;
	size_t count = 0;

	resources = rd_kafka_DescribeConfigs_result_resources(
		rd_kafka_event_DescribeConfigs_result(event), &count);
	for (size_t i = 0; i < count; i++) {
		const char *name = rd_kafka_ConfigResource_name(resources[i]);

		for (unsigned k = 0; k < w->count; k++)
			if (!strcmp(name, w->topics[k].name))
				read_settings(&w->topics[k], resources[i]);
	}
}

/* The answer comes through a queue, so the thread can be stopped meanwhile. */
static enum status ask_settings(struct kafka_watch *w)
{
	rd_kafka_ConfigResource_t *resources[KAFKA_WATCH_TOPICS_MAX];
	rd_kafka_AdminOptions_t *limits = rd_kafka_AdminOptions_new(
		w->handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	enum status status = ST_UNAVAILABLE;
	rd_kafka_event_t *event;

	rd_kafka_AdminOptions_set_request_timeout(limits, ANSWER_MS, NULL, 0);
	for (unsigned i = 0; i < w->count; i++)
		resources[i] = rd_kafka_ConfigResource_new(
			RD_KAFKA_RESOURCE_TOPIC, w->topics[i].name);
	rd_kafka_DescribeConfigs(w->handle, resources, w->count, limits,
	                         w->queue);
	event = next_event(w);
	if (event) {
		status = kafka_status(rd_kafka_event_error(event));
		if (status == ST_OK)
			read_answer(w, event);
		w->knows_settings |= status == ST_OK;
		rd_kafka_event_destroy(event);
	}
	rd_kafka_ConfigResource_destroy_array(resources, w->count);
	rd_kafka_AdminOptions_destroy(limits);
	return status;
}

static enum status judge(const struct topic *topic,
                         const rd_kafka_metadata_topic_t *metadata,
                         struct kafka_watch_state *state)
{
	const struct kafka_topic_needs needs = {
		.name = topic->name,
		.retention_min_ms = topic->retention_min_ms,
	};
	struct kafka_topic_size size = kafka_topic_size_of(metadata);
	int64_t min_insync =
		topic->shown ? topic->settings.min_insync_replicas : 1;

	if (topic->shown && size.replicas && !*state->unfit)
		(void)kafka_topic_check(&needs, &size, &topic->settings,
		                        state->unfit, sizeof(state->unfit));
	return kafka_topic_usable(metadata, topic->written ? min_insync : 0,
	                          state->why, sizeof(state->why));
}

static enum status ask_topic(struct kafka_watch *w, unsigned at,
                             struct kafka_watch_state *state)
{
	const struct topic *topic = &w->topics[at];
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t error = rd_kafka_metadata(
		w->handle, 0, topic->handle, &metadata, METADATA_MS);
	enum status status = kafka_status(error);

	if (error)
		return status;
	if (metadata->topic_cnt == 1)
		status = judge(topic, &metadata->topics[0], state);
	else
		status = ST_UNAVAILABLE;
	if (at == 0 && metadata->topic_cnt == 1)
		state->partitions = (unsigned)metadata->topics[0].partition_cnt;
	rd_kafka_metadata_destroy(metadata);
	return status;
}

/*
 * Fills the state; an answer that is not good leaves a reason in it. librdkafka
 * asks the controller for settings, and learns of another controller from
 * metadata only: so the topics are asked for also when no settings come, and
 * the settings of before count.
 */
static enum status ask(struct kafka_watch *w, struct kafka_watch_state *state)
{
	enum status settings = ask_settings(w), status = ST_OK;

	state->why[0] = '\0';
	state->unfit[0] = '\0';
	for (unsigned i = 0; i < w->count && status == ST_OK && !stopping(w, 0);
	     i++)
		status = ask_topic(w, i, state);
	if (status == ST_OK && !w->knows_settings)
		status = settings;
	if (status != ST_OK && !*state->why)
		snprintf(state->why, sizeof(state->why), "no answer from %s%s",
		         w->brokers, w->error_text);
	return status;
}

static void publish(struct kafka_watch *w,
                    const struct kafka_watch_state *state)
{
	(void)pthread_mutex_lock(&w->lock);
	w->state = *state;
	(void)pthread_mutex_unlock(&w->lock);
}

/* A fault that has not lasted long enough leaves the verdict as it was. */
static void ask_and_publish(struct kafka_watch *w)
{
	struct kafka_watch_state state = w->state;
	uint64_t asked_ms = clock_mono_ms();
	enum status status = ask(w, &state);

	rd_kafka_poll(w->handle, 0);
	if (status == ST_OK) {
		w->failing_since_ms = 0;
		w->error = RD_KAFKA_RESP_ERR_NO_ERROR;
		w->error_text[0] = '\0';
		state.good_ms = asked_ms;
	} else if (!w->failing_since_ms) {
		w->failing_since_ms = asked_ms;
	}
	if (status != ST_OK &&
	    clock_mono_ms() - w->failing_since_ms < KAFKA_WATCH_SLOW_MS)
		memcpy(state.why, w->state.why, sizeof(state.why));
	if (status != ST_OK && !*state.unfit)
		memcpy(state.unfit, w->state.unfit, sizeof(state.unfit));
	state.asked++;
	state.failed += status != ST_OK;
	publish(w, &state);
}

static void *work(void *context)
{
	struct kafka_watch *w = context;

	do {
		ask_and_publish(w);
	} while (!stopping(w,
	                   w->failing_since_ms ? ASK_AGAIN_MS : ASK_EVERY_MS));
	return NULL;
}

/* --- start and stop ------------------------------------------------------ */
/* A broker that hangs loses its connection, so the next question is for
 * another broker. */
static rd_kafka_conf_t *configure(struct kafka_watch *w,
                                  const struct kafka_options *options)
{
	static const struct kafka_setting settings[] = {
		{"socket.timeout.ms", "2000"},
		{"socket.connection.setup.timeout.ms", "2000"},
		{NULL, NULL},
	};
	struct kafka_options silent = *options;
	rd_kafka_conf_t *conf;

	silent.log = NULL;
	conf = kafka_conf_create(&silent, &w->sink, settings);
	if (conf)
		rd_kafka_conf_set_error_cb(conf, on_error);
	return conf;
}

static enum status open_handle(struct kafka_watch *w,
                               const struct kafka_options *options)
{
	rd_kafka_conf_t *conf = configure(w, options);

	if (!conf)
		return ST_BROKEN;
	w->handle = kafka_handle_create(RD_KAFKA_PRODUCER, conf, &w->sink);
	if (!w->handle)
		return ST_BROKEN;
	rd_kafka_set_log_queue(w->handle, NULL);
	w->queue = rd_kafka_queue_new(w->handle);
	for (unsigned i = 0; i < w->count; i++) {
		struct topic *topic = &w->topics[i];

		topic->handle =
			rd_kafka_topic_new(w->handle, topic->name, NULL);
		if (!topic->handle)
			return ST_BROKEN;
	}
	return ST_OK;
}

enum status kafka_watch_start(const struct kafka_options *options,
                              const struct kafka_watch_topic *topics,
                              unsigned count, struct kafka_watch **ret_watch)
{
	struct kafka_watch *w CLEANUP(kafka_watch_stop) = mem_new(sizeof(*w));

	assert(count && count <= KAFKA_WATCH_TOPICS_MAX);
	(void)pthread_mutex_init(&w->lock, NULL);
	w->brokers = mem_text(options->brokers, strlen(options->brokers));
	w->count = count;
	for (unsigned i = 0; i < count; i++) {
		w->topics[i].name =
			mem_text(topics[i].name, strlen(topics[i].name));
		w->topics[i].written = topics[i].written;
		w->topics[i].retention_min_ms = topics[i].retention_min_ms;
	}
	w->stop_fd = kafka_wake_create();
	if (w->stop_fd < 0 || open_handle(w, options) != ST_OK)
		return ST_BROKEN;
	thread_start("kafka-watch", work, w, &w->thread);
	w->started = true;
	*ret_watch = MOVE(w);
	return ST_OK;
}

void kafka_watch_stop(struct kafka_watch **watch)
{
	struct kafka_watch *w = *watch;

	if (!w)
		return;
	if (w->started) {
		kafka_wake_signal(w->stop_fd);
		(void)pthread_join(w->thread, NULL);
	}
	for (unsigned i = 0; i < w->count; i++) {
		if (w->topics[i].handle)
			rd_kafka_topic_destroy(w->topics[i].handle);
		mem_free(&w->topics[i].name);
	}
	if (w->queue)
		rd_kafka_queue_destroy(w->queue);
	if (w->handle)
		rd_kafka_destroy(w->handle);
	if (w->stop_fd >= 0)
		(void)close(w->stop_fd);
	mem_free(&w->brokers);
	(void)pthread_mutex_destroy(&w->lock);
	mem_free(watch);
}

void kafka_watch_read(struct kafka_watch *w,
                      struct kafka_watch_state *ret_state)
{
	(void)pthread_mutex_lock(&w->lock);
	*ret_state = w->state;
	(void)pthread_mutex_unlock(&w->lock);
}
