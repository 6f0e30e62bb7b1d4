#include "common/io/kafka/private.h"

#include "common/base/clock.h"
#include "common/base/mem.h"

#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

enum { CLOSE_MS = 5000, COMMITTED_WAIT_MS = 1000, UNKNOWN = -1 };

struct owned {
	bool yes;
	int64_t next; /* offset after the last polled record; or UNKNOWN */
};

struct kafka_group {
	struct kafka_sink sink; /* first: it is the handle's opaque */
	rd_kafka_t *handle;
	rd_kafka_topic_t *topic;
	struct owned *owned; /* by partition */
	unsigned room;
	unsigned count;
	unsigned generation;
	bool paused;
	char error[256]; /* the last one */
	/* A record that arrived during a pause; the next poll returns it. */
	struct kafka_message *early;
};

/* --- assigned partitions ------------------------------------------------- */
static void make_room(struct kafka_group *g, unsigned partitions)
{
	if (partitions <= g->room)
		return;
	g->owned = mem_resize(g->owned, partitions * sizeof(*g->owned));
	for (unsigned p = g->room; p < partitions; p++)
		g->owned[p] = (struct owned){false, UNKNOWN};
	g->room = partitions;
}

/* Reads the committed offsets: kafka_group_lag() needs them. */
static void read_committed(struct kafka_group *g,
                           const rd_kafka_topic_partition_list_t *partitions)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_copy(partitions);

	if (rd_kafka_committed(g->handle, list, COMMITTED_WAIT_MS) == 0)
		for (int i = 0; i < list->cnt; i++)
			if (list->elems[i].offset >= 0)
				g->owned[list->elems[i].partition].next =
					list->elems[i].offset;
	rd_kafka_topic_partition_list_destroy(list);
}

static void assign_all(struct kafka_group *g,
                       const rd_kafka_topic_partition_list_t *partitions)
{
	for (int i = 0; i < partitions->cnt; i++) {
		unsigned p = (unsigned)partitions->elems[i].partition;

		make_room(g, p + 1);
		g->owned[p] = (struct owned){true, UNKNOWN};
	}
	g->count = (unsigned)partitions->cnt;
	read_committed(g, partitions);
}

static void revoke_all(struct kafka_group *g)
{
	for (unsigned p = 0; p < g->room; p++)
		g->owned[p] = (struct owned){false, UNKNOWN};
	g->count = 0;
	kafka_message_destroy(&g->early);
}

static void pause_all(struct kafka_group *g, bool pause)
{
	rd_kafka_topic_partition_list_t *list;

	if (rd_kafka_assignment(g->handle, &list))
		return;
	if (pause)
		rd_kafka_pause_partitions(g->handle, list);
	else
		rd_kafka_resume_partitions(g->handle, list);
	rd_kafka_topic_partition_list_destroy(list);
}

static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t what,
                         rd_kafka_topic_partition_list_t *partitions,
                         void *opaque)
{
	struct kafka_group *g = opaque;

	g->generation++;
	if (what != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		/* librdkafka keeps a pause across a rebalance, and a resume
		 * between revocation and assignment has no effect. */
		if (g->paused)
			pause_all(g, false);
		revoke_all(g);
		rd_kafka_assign(handle, NULL);
		return;
	}
	rd_kafka_assign(handle, partitions);
	if (g->paused)
		pause_all(g, true);
	assign_all(g, partitions);
}

/* --- joining and leaving ------------------------------------------------- */
/*
 * librdkafka's timer commits the offsets that kafka_group_store_offset()
 * stored. fetch.wait.max.ms: see reader.c. The queue is bounded in KiB.
 */
static rd_kafka_conf_t *configure(struct kafka_group *g,
                                  const struct kafka_group_options *options)
{
	struct kafka_setting settings[] = {
		{"group.id", options->group},
		{"group.instance.id", options->instance},
		{"partition.assignment.strategy", "range"},
		{"session.timeout.ms", "10000"},
		{"heartbeat.interval.ms", "2000"},
		{"enable.auto.commit", "true"},
		{"auto.commit.interval.ms", "200"},
		{"enable.auto.offset.store", "false"},
		{"auto.offset.reset", "earliest"},
		{"fetch.wait.max.ms", "100"},
		{"fetch.min.bytes", "1"},
		{"fetch.error.backoff.ms", "100"},
		{"queued.min.messages", "20000"},
		{"queued.max.messages.kbytes", "16384"},
		{NULL, NULL},
	};

	return kafka_conf_create(&options->common, &g->sink, settings);
}

static enum status subscribe(struct kafka_group *g, const char *topic)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t error;

	rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
	error = rd_kafka_subscribe(g->handle, list);
	rd_kafka_topic_partition_list_destroy(list);
	return kafka_status(error);
}

enum status kafka_group_create(const struct kafka_group_options *options,
                               struct kafka_group **ret_group)
{
	struct kafka_group *g CLEANUP(kafka_group_destroy) =
		mem_new(sizeof(*g));
	rd_kafka_conf_t *conf = configure(g, options);
	enum status status;

	if (!conf)
		return ST_BROKEN;
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	g->handle = kafka_handle_create(RD_KAFKA_CONSUMER, conf, &g->sink);
	if (!g->handle)
		return ST_BROKEN;
	rd_kafka_poll_set_consumer(g->handle);
	rd_kafka_set_log_queue(g->handle, NULL);
	g->topic = rd_kafka_topic_new(g->handle, options->topic, NULL);
	if (!g->topic)
		return ST_BROKEN;
	status = subscribe(g, options->topic);
	if (status == ST_OK)
		*ret_group = MOVE(g);
	return status;
}

