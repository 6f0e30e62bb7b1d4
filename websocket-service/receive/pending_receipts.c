#include "websocket-service/receive/pending_receipts.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "websocket-service/about.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/receive/save_records.h"
#include "websocket-service/socket/slots.h"

#include <uthash.h>
#include <utlist.h>

/* A message is delivered before it is read. */
enum what { DELIVERED, READ, WHATS };

struct pair {
	struct pair *prev, *next; /* in `retries`, or next in `spare` */
	struct about about;
	uint64_t number;
	uint64_t wanted[WHATS]; /* seqs to be told; 0: none */
	uint64_t sent;          /* under way; 0: none, it is in `retries` */
	enum what what;         /* `sent` is */
	uint64_t retry_ms;
	UT_hash_handle hh;
};

struct receipts {
	struct records *records;
	struct slots *by_number;
	struct pair *pairs;
	struct pair *retries; /* the earliest first */
	struct pair *spare;
};

struct receipts *receipts_create(struct records *records, uint32_t max)
{
	struct receipts *receipts = mem_new(sizeof(*receipts));

	receipts->records = records;
	receipts->by_number = slots_create(max);
	return receipts;
}

void receipts_destroy(struct receipts **receipts)
{
	struct pair *pair, *next;

	if (!*receipts)
		return;
	HASH_ITER (hh, (*receipts)->pairs, pair, next) {
		HASH_DEL((*receipts)->pairs, pair);
		mem_free(&pair);
	}
	LL_FOREACH_SAFE ((*receipts)->spare, pair, next)
		mem_free(&pair);
	slots_destroy(&(*receipts)->by_number);
	mem_free(receipts);
}

uint32_t receipts_count(const struct receipts *receipts)
{
	return slots_count(receipts->by_number);
}

static struct pair *take(struct receipts *receipts, const struct about *about)
{
	struct pair *pair = receipts->spare;
	uint64_t number;

	if (pair)
		LL_DELETE(receipts->spare, pair);
	else
		pair = mem_new(sizeof(*pair));
	number = slots_add(receipts->by_number, pair);
	if (!number) {
		LL_PREPEND(receipts->spare, pair);
		return NULL;
	}
	*pair = (struct pair){.about = *about, .number = number};
	HASH_ADD(hh, receipts->pairs, about, sizeof(pair->about), pair);
	return pair;
}

static void release(struct receipts *receipts, struct pair *pair)
{
	HASH_DEL(receipts->pairs, pair);
	slots_remove(receipts->by_number, pair->number);
	LL_PREPEND(receipts->spare, pair);
}

static void want(struct pair *pair, enum what what, uint64_t seq)
{
	bool sent_already =
		pair->sent && pair->what == what && pair->sent >= seq;

	if (!sent_already && pair->wanted[what] < seq)
		pair->wanted[what] = seq;
}

/* What Kafka did not take: in a while, with what has come meanwhile. */
static void put_back(struct receipts *receipts, struct pair *pair)
{
	uint64_t seq = pair->sent;

	pair->sent = 0;
	want(pair, pair->what, seq);
	pair->retry_ms = clock_mono_ms() + RECEIPTS_RETRY_MS;
	DL_APPEND(receipts->retries, pair);
	metric_count(&measure_receipts_again, 1);
}

/* False when it was put back. Something is wanted. */
static bool send_next(struct receipts *receipts, struct pair *pair)
{
	static const enum save_kind kinds[] = {
		[DELIVERED] = SAVE_DELIVERED, [READ] = SAVE_READ};
	struct save_record record = {
		.sender = pair->about.user,
		.conversation = pair->about.conversation,
	};

	pair->what = pair->wanted[DELIVERED] ? DELIVERED : READ;
	pair->sent = pair->wanted[pair->what];
	pair->wanted[pair->what] = 0;
	record.kind = kinds[pair->what];
	record.seq = pair->sent;
	if (records_produce(receipts->records, &record, SPAN_NONE,
	                    record_tag(RECORD_OF_RECEIPTS, pair->number)) ==
	    ST_OK)
		return true;
	put_back(receipts, pair);
	return false;
}

bool receipts_take(struct receipts *receipts, uint64_t user,
                   const struct client_frame *frame)
{
	enum what what = frame->kind == CLIENT_READ ? READ : DELIVERED;
	struct about about = about_make(user, frame->conversation);
	struct pair *pair;

	metric_count(&measure_receipts, 1);
	HASH_FIND(hh, receipts->pairs, &about, sizeof(about), pair);
	if (pair) {
		want(pair, what, frame->seq);
		return true;
	}
	pair = take(receipts, &about);
	if (!pair)
		return false;
	want(pair, what, frame->seq);
	(void)send_next(receipts, pair);
	return true;
}

void receipts_answered(struct receipts *receipts, uint64_t number,
                       enum status status)
{
	struct pair *pair = slots_get(receipts->by_number, number);

	if (!pair || !pair->sent)
		return;
	if (status != ST_OK) {
		put_back(receipts, pair);
		return;
	}
	pair->sent = 0;
	if (pair->wanted[DELIVERED] || pair->wanted[READ])
		(void)send_next(receipts, pair);
	else
		release(receipts, pair);
}

/* While Kafka takes none the others need not be tried. */
void receipts_tick(struct receipts *receipts)
{
	uint64_t now_ms = clock_mono_ms();

	for (unsigned i = 0; i < RECEIPTS_RETRIES_PER_TICK; i++) {
		struct pair *pair = receipts->retries;

		if (!pair || pair->retry_ms > now_ms)
			break;
		DL_DELETE(receipts->retries, pair);
		if (!send_next(receipts, pair))
			break;
	}
	metric_set(&measure_receipts_unsettled, receipts_count(receipts));
}
