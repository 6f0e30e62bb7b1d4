#include "common/io/kafka/private.h"

#include "common/base/clock.h"

#include <stdio.h>
#include <unistd.h>

/*
 * Kafka deletes whole segments only, so a topic with a short retention gets
 * small segments.
 */
enum { SHORT_RETENTION_MS = 24 * 3600 * 1000, CREATE_AGAIN_MS = 200 };
#define SHORT_SEGMENT_BYTES "67108864"
#define MESSAGE_BYTES       "1048588" /* Kafka's default */

void kafka_asking_handle_destroy(rd_kafka_t **handle)
{
	if (*handle)
		rd_kafka_destroy(*handle);
}

unsigned kafka_left_ms(uint64_t until_ms)
{
	uint64_t now_ms = clock_mono_ms();

	return until_ms > now_ms ? (unsigned)(until_ms - now_ms) : 1;
}

rd_kafka_t *kafka_asking_handle(const struct kafka_options *options,
                                struct kafka_sink *sink)
{
	static const struct kafka_setting settings[] = {{NULL, NULL}};
	rd_kafka_conf_t *conf = kafka_conf_create(options, sink, settings);
	rd_kafka_t *handle;

	if (!conf)
		return NULL;
	handle = kafka_handle_create(RD_KAFKA_PRODUCER, conf, sink);
	if (handle)
		rd_kafka_set_log_queue(handle, NULL);
	return handle;
}

struct kafka_topic_size
kafka_topic_size_of(const rd_kafka_metadata_topic_t *topic)
{
	struct kafka_topic_size size = {
		.partitions = (unsigned)topic->partition_cnt,
	};

	for (int i = 0; i < topic->partition_cnt; i++)
		if ((unsigned)topic->partitions[i].replica_cnt > size.replicas)
			size.replicas =
				(unsigned)topic->partitions[i].replica_cnt;
	return size;
}

static enum status read_size(const rd_kafka_metadata_t *metadata,
                             struct kafka_topic_size *ret_size)
{
	const rd_kafka_metadata_topic_t *topic = &metadata->topics[0];

	if (metadata->topic_cnt != 1)
		return ST_NOT_FOUND;
	if (topic->err)
		return kafka_status(topic->err);
	for (int i = 0; i < topic->partition_cnt; i++)
		if (topic->partitions[i].leader < 0)
			return ST_UNAVAILABLE;
	*ret_size = kafka_topic_size_of(topic);
	return ret_size->partitions ? ST_OK : ST_NOT_FOUND;
}

enum status kafka_topic_size(rd_kafka_t *handle, const char *name,
                             unsigned wait_ms,
                             struct kafka_topic_size *ret_size)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, name, NULL);
	rd_kafka_resp_err_t error;
	enum status status;

	if (!topic)
		return ST_BROKEN;
	error = rd_kafka_metadata(handle, 0, topic, &metadata, (int)wait_ms);
	rd_kafka_topic_destroy(topic);
	if (error)
		return kafka_status(error);
	status = read_size(metadata, ret_size);
	rd_kafka_metadata_destroy(metadata);
	return status;
}

enum status kafka_topic_partitions(const struct kafka_options *options,
                                   const char *topic, unsigned wait_ms,
                                   unsigned *ret_partitions)
{
	struct kafka_sink sink;
	rd_kafka_t *handle CLEANUP(kafka_asking_handle_destroy) =
		kafka_asking_handle(options, &sink);
	struct kafka_topic_size size = {0};
	enum status status;

	if (!handle)
		return ST_BROKEN;
	status = kafka_topic_size(handle, topic, wait_ms, &size);
	rd_kafka_poll(handle, 0); /* delivers its log lines */
	if (status == ST_OK)
		*ret_partitions = size.partitions;
	return status;
}

/*
 * The settings that kafka_topics_check() asks for, whatever the defaults of the
 * broker are. With a majority of the replicas in sync, a record that is
 * acknowledged survives the loss of any one broker, and one broker may be away.
 */
static void set_promises(rd_kafka_NewTopic_t *wanted, unsigned replication)
{
	char insync[16];

	snprintf(insync, sizeof(insync), "%u", replication / 2 + 1);
	rd_kafka_NewTopic_set_config(wanted, "min.insync.replicas", insync);
	rd_kafka_NewTopic_set_config(wanted, "unclean.leader.election.enable",
	                             "false");
	rd_kafka_NewTopic_set_config(wanted, "cleanup.policy", "delete");
	rd_kafka_NewTopic_set_config(wanted, "max.message.bytes",
	                             MESSAGE_BYTES);
	rd_kafka_NewTopic_set_config(wanted, "retention.bytes", "-1");
}

