#include "tests/ledger/clients/receipt_sender.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/receipts.h"

#include <stdlib.h>
#include <uthash.h>

enum { FRAME_LONGEST = 256 };

struct sent_receipts {
	uint64_t conversation;
	uint64_t delivered, read;
	bool gone;
	UT_hash_handle hh;
};

struct receipt_sender {
	struct ledger *ledger;
	struct ledger_device_id device;
	struct sent_receipts *sent;
	struct connection *connection; /* during receipt_sender_send() */
	bool last;
};

struct receipt_sender *receipt_sender_create(struct ledger *ledger,
                                             struct ledger_device_id device)
{
	struct receipt_sender *sender = mem_new(sizeof(*sender));

	sender->ledger = ledger;
	sender->device = device;
	return sender;
}

void receipt_sender_destroy(struct receipt_sender **sender)
{
	struct sent_receipts *sent, *next;

	if (!*sender)
		return;
	HASH_ITER (hh, (*sender)->sent, sent, next) {
		HASH_DEL((*sender)->sent, sent);
		mem_free(&sent);
	}
	mem_free(sender);
}

static struct sent_receipts *sent_in(struct receipt_sender *sender,
                                     uint64_t conversation)
{
	struct sent_receipts *sent;

	HASH_FIND(hh, sender->sent, &conversation, sizeof(conversation), sent);
	if (sent)
		return sent;
	sent = mem_new(sizeof(*sent));
	sent->conversation = conversation;
	HASH_ADD(hh, sender->sent, conversation, sizeof(conversation), sent);
	return sent;
}

void receipt_sender_set_gone(struct receipt_sender *sender,
                             uint64_t conversation, bool gone)
{
	sent_in(sender, conversation)->gone = gone;
}

static bool send_frame(struct receipt_sender *sender, const char *type,
                       uint64_t conversation, uint64_t seq)
{
	struct buf frame CLEANUP(buf_free) = BUF(FRAME_LONGEST);
	struct json_writer w = json_writer(&frame);

	json_open(&w);
	json_text(&w, "type", span_of(type));
	json_number(&w, "conversation", conversation);
	json_number(&w, "seq", seq);
	json_close(&w);
	return connection_send(sender->connection, buf_span(&frame));
}

/* The first device of a user reads up to what it reported as delivered. */
static uint64_t to_read(const struct receipt_sender *sender,
                        const struct sent_receipts *sent, uint64_t top)
{
	if (sender->device.device != 0)
		return 0;
	if (!sender->last)
		return sent->delivered;
	return sender->device.user % 2 ? sent->read : top;
}

static void visit(void *context, uint64_t conversation, uint64_t top)
{
	struct receipt_sender *sender = context;
	struct sent_receipts *sent = sent_in(sender, conversation);
	uint64_t read = to_read(sender, sent, top);
	bool news = top > sent->delivered || sender->last;
	bool read_news = read > sent->read || (sender->last && read);

	if (sent->gone)
		return;
	if (top && news && send_frame(sender, "delivered", conversation, top))
		sent->delivered = top;
	else
		news = false;
	if (read_news && send_frame(sender, "read", conversation, read))
		sent->read = read;
	else
		read_news = false;
	if (news || read_news)
		receipts_sent(sender->ledger, sender->device, conversation,
		              news ? top : 0, read_news ? read : 0,
		              sender->last, clock_mono_us());
}

void receipt_sender_send(struct receipt_sender *sender,
                         const struct inbox *inbox,
                         struct connection *connection, bool last)
{
	sender->connection = connection;
	sender->last = last;
	inbox_each(inbox, visit, sender);
	sender->connection = NULL;
}

bool receipt_sender_is_gone(struct receipt_sender *sender,
                            uint64_t conversation)
{
	return sent_in(sender, conversation)->gone;
}
