#include "common/io/kafka/resend.h"

#include "common/base/mem.h"

#include <stdlib.h>

struct kept {
	uint64_t serial;
	uint64_t tag;
	struct kafka_record record;
	char *bytes; /* the record points into it */
};

struct kafka_resend {
	struct kept *kept;
	unsigned kept_count, kept_room, kept_at;
	struct kafka_report *outcomes;
	unsigned outcome_count, outcome_room, outcome_at;
};

struct kafka_resend *kafka_resend_create(void)
{
	return mem_new(sizeof(struct kafka_resend));
}

void kafka_resend_destroy(struct kafka_resend **resend)
{
	if (!*resend)
		return;
	kafka_resend_sent(*resend);
	mem_free(&(*resend)->kept);
	mem_free(&(*resend)->outcomes);
	mem_free(resend);
}

static struct span put(char **at, const void *bytes, size_t len)
{
	struct span copy = span_make(*at, len);

	if (len)
		memcpy(*at, bytes, len);
	*at += len;
	return copy;
}

static struct kafka_header header_of(const rd_kafka_message_t *report,
                                     size_t index)
{
	struct kafka_header header = {0};
	rd_kafka_headers_t *headers;
	const void *value;
	size_t len;

	if (rd_kafka_message_headers(report, &headers) == 0 &&
	    rd_kafka_header_get_all(headers, index, &header.name, &value,
	                            &len) == 0)
		header.value = span_make(value, len);
	return header;
}

static size_t header_len(const struct kafka_header *header)
{
	return span_of(header->name).len + 1 + header->value.len;
}

static struct kafka_header put_header(char **at,
                                      const struct kafka_header *header)
{
	struct kafka_header copy = {0};

	if (!header->name)
		return copy;
	copy.name = put(at, header->name, strlen(header->name) + 1).data;
	copy.value = put(at, header->value.data, header->value.len);
	return copy;
}

static void copy_record(struct kept *kept, const rd_kafka_message_t *report)
{
	struct span topic = span_of(rd_kafka_topic_name(report->rkt));
	struct kafka_header header = header_of(report, 0);
	struct kafka_header more = header_of(report, 1);
	char *at = mem_new(topic.len + 1 + header_len(&header) +
	                   header_len(&more) + report->key_len + report->len);

	kept->bytes = at;
	kept->record.topic = put(&at, topic.data, topic.len + 1).data;
	kept->record.header = put_header(&at, &header);
	kept->record.more = put_header(&at, &more);
	kept->record.key = put(&at, report->key, report->key_len);
	kept->record.value = put(&at, report->payload, report->len);
}

void kafka_resend_add(struct kafka_resend *resend,
                      const rd_kafka_message_t *report,
                      const struct kafka_inflight_record *sent)
{
	struct kept *kept;

	if (resend->kept_count == resend->kept_room) {
		resend->kept_room = resend->kept_room * 2 + 64;
		resend->kept = mem_resize(resend->kept,
		                          resend->kept_room * sizeof(*kept));
	}
	kept = &resend->kept[resend->kept_count++];
	*kept = (struct kept){.serial = sent->serial, .tag = sent->tag};
	kept->record.partition = sent->partition;
	copy_record(kept, report);
}

unsigned kafka_resend_count(const struct kafka_resend *resend)
{
	return resend->kept_count - resend->kept_at + resend->outcome_count -
	       resend->outcome_at;
}

static int by_serial(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return (x->serial > y->serial) - (x->serial < y->serial);
}

void kafka_resend_sort(struct kafka_resend *resend)
{
	if (resend->kept_count)
		qsort(resend->kept, resend->kept_count, sizeof(*resend->kept),
		      by_serial);
}

bool kafka_resend_next(struct kafka_resend *resend,
                       struct kafka_record *ret_record, uint64_t *ret_tag,
                       uint64_t *ret_serial)
{
	const struct kept *kept;

	if (resend->kept_at == resend->kept_count)
		return false;
	kept = &resend->kept[resend->kept_at++];
	*ret_record = kept->record;
	*ret_tag = kept->tag;
	*ret_serial = kept->serial;
	return true;
}

void kafka_resend_sent(struct kafka_resend *resend)
{
	for (unsigned i = 0; i < resend->kept_count; i++)
		mem_free(&resend->kept[i].bytes);
	resend->kept_count = 0;
	resend->kept_at = 0;
}

void kafka_resend_settle(struct kafka_resend *resend,
                         const struct kafka_report *report)
{
	if (resend->outcome_count == resend->outcome_room) {
		resend->outcome_room = resend->outcome_room * 2 + 64;
		resend->outcomes =
			mem_resize(resend->outcomes,
		                   resend->outcome_room * sizeof(*report));
	}
	resend->outcomes[resend->outcome_count++] = *report;
}

bool kafka_resend_settled(struct kafka_resend *resend,
                          struct kafka_report *ret_report)
{
	if (resend->outcome_at == resend->outcome_count)
		return false;
	*ret_report = resend->outcomes[resend->outcome_at++];
	if (resend->outcome_at == resend->outcome_count)
		resend->outcome_at = resend->outcome_count = 0;
	return true;
}
