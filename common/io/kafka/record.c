/*
 * A record on its way from us to librdkafka.
 */
#include "common/io/kafka/private.h"

static void add_header(rd_kafka_headers_t **headers,
                       const struct kafka_header *header)
{
	if (!header->name || !header->value.len)
		return;
	if (!*headers)
		*headers = rd_kafka_headers_new(2);
	rd_kafka_header_add(*headers, header->name, -1, header->value.data,
	                    (ssize_t)header->value.len);
}

rd_kafka_resp_err_t kafka_record_send(rd_kafka_t *handle,
                                      rd_kafka_topic_t *topic,
                                      const struct kafka_record *record,
                                      uint32_t number)
{
	rd_kafka_headers_t *headers = NULL;
	rd_kafka_resp_err_t error;

	add_header(&headers, &record->header);
	add_header(&headers, &record->more);
	error = rd_kafka_producev(
		handle, RD_KAFKA_VTYPE_RKT, topic, RD_KAFKA_VTYPE_PARTITION,
		record->partition, RD_KAFKA_VTYPE_KEY, record->key.data,
		record->key.len, RD_KAFKA_VTYPE_VALUE, record->value.data,
		record->value.len, RD_KAFKA_VTYPE_HEADERS, headers,
		RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_MSG_F_COPY,
		RD_KAFKA_VTYPE_OPAQUE, (void *)(uintptr_t)number,
		RD_KAFKA_VTYPE_END);
	if (error && headers)
		rd_kafka_headers_destroy(headers);
	return error;
}

size_t kafka_record_bytes(const rd_kafka_message_t *report)
{
	rd_kafka_headers_t *headers;
	size_t bytes = report->key_len + report->len, len;
	const char *name;
	const void *value;

	if (rd_kafka_message_headers(report, &headers))
		return bytes;
	for (size_t i = 0;
	     rd_kafka_header_get_all(headers, i, &name, &value, &len) == 0; i++)
		bytes += strlen(name) + len;
	return bytes;
}