/*
 * rd_kafka_consumer_close() may block for long when the coordinator is down;
 * closing through a queue bounds the wait. librdkafka refuses to close a fenced
 * consumer: it has no group to leave and can be destroyed at once.
 */
static bool close_in_time(struct kafka_group *g)
{
	uint64_t until_ms = clock_mono_ms() + CLOSE_MS;
	rd_kafka_queue_t *queue = rd_kafka_queue_new(g->handle);
	rd_kafka_error_t *error =
		rd_kafka_consumer_close_queue(g->handle, queue);
	bool refused = error != NULL;
	rd_kafka_message_t *record;

	if (error)
		rd_kafka_error_destroy(error);
	while (!refused && !rd_kafka_consumer_closed(g->handle) &&
	       clock_mono_ms() < until_ms) {
		record = rd_kafka_consume_queue(queue, 20);
		if (record)
			rd_kafka_message_destroy(record);
	}
	rd_kafka_queue_destroy(queue);
	return refused || rd_kafka_consumer_closed(g->handle);
}

void kafka_group_destroy(struct kafka_group **group)
{
	struct kafka_group *g = *group;

	if (!g)
		return;
	kafka_message_destroy(&g->early);
	if (g->handle && !close_in_time(g)) {
		/* Destroying it could block for ever; the process ends soon. */
		kafka_sink_log(&g->sink, LOG_WARNING, "CLOSE",
		               "the group did not answer in time");
		*group = NULL;
		return;
	}
	if (g->topic)
		rd_kafka_topic_destroy(g->topic);
	if (g->handle)
		rd_kafka_destroy_flags(g->handle,
		                       RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	mem_free(&g->owned);
	mem_free(group);
}

/* --- records ------------------------------------------------------------- */
static enum status next_record(struct kafka_group *g, unsigned wait_ms,
                               struct kafka_message **ret_message)
{
	rd_kafka_message_t *record =
		rd_kafka_consumer_poll(g->handle, (int)wait_ms);
	enum status status;

	if (!record)
		return ST_NOT_FOUND;
	if (!record->err) {
		*ret_message = kafka_message_wrap(record);
		return ST_OK;
	}
	snprintf(g->error, sizeof(g->error), "%s",
	         rd_kafka_message_errstr(record));
	kafka_sink_log(&g->sink, LOG_WARNING, "GROUP", g->error);
	status = rd_kafka_fatal_error(g->handle, NULL, 0) ? ST_BROKEN
	                                                  : ST_NOT_FOUND;
	rd_kafka_message_destroy(record);
	return status;
}

enum status kafka_group_poll(struct kafka_group *g, unsigned wait_ms,
                             struct kafka_message **ret_message)
{
	enum status status = ST_OK;
	unsigned partition;

	if (g->paused) {
		g->paused = false;
		pause_all(g, false);
	}
	if (g->early)
		*ret_message = MOVE(g->early);
	else
		status = next_record(g, wait_ms, ret_message);
	if (status != ST_OK)
		return status;
	partition = (unsigned)kafka_message_partition(*ret_message);
	make_room(g, partition + 1);
	g->owned[partition].next = kafka_message_offset(*ret_message) + 1;
	return ST_OK;
}

enum status kafka_group_pause(struct kafka_group *g, unsigned wait_ms)
{
	enum status status;

	if (!g->paused) {
		g->paused = true;
		pause_all(g, true);
	}
	if (g->early) {
		usleep(wait_ms * 1000);
		return ST_OK;
	}
	status = next_record(g, wait_ms, &g->early);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

void kafka_group_store_offset(struct kafka_group *g, int32_t partition,
                              int64_t offset)
{
	if (kafka_group_owns(g, partition))
		(void)rd_kafka_offset_store(g->topic, partition, offset);
}

enum status kafka_group_committed(struct kafka_group *g, int32_t partition,
                                  unsigned wait_ms, int64_t *ret_offset)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t error;
	int64_t offset;

	if (!kafka_group_owns(g, partition))
		return ST_NOT_FOUND;
	list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(g->topic),
	                                  partition);
	error = rd_kafka_committed(g->handle, list, (int)wait_ms);
	offset = list->elems[0].offset;
	rd_kafka_topic_partition_list_destroy(list);
	if (error)
		return ST_UNAVAILABLE;
	if (offset < 0)
		return ST_NOT_FOUND;
	*ret_offset = offset;
	return ST_OK;
}

unsigned kafka_group_generation(const struct kafka_group *g)
{
	return g->generation;
}

bool kafka_group_owns(const struct kafka_group *g, int32_t partition)
{
	return partition >= 0 && (unsigned)partition < g->room &&
	       g->owned[partition].yes;
}

unsigned kafka_group_partitions(const struct kafka_group *g)
{
	return g->count;
}

const char *kafka_group_error(const struct kafka_group *g)
{
	return g->error;
}

int64_t kafka_group_lag(const struct kafka_group *g)
{
	int64_t lag = UNKNOWN, low, high, next;

	for (unsigned p = 0; p < g->room; p++) {
		if (!g->owned[p].yes ||
		    rd_kafka_get_watermark_offsets(
			    g->handle, rd_kafka_topic_name(g->topic),
			    (int32_t)p, &low, &high) ||
		    high < 0)
			continue;
		next = g->owned[p].next == UNKNOWN ? low : g->owned[p].next;
		lag = (lag < 0 ? 0 : lag) + (high > next ? high - next : 0);
	}
	return lag;
}
