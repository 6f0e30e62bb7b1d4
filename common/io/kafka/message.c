/*
 * A kafka_message is librdkafka's record under another type: no copy is made.
 */
#include "common/io/kafka/private.h"

static const rd_kafka_message_t *record_of(const struct kafka_message *message)
{
	return (const rd_kafka_message_t *)(const void *)message;
}

struct kafka_message *kafka_message_wrap(rd_kafka_message_t *record)
{
	return (struct kafka_message *)(void *)record;
}

void kafka_message_destroy(struct kafka_message **message)
{
	if (!*message)
		return;
	rd_kafka_message_destroy((rd_kafka_message_t *)(void *)*message);
	*message = NULL;
}

struct span kafka_message_key(const struct kafka_message *message)
{
	const rd_kafka_message_t *record = record_of(message);

	return span_make(record->key, record->key_len);
}

struct span kafka_message_value(const struct kafka_message *message)
{
	const rd_kafka_message_t *record = record_of(message);

	return span_make(record->payload, record->len);
}

struct span kafka_message_header(const struct kafka_message *message,
                                 const char *name)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t len;

	if (rd_kafka_message_headers(record_of(message), &headers) ||
	    rd_kafka_header_get_last(headers, name, &value, &len))
		return SPAN_NONE;
	return span_make(value, len);
}

int32_t kafka_message_partition(const struct kafka_message *message)
{
	return record_of(message)->partition;
}

int64_t kafka_message_offset(const struct kafka_message *message)
{
	return record_of(message)->offset;
}

uint64_t kafka_message_time_ms(const struct kafka_message *message)
{
	int64_t time_ms = rd_kafka_message_timestamp(record_of(message), NULL);

	return time_ms > 0 ? (uint64_t)time_ms : 0;
}
