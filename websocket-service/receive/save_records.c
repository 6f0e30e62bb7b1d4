#include "websocket-service/receive/save_records.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/kafka/kafka.h"
#include "common/wire/event.h"

struct save_records {
	struct kafka_producer *producer;
	const char *topic;
	struct buf key;
	struct buf value;
};

struct save_records *save_records_create(struct kafka_producer *producer,
                                         const char *topic)
{
	struct save_records *records = mem_new(sizeof(*records));

	records->producer = producer;
	records->topic = topic;
	records->key = BUF(CONVERSATION_KEY_MAX);
	records->value = BUF(SAVE_RECORD_MAX);
	return records;
}

void save_records_destroy(struct save_records **records)
{
	if (!*records)
		return;
	buf_free(&(*records)->key);
	buf_free(&(*records)->value);
	mem_free(records);
}

enum status save_records_produce(struct save_records *records,
                                 struct save_record *record, struct span origin,
                                 uint64_t tag)
{
	record->sent_at_ms = clock_unix_ms();
	buf_clear(&records->key);
	buf_clear(&records->value);
	save_record_key(record, &records->key);
	save_record_encode(record, &records->value);
	return kafka_produce(records->producer,
	                     &(struct kafka_record){
				     .topic = records->topic,
				     .partition = KAFKA_BY_KEY,
				     .key = buf_span(&records->key),
				     .value = buf_span(&records->value),
				     .header = {EVENT_ORIGIN_HEADER, origin},
			     },
	                     tag);
}
