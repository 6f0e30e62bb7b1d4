/*
 * librdkafka's simple consumer: it starts each partition by itself, all into
 * one queue. Without a group it needs no coordinator.
 */
#include "common/io/kafka/private.h"

#include "common/base/clock.h"
#include "common/base/mem.h"

#include <assert.h>
#include <syslog.h>
#include <unistd.h>

struct kafka_reader {
	struct kafka_sink sink;
	rd_kafka_t *handle;
	rd_kafka_topic_t *topic;
	rd_kafka_queue_t *queue;
	int wake_fd;
	unsigned partitions;
	/* By partition: the offset of the next record; -1: not read. */
	int64_t *next;
	/* The record after a gap: the poll after ST_UNCERTAIN returns it. */
	rd_kafka_message_t *held;
};

/*
 * When the log no longer has the next record (retention, DeleteRecords),
 * librdkafka's own thread asks for the end, again and again while no broker
 * answers, and reads on from there. The end-of-partition event shows the new
 * position also when no record follows.
 *
 * fetch.wait.max.ms bounds the wait of a partition that got room or a new
 * position for the fetch request under way. New records end that wait anyway.
 */
static const struct kafka_setting reader_settings[] = {
	{"enable.auto.commit", "false"},
	{"enable.auto.offset.store", "false"},
	{"auto.offset.reset", "latest"},
	{"enable.partition.eof", "true"},
	{"fetch.wait.max.ms", "100"},
	{"fetch.min.bytes", "1"},
	{"fetch.error.backoff.ms", "100"},
	{"queued.min.messages", "20000"},
	{"queued.max.messages.kbytes", "16384"},
	{NULL, NULL},
};

static enum status open_handle(struct kafka_reader *r,
                               const struct kafka_reader_options *options)
{
	rd_kafka_conf_t *conf =
		kafka_conf_create(&options->common, &r->sink, reader_settings);

	if (!conf)
		return ST_BROKEN;
	r->handle = kafka_handle_create(RD_KAFKA_CONSUMER, conf, &r->sink);
	if (!r->handle)
		return ST_BROKEN;
	r->queue = rd_kafka_queue_new(r->handle);
	rd_kafka_set_log_queue(r->handle, r->queue);
	r->topic = rd_kafka_topic_new(r->handle, options->topic, NULL);
	return r->topic ? ST_OK : ST_BROKEN;
}

static enum status check_partitions(struct kafka_reader *r,
                                    const struct kafka_reader_options *options,
                                    unsigned wait_ms)
{
	struct kafka_topic_size size;
	enum status status =
		kafka_topic_size(r->handle, options->topic, wait_ms, &size);

	if (status != ST_OK)
		return status;
	if (size.partitions == options->partitions)
		return ST_OK;
	kafka_sink_log(&r->sink, LOG_ERR, "PARTITIONS",
	               "the topic has another number of partitions than "
	               "KAFKA_PARTITIONS");
	return ST_BROKEN;
}

/* Asks for the ends of all partitions in one request. */
static enum status ask_ends(struct kafka_reader *r,
                            rd_kafka_topic_partition_list_t *ends,
                            unsigned wait_ms)
{
	rd_kafka_resp_err_t error =
		rd_kafka_offsets_for_times(r->handle, ends, (int)wait_ms);

	if (error)
		return kafka_status(error);
	for (int i = 0; i < ends->cnt; i++) {
		if (ends->elems[i].err)
			return kafka_status(ends->elems[i].err);
		if (ends->elems[i].offset < 0)
			return ST_UNAVAILABLE;
	}
	return ST_OK;
}

static void destroy_list(rd_kafka_topic_partition_list_t **list)
{
	rd_kafka_topic_partition_list_destroy(*list);
}

/* A new topic answers "not leader" for a moment: asks again. */
static enum status ask_ends_until(struct kafka_reader *r,
                                  rd_kafka_topic_partition_list_t *ends,
                                  uint64_t until_ms)
{
	uint64_t now_ms = clock_mono_ms();
	enum status status = ST_UNAVAILABLE;

	while (status == ST_UNAVAILABLE && now_ms < until_ms) {
		for (int i = 0; i < ends->cnt; i++)
			ends->elems[i].offset = RD_KAFKA_OFFSET_END;
		status = ask_ends(r, ends, (unsigned)(until_ms - now_ms));
		if (status == ST_UNAVAILABLE)
			usleep(20 * 1000);
		now_ms = clock_mono_ms();
	}
	return status;
}

