/*
 * Reads the settings of topics, and judges them: docs/adr/0017.
 */
#include "common/io/kafka/private.h"

#include "common/base/clock.h"

#include <stdio.h>
#include <stdlib.h>

/* --- rules --------------------------------------------------------------- */
void kafka_topic_setting_read(struct kafka_topic_settings *settings,
                              const char *name, const char *value)
{
	int64_t number = strtoll(value, NULL, 10);

	if (!strcmp(name, "max.message.bytes"))
		settings->max_message_bytes = number;
	else if (!strcmp(name, "min.insync.replicas"))
		settings->min_insync_replicas = number;
	else if (!strcmp(name, "unclean.leader.election.enable"))
		settings->unclean_leader_election = !strcmp(value, "true");
	else if (!strcmp(name, "cleanup.policy"))
		snprintf(settings->cleanup_policy,
		         sizeof(settings->cleanup_policy), "%s", value);
	else if (!strcmp(name, "retention.ms"))
		settings->retention_ms = number;
	else if (!strcmp(name, "retention.bytes"))
		settings->retention_bytes = number;
}

static enum status refuse(const char *topic, const char *setting,
                          const char *value, const char *needed, char *ret_why,
                          size_t why_size)
{
	snprintf(ret_why, why_size, "topic %s: %s is %s, must be %s", topic,
	         setting, value, needed);
	return ST_CONFLICT;
}

static enum status refuse_number(const char *topic, const char *setting,
                                 int64_t value, const char *bound,
                                 int64_t needed, char *ret_why, size_t why_size)
{
	char is[24], must[48];

	snprintf(is, sizeof(is), "%lld", (long long)value);
	snprintf(must, sizeof(must), "%s %lld", bound, (long long)needed);
	return refuse(topic, setting, is, must, ret_why, why_size);
}

static enum status check_replicas(const char *topic, unsigned replicas,
                                  const struct kafka_topic_settings *is,
                                  char *ret_why, size_t why_size)
{
	static const char insync[] = "min.insync.replicas";

	if (is->min_insync_replicas > (int64_t)replicas)
		return refuse_number(topic, insync, is->min_insync_replicas,
		                     "at most the number of replicas,",
		                     replicas, ret_why, why_size);
	if (replicas == 1)
		return ST_OK;
	if (is->min_insync_replicas < 2)
		return refuse_number(topic, insync, is->min_insync_replicas,
		                     "at least", 2, ret_why, why_size);
	if (is->unclean_leader_election)
		return refuse(topic, "unclean.leader.election.enable", "true",
		              "false", ret_why, why_size);
	return ST_OK;
}

static enum status check_retention(const struct kafka_topic_needs *needs,
                                   const struct kafka_topic_settings *is,
                                   char *ret_why, size_t why_size)
{
	int64_t min_ms = (int64_t)needs->retention_min_ms;

	if (min_ms == 0)
		return ST_OK;
	if (is->retention_ms >= 0 && is->retention_ms < min_ms)
		return refuse_number(needs->name, "retention.ms",
		                     is->retention_ms, "-1 or at least", min_ms,
		                     ret_why, why_size);
	if (is->retention_bytes >= 0)
		return refuse_number(needs->name, "retention.bytes",
		                     is->retention_bytes, "no bound,", -1,
		                     ret_why, why_size);
	return ST_OK;
}

enum status kafka_topic_check(const struct kafka_topic_needs *needs,
                              const struct kafka_topic_size *size,
                              const struct kafka_topic_settings *settings,
                              char *ret_why, size_t why_size)
{
	enum status status;

	if (needs->partitions && size->partitions != needs->partitions) {
		snprintf(ret_why, why_size,
		         "topic %s has %u partitions, KAFKA_PARTITIONS is %u",
		         needs->name, size->partitions, needs->partitions);
		return ST_CONFLICT;
	}
	if (!settings)
		return ST_OK;
	if (strcmp(settings->cleanup_policy, "delete"))
		return refuse(needs->name, "cleanup.policy",
		              settings->cleanup_policy, "delete", ret_why,
		              why_size);
	if (settings->max_message_bytes < KAFKA_BATCH_MAX_BYTES)
		return refuse_number(needs->name, "max.message.bytes",
		                     settings->max_message_bytes, "at least",
		                     KAFKA_BATCH_MAX_BYTES, ret_why, why_size);
	status = check_replicas(needs->name, size->replicas, settings, ret_why,
	                        why_size);
	return status == ST_OK
	               ? check_retention(needs, settings, ret_why, why_size)
	               : status;
}

