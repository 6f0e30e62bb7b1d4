#include "persistence-service/outbox_announcer.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "common/wire/save_record.h"
#include "persistence-service/outbox.h"
#include "persistence-service/persistence_metrics.h"

#include <assert.h>
#include <stdlib.h>

enum { RECORD_MAX = 256 };

/* The owner publishes the rows of the conversation up to this one. */
struct announcement {
	uint64_t conversation;
	uint64_t row;
};

struct outbox_announcer {
	const struct settings *settings;
	struct sql *sql;
	struct kafka_producer *producer;
	struct announcement added[OUTBOX_STALE_MAX];
	unsigned count;
	uint64_t stale_up_to; /* rows up to this id were there at a sweep */
	uint64_t swept;       /* conversations up to it; 0: begin anew */
};

struct outbox_announcer *
outbox_announcer_create(const struct settings *settings, struct sql *sql,
                        struct kafka_producer *producer)
{
	struct outbox_announcer *a = mem_new(sizeof(*a));

	a->settings = settings;
	a->sql = sql;
	a->producer = producer;
	return a;
}

void outbox_announcer_destroy(struct outbox_announcer **announcer)
{
	mem_free(announcer);
}

void outbox_announcer_add(struct outbox_announcer *a, uint64_t conversation,
                          uint64_t row)
{
	assert(a->count < OUTBOX_STALE_MAX);
	a->added[a->count++] = (struct announcement){conversation, row};
}

/* By conversation; the last row first. */
static int by_conversation(const void *a, const void *b)
{
	const struct announcement *x = a, *y = b;

	if (x->conversation != y->conversation)
		return x->conversation < y->conversation ? -1 : 1;
	return (x->row < y->row) - (x->row > y->row);
}

static enum status send_one(struct outbox_announcer *a,
                            const struct announcement *announcement)
{
	struct save_record record = {.kind = SAVE_MEMBERSHIP,
	                             .conversation = announcement->conversation,
	                             .row = announcement->row,
	                             .sent_at_ms = clock_unix_ms()};
	struct buf key CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);
	struct buf value CLEANUP(buf_free) = BUF(RECORD_MAX);
	enum status status;

	FAULT_POINT("announce.before");
	save_record_key(&record, &key);
	save_record_encode(&record, &value);
	status = kafka_produce(a->producer,
	                       &(struct kafka_record){
				       .topic = a->settings->topic_save,
				       .partition = KAFKA_BY_KEY,
				       .key = buf_span(&key),
				       .value = buf_span(&value),
			       },
	                       OUTBOX_ANNOUNCEMENT);
	FAULT_POINT("announce.after");
	return status;
}

enum status outbox_announcer_send(struct outbox_announcer *a)
{
	enum status status = ST_OK;
	uint64_t before = 0;

	if (a->count)
		qsort(a->added, a->count, sizeof(*a->added), by_conversation);
	for (unsigned i = 0; i < a->count && status == ST_OK; i++) {
		if (a->added[i].conversation != before)
			status = send_one(a, &a->added[i]);
		before = a->added[i].conversation;
	}
	a->count = 0;
	return status;
}

static enum status read_stale(struct outbox_announcer *a)
{
	uint64_t conversation;
	enum status status =
		outbox_list_stale(a->sql, a->swept, a->stale_up_to);

	while (status == ST_OK) {
		status = outbox_next_conversation(a->sql, &conversation);
		if (status == ST_OK)
			outbox_announcer_add(a, conversation, a->stale_up_to);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/*
 * A row that the last sweep has seen already: its announcement was lost with a
 * process, or its owner is behind.
 */
enum status outbox_announcer_sweep(struct outbox_announcer *a)
{
	enum status status = read_stale(a);

	a->swept = a->count == OUTBOX_STALE_MAX
	                   ? a->added[a->count - 1].conversation
	                   : 0;
	if (status == ST_OK && !a->swept)
		status = outbox_newest(a->sql, &a->stale_up_to);
	if (status != ST_OK)
		a->count = 0;
	persistence_metrics_announced_again(a->count);
	return status;
}