static enum status start_all(struct kafka_reader *r,
                             const struct kafka_reader_options *options,
                             uint64_t until_ms)
{
	rd_kafka_topic_partition_list_t *ends CLEANUP(destroy_list) =
		rd_kafka_topic_partition_list_new((int)r->partitions);
	enum status status = ST_OK;

	for (unsigned p = options->shard; p < options->partitions;
	     p += options->shards)
		rd_kafka_topic_partition_list_add(ends, options->topic,
		                                  (int32_t)p);
	if (ends->cnt)
		status = ask_ends_until(r, ends, until_ms);
	for (int i = 0; i < ends->cnt && status == ST_OK; i++) {
		const rd_kafka_topic_partition_t *end = &ends->elems[i];

		if (rd_kafka_consume_start_queue(r->topic, end->partition,
		                                 end->offset, r->queue))
			status = kafka_status(rd_kafka_last_error());
		else
			r->next[end->partition] = end->offset;
	}
	return status;
}

enum status kafka_reader_create(const struct kafka_reader_options *options,
                                unsigned wait_ms,
                                struct kafka_reader **ret_reader)
{
	struct kafka_reader *r CLEANUP(kafka_reader_destroy) =
		mem_new(sizeof(*r));
	uint64_t until_ms = clock_mono_ms() + wait_ms;
	enum status status;

	assert(options->shards && options->shard < options->shards);
	r->partitions = options->partitions;
	r->next = mem_new(r->partitions * sizeof(*r->next));
	for (unsigned p = 0; p < r->partitions; p++)
		r->next[p] = -1;
	r->wake_fd = kafka_wake_create();
	status = r->wake_fd < 0 ? ST_BROKEN : open_handle(r, options);
	if (status == ST_OK)
		status = check_partitions(r, options, wait_ms);
	if (status == ST_OK)
		status = start_all(r, options, until_ms);
	if (status != ST_OK)
		return status;
	kafka_wake_watch(r->wake_fd, r->queue);
	*ret_reader = MOVE(r);
	return ST_OK;
}

void kafka_reader_destroy(struct kafka_reader **reader)
{
	struct kafka_reader *r = *reader;

	if (!r)
		return;
	if (r->held)
		rd_kafka_message_destroy(r->held);
	for (unsigned p = 0; r->topic && p < r->partitions; p++)
		if (r->next[p] >= 0)
			rd_kafka_consume_stop(r->topic, (int32_t)p);
	if (r->topic)
		rd_kafka_topic_destroy(r->topic);
	if (r->queue) {
		rd_kafka_queue_io_event_enable(r->queue, -1, NULL, 0);
		rd_kafka_queue_destroy(r->queue);
	}
	if (r->handle)
		rd_kafka_destroy(r->handle);
	if (r->wake_fd >= 0)
		close(r->wake_fd);
	mem_free(&r->next);
	mem_free(reader);
}

int kafka_reader_fd(const struct kafka_reader *r)
{
	return r->wake_fd;
}

/*
 * Notes the position at `offset`. False: it is not the expected one, so records
 * between are lost to this reader. No producer of the topic uses transactions,
 * whose markers would leave gaps, too.
 */
static bool follows(struct kafka_reader *r, int32_t partition, int64_t offset)
{
	bool expected = r->next[partition] == offset;

	r->next[partition] = offset;
	return expected;
}

static rd_kafka_message_t *next_record(struct kafka_reader *r)
{
	rd_kafka_message_t *record = rd_kafka_consume_queue(r->queue, 0);

	if (record)
		return record;
	/* The queue is empty now: the next record signals again. */
	kafka_wake_clear(r->wake_fd);
	return rd_kafka_consume_queue(r->queue, 0);
}

static struct kafka_message *take(struct kafka_reader *r,
                                  rd_kafka_message_t *record)
{
	r->next[record->partition] = record->offset + 1;
	return kafka_message_wrap(record);
}

enum status kafka_reader_poll(struct kafka_reader *r,
                              struct kafka_message **ret_message)
{
	rd_kafka_message_t *record;
	bool whole = true;

	if (r->held) {
		*ret_message = take(r, MOVE(r->held));
		return ST_OK;
	}
	while (whole && (record = next_record(r))) {
		if (!record->err) {
			if (follows(r, record->partition, record->offset)) {
				*ret_message = take(r, record);
				return ST_OK;
			}
			r->held = record;
			return ST_UNCERTAIN;
		}
		if (record->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			whole = follows(r, record->partition, record->offset);
		else
			kafka_sink_log(&r->sink, LOG_WARNING, "FETCH",
			               rd_kafka_message_errstr(record));
		rd_kafka_message_destroy(record);
	}
	return whole ? ST_NOT_FOUND : ST_UNCERTAIN;
}

int64_t kafka_reader_lag(const struct kafka_reader *r)
{
	int64_t lag = 0, low, high;

	for (unsigned p = 0; p < r->partitions; p++) {
		if (r->next[p] < 0 ||
		    rd_kafka_get_watermark_offsets(
			    r->handle, rd_kafka_topic_name(r->topic),
			    (int32_t)p, &low, &high))
			continue;
		if (high > r->next[p])
			lag += high - r->next[p];
	}
	return lag;
}