/* --- the broker's answers ------------------------------------------------ */
/* ST_DENIED: the broker does not show the settings to this client. */
static enum status read_settings(rd_kafka_event_t *event,
                                 struct kafka_topic_settings *ret_settings)
{
	rd_kafka_resp_err_t error = rd_kafka_event_error(event);
	const rd_kafka_ConfigResource_t **resources;
	const rd_kafka_ConfigEntry_t **entries;
	size_t count = 0;

	if (error)
		return kafka_status(error);
	resources = rd_kafka_DescribeConfigs_result_resources(
		rd_kafka_event_DescribeConfigs_result(event), &count);
	if (count != 1)
		return ST_UNAVAILABLE;
	error = rd_kafka_ConfigResource_error(resources[0]);
	if (error)
		return kafka_status(error);
	entries = rd_kafka_ConfigResource_configs(resources[0], &count);
	for (size_t i = 0; i < count; i++) {
		const char *value = rd_kafka_ConfigEntry_value(entries[i]);

		if (value)
			kafka_topic_setting_read(
				ret_settings,
				rd_kafka_ConfigEntry_name(entries[i]), value);
	}
	return ST_OK;
}

static enum status ask_settings(rd_kafka_t *handle, const char *topic,
                                unsigned wait_ms,
                                struct kafka_topic_settings *ret_settings)
{
	rd_kafka_ConfigResource_t *resource =
		rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
	rd_kafka_AdminOptions_t *limits = rd_kafka_AdminOptions_new(
		handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_event_t *event;
	enum status status = ST_UNAVAILABLE;

	rd_kafka_AdminOptions_set_request_timeout(limits, (int)wait_ms, NULL,
	                                          0);
	rd_kafka_DescribeConfigs(handle, &resource, 1, limits, queue);
	event = rd_kafka_queue_poll(queue, (int)wait_ms + 100);
	if (event) {
		status = read_settings(event, ret_settings);
		rd_kafka_event_destroy(event);
	}
	rd_kafka_AdminOptions_destroy(limits);
	rd_kafka_queue_destroy(queue);
	rd_kafka_ConfigResource_destroy(resource);
	return status;
}

static enum status check(rd_kafka_t *handle,
                         const struct kafka_topic_needs *needs,
                         uint64_t until_ms, const char **ret_unchecked,
                         char *ret_why, size_t why_size)
{
	struct kafka_topic_size size;
	struct kafka_topic_settings settings = {0};
	enum status status = kafka_topic_size(handle, needs->name,
	                                      kafka_left_ms(until_ms), &size);

	if (status == ST_OK)
		status = kafka_topic_check(needs, &size, NULL, ret_why,
		                           why_size);
	else if (status != ST_UNAVAILABLE)
		snprintf(ret_why, why_size, "topic %s: %s", needs->name,
		         status_text(status));
	if (status != ST_OK)
		return status;
	status = ask_settings(handle, needs->name, kafka_left_ms(until_ms),
	                      &settings);
	if (status == ST_DENIED || status == ST_BROKEN) {
		if (!*ret_unchecked)
			*ret_unchecked = needs->name;
		return ST_OK;
	}
	if (status != ST_OK)
		return status;
	return kafka_topic_check(needs, &size, &settings, ret_why, why_size);
}

enum status kafka_topics_check(const struct kafka_options *options,
                               const struct kafka_topic_needs *needs,
                               unsigned count, unsigned wait_ms,
                               const char **ret_unchecked, char *ret_why,
                               size_t why_size)
{
	uint64_t until_ms = clock_mono_ms() + wait_ms;
	struct kafka_sink sink;
	rd_kafka_t *handle CLEANUP(kafka_asking_handle_destroy) =
		kafka_asking_handle(options, &sink);
	enum status status = ST_OK;

	*ret_unchecked = NULL;
	snprintf(ret_why, why_size, "no answer from %s", options->brokers);
	if (!handle)
		return ST_BROKEN;
	for (unsigned i = 0; i < count && status == ST_OK; i++)
		status = check(handle, &needs[i], until_ms, ret_unchecked,
		               ret_why, why_size);
	rd_kafka_poll(handle, 0); /* delivers its log lines */
	return status;
}
