#include "tests/ledger/ledger_receipts.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"

#include <stdlib.h>
#include <uthash.h>

enum { FRAME_LONGEST = 256 };

struct spot {
	uint64_t conversation;
	uint64_t delivered, read;
	bool gone;
	UT_hash_handle hh;
};

struct ledger_receipts {
	struct ledger_book *book;
	struct ledger_place place;
	struct spot *spots;
	struct connection *connection; /* while something is said */
	bool last;
};

struct ledger_receipts *ledger_receipts_create(struct ledger_book *book,
                                               struct ledger_place place)
{
	struct ledger_receipts *receipts = mem_new(sizeof(*receipts));

	receipts->book = book;
	receipts->place = place;
	return receipts;
}

void ledger_receipts_destroy(struct ledger_receipts **receipts)
{
	struct spot *spot, *next;

	if (!*receipts)
		return;
	HASH_ITER (hh, (*receipts)->spots, spot, next) {
		HASH_DEL((*receipts)->spots, spot);
		mem_free(&spot);
	}
	mem_free(receipts);
}

static struct spot *spot_of(struct ledger_receipts *receipts,
                            uint64_t conversation)
{
	struct spot *spot;

	HASH_FIND(hh, receipts->spots, &conversation, sizeof(conversation),
	          spot);
	if (spot)
		return spot;
	spot = mem_new(sizeof(*spot));
	spot->conversation = conversation;
	HASH_ADD(hh, receipts->spots, conversation, sizeof(conversation), spot);
	return spot;
}

void ledger_receipts_gone(struct ledger_receipts *receipts,
                          uint64_t conversation, bool gone)
{
	spot_of(receipts, conversation)->gone = gone;
}

static bool send(struct ledger_receipts *receipts, const char *type,
                 uint64_t conversation, uint64_t seq)
{
	struct buf frame CLEANUP(buf_free) = BUF(FRAME_LONGEST);
	struct json_writer w = json_writer(&frame);

	json_open(&w);
	json_text(&w, "type", span_of(type));
	json_number(&w, "conversation", conversation);
	json_number(&w, "seq", seq);
	json_close(&w);
	return connection_send(receipts->connection, buf_span(&frame));
}

/* The first device of a user reads: up to what it had said that it has. */
static uint64_t to_read(const struct ledger_receipts *receipts,
                        const struct spot *spot, uint64_t top)
{
	if (receipts->place.device != 0)
		return 0;
	if (!receipts->last)
		return spot->delivered;
	return receipts->place.user % 2 ? spot->read : top;
}

static void visit(void *context, uint64_t conversation, uint64_t top)
{
	struct ledger_receipts *receipts = context;
	struct spot *spot = spot_of(receipts, conversation);
	uint64_t read = to_read(receipts, spot, top);
	bool news = top > spot->delivered || receipts->last;
	bool read_news = read > spot->read || (receipts->last && read);

	if (spot->gone)
		return;
	if (top && news && send(receipts, "delivered", conversation, top))
		spot->delivered = top;
	else
		news = false;
	if (read_news && send(receipts, "read", conversation, read))
		spot->read = read;
	else
		read_news = false;
	if (news || read_news)
		ledger_book_reached(receipts->book, receipts->place,
		                    conversation, news ? top : 0,
		                    read_news ? read : 0, receipts->last,
		                    clock_mono_us());
}

void ledger_receipts_say(struct ledger_receipts *receipts,
                         const struct inbox *inbox,
                         struct connection *connection, bool last)
{
	receipts->connection = connection;
	receipts->last = last;
	inbox_each(inbox, visit, receipts);
	receipts->connection = NULL;
}