static rd_kafka_NewTopic_t *describe(const struct kafka_topic *topic,
                                     char *ret_why, size_t why_size)
{
	char retention[24];
	rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(
		topic->name, (int)topic->partitions, (int)topic->replication,
		ret_why, why_size);

	if (!wanted)
		return NULL;
	set_promises(wanted, topic->replication);
	if (topic->retention_ms == 0)
		return wanted;
	snprintf(retention, sizeof(retention), "%llu",
	         (unsigned long long)topic->retention_ms);
	rd_kafka_NewTopic_set_config(wanted, "retention.ms", retention);
	if (topic->retention_ms < SHORT_RETENTION_MS)
		rd_kafka_NewTopic_set_config(wanted, "segment.bytes",
		                             SHORT_SEGMENT_BYTES);
	return wanted;
}

static enum status read_result(rd_kafka_event_t *event, char *ret_why,
                               size_t why_size)
{
	const rd_kafka_topic_result_t **results;
	rd_kafka_resp_err_t error = rd_kafka_event_error(event);
	const char *text = rd_kafka_event_error_string(event);
	size_t count = 0;

	if (!error) {
		results = rd_kafka_CreateTopics_result_topics(
			rd_kafka_event_CreateTopics_result(event), &count);
		error = rd_kafka_topic_result_error(results[0]);
		text = rd_kafka_topic_result_error_string(results[0]);
	}
	if (!error || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
		return ST_OK;
	/* The text of an earlier answer says more than a timeout. */
	if (error != RD_KAFKA_RESP_ERR__TIMED_OUT)
		snprintf(ret_why, why_size, "%s", text ? text : "");
	/* A broker that starts may not have registered yet. */
	return error == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR
	               ? ST_UNAVAILABLE
	               : kafka_status(error);
}

static enum status create(rd_kafka_t *handle, rd_kafka_NewTopic_t *wanted,
                          unsigned wait_ms, char *ret_why, size_t why_size)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
	rd_kafka_AdminOptions_t *limits = rd_kafka_AdminOptions_new(
		handle, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	rd_kafka_event_t *event;
	enum status status = ST_UNAVAILABLE;

	rd_kafka_AdminOptions_set_request_timeout(limits, (int)wait_ms, NULL,
	                                          0);
	rd_kafka_CreateTopics(handle, &wanted, 1, limits, queue);
	event = rd_kafka_queue_poll(queue, (int)wait_ms + 1000);
	if (event) {
		status = read_result(event, ret_why, why_size);
		rd_kafka_event_destroy(event);
	}
	rd_kafka_AdminOptions_destroy(limits);
	rd_kafka_queue_destroy(queue);
	return status;
}

/* Waits until the partitions of a new topic have leaders. */
static enum status wait_for(rd_kafka_t *handle, const struct kafka_topic *topic,
                            uint64_t until_ms,
                            struct kafka_topic_size *ret_size)
{
	enum status status;

	for (;;) {
		status = kafka_topic_size(handle, topic->name, 1000, ret_size);
		if (status == ST_OK || status == ST_BROKEN ||
		    status == ST_DENIED || clock_mono_ms() >= until_ms)
			return status;
		usleep(20 * 1000);
	}
}

static enum status make(rd_kafka_t *handle, const struct kafka_topic *topic,
                        uint64_t until_ms, char *ret_why, size_t why_size)
{
	rd_kafka_NewTopic_t *wanted = describe(topic, ret_why, why_size);
	struct kafka_topic_size size = {0};
	enum status status;

	if (!wanted)
		return ST_BROKEN;
	for (;;) {
		status = create(handle, wanted, kafka_left_ms(until_ms),
		                ret_why, why_size);
		if (status != ST_UNAVAILABLE || clock_mono_ms() >= until_ms)
			break;
		usleep(CREATE_AGAIN_MS * 1000);
	}
	rd_kafka_NewTopic_destroy(wanted);
	if (status != ST_OK)
		return status;
	status = wait_for(handle, topic, until_ms, &size);
	if (status != ST_OK || size.partitions == topic->partitions)
		return status;
	snprintf(ret_why, why_size, "topic %s has %u partitions, not %u",
	         topic->name, size.partitions, topic->partitions);
	return ST_CONFLICT;
}

enum status kafka_topics_create(const struct kafka_options *options,
                                const struct kafka_topic *topics,
                                unsigned count, unsigned wait_ms, char *ret_why,
                                size_t why_size)
{
	uint64_t until_ms = clock_mono_ms() + wait_ms;
	struct kafka_sink sink;
	rd_kafka_t *handle CLEANUP(kafka_asking_handle_destroy) =
		kafka_asking_handle(options, &sink);
	enum status status = ST_OK;

	snprintf(ret_why, why_size, "no answer from %s", options->brokers);
	if (!handle)
		return ST_BROKEN;
	for (unsigned i = 0; i < count && status == ST_OK; i++)
		status = make(handle, &topics[i], until_ms, ret_why, why_size);
	rd_kafka_poll(handle, 0);
	return status;
}
