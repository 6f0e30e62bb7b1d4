#include "client-test/client/pending_messages.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#include <stdlib.h>
#include <utlist.h>

enum { HAD_MAX = 256, RETRY_BASE_MS = 200, RETRY_MAX_MS = 10000 };

struct item {
	struct outbox_entry entry; /* first: the entry is the item */
	char *text;
	uint64_t due_ms;
	unsigned errors;
	bool in_flight;
	struct item *prev, *next;
};

struct outbox {
	struct item *items;
	unsigned count, in_flight, max;
	struct uuid had[HAD_MAX];
	unsigned had_count;
};

struct outbox *outbox_create(unsigned entries_max)
{
	struct outbox *outbox = mem_new(sizeof(*outbox));

	outbox->max = entries_max;
	return outbox;
}

static void drop(struct outbox *outbox, struct item *item)
{
	DL_DELETE(outbox->items, item);
	outbox->count--;
	outbox->in_flight -= item->in_flight;
	mem_free(&item->text);
	mem_free(&item);
}

void outbox_destroy(struct outbox **outbox)
{
	if (!*outbox)
		return;
	while ((*outbox)->items)
		drop(*outbox, (*outbox)->items);
	mem_free(outbox);
}

unsigned outbox_count(const struct outbox *outbox)
{
	return outbox->count;
}

bool outbox_full(const struct outbox *outbox)
{
	return outbox->count >= outbox->max;
}

bool outbox_add(struct outbox *outbox, const struct uuid *uuid,
                const struct outbox_draft *draft, uint64_t now_ms)
{
	struct item *item;

	if (outbox_full(outbox))
		return false;
	item = mem_new(sizeof(*item));
	item->text = mem_text(draft->text.data, draft->text.len);
	item->entry = (struct outbox_entry){
		.uuid = *uuid,
		.draft = *draft,
		.written_ms = now_ms,
	};
	item->entry.draft.text.data = item->text;
	DL_APPEND(outbox->items, item);
	outbox->count++;
	return true;
}

/* The first that is due; those behind one that waits after an error wait too.
 */
static struct item *first_due(const struct outbox *outbox, uint64_t now_ms)
{
	struct item *item;

	DL_FOREACH (outbox->items, item) {
		if (item->due_ms <= now_ms &&
		    (item->in_flight ||
		     outbox->in_flight < OUTBOX_IN_FLIGHT_MAX))
			return item;
		if (!item->in_flight)
			return NULL;
	}
	return NULL;
}

const struct outbox_entry *outbox_next(struct outbox *outbox, uint64_t now_ms)
{
	struct item *item = first_due(outbox, now_ms);

	if (!item)
		return NULL;
	outbox->in_flight += !item->in_flight;
	item->in_flight = true;
	item->due_ms = now_ms + OUTBOX_RESEND_MS;
	item->entry.sent++;
	return &item->entry;
}

uint64_t outbox_wait_ms(const struct outbox *outbox, uint64_t now_ms)
{
	uint64_t wait_ms = UINT64_MAX;
	struct item *item;

	DL_FOREACH (outbox->items, item) {
		uint64_t left_ms =
			item->due_ms > now_ms ? item->due_ms - now_ms : 0;

		if (!item->in_flight &&
		    outbox->in_flight >= OUTBOX_IN_FLIGHT_MAX)
			break;
		if (left_ms < wait_ms)
			wait_ms = left_ms;
		if (!item->in_flight)
			break;
	}
	return wait_ms;
}

void outbox_restart(struct outbox *outbox)
{
	struct item *item;

	outbox->in_flight = 0;
	DL_FOREACH (outbox->items, item) {
		item->in_flight = false;
		item->due_ms = 0;
	}
}

static struct item *find(const struct outbox *outbox, const struct uuid *uuid)
{
	struct item *item;

	DL_FOREACH (outbox->items, item) {
		if (!memcmp(&item->entry.uuid, uuid, sizeof(*uuid)))
			return item;
	}
	return NULL;
}

void outbox_retry(struct outbox *outbox, const struct uuid *uuid,
                  uint64_t now_ms)
{
	struct item *item = find(outbox, uuid);

	if (!item)
		return;
	outbox->in_flight -= item->in_flight;
	item->in_flight = false;
	item->due_ms = now_ms +
	               backoff_ms(item->errors++, RETRY_BASE_MS, RETRY_MAX_MS);
}

const struct outbox_entry *outbox_find(const struct outbox *outbox,
                                       const struct uuid *uuid)
{
	struct item *item = find(outbox, uuid);

	return item ? &item->entry : NULL;
}

void outbox_remove(struct outbox *outbox, const struct uuid *uuid)
{
	struct item *item = find(outbox, uuid);

	if (!item)
		return;
	outbox->had[outbox->had_count++ % HAD_MAX] = *uuid;
	drop(outbox, item);
}

bool outbox_had(const struct outbox *outbox, const struct uuid *uuid)
{
	unsigned count =
		outbox->had_count < HAD_MAX ? outbox->had_count : HAD_MAX;

	for (unsigned i = 0; i < count; i++) {
		if (!memcmp(&outbox->had[i], uuid, sizeof(*uuid)))
			return true;
	}
	return false;
}

static void write_message(struct json_writer *w,
                          const struct outbox_draft *draft)
{
	json_text(w, "message", draft->text);
	if (draft->user_to)
		json_number(w, "user_to", draft->user_to);
	else
		json_number(w, "conversation", draft->conversation);
	if (draft->seq)
		json_number(w, "reply_to", draft->seq);
}

static void write_change(struct json_writer *w,
                         const struct outbox_draft *draft)
{
	static const char *const texts[] = {
		[OUTBOX_EDIT] = "message",
		[OUTBOX_DELETE] = NULL,
		[OUTBOX_REACT] = "reaction",
	};

	json_number(w, "conversation", draft->conversation);
	json_number(w, "seq", draft->seq);
	if (texts[draft->kind])
		json_text(w, texts[draft->kind], draft->text);
	if (draft->remove)
		json_bool(w, "remove", true);
}

void outbox_frame(const struct outbox_entry *entry, struct buf *out)
{
	static const char *const types[] = {
		[OUTBOX_EDIT] = "edit",
		[OUTBOX_DELETE] = "delete",
		[OUTBOX_REACT] = "react",
	};
	const struct outbox_draft *draft = &entry->draft;
	struct json_writer w = json_writer(out);
	char uuid[UUID_TEXT_LEN + 1];

	uuid_format(&entry->uuid, uuid);
	json_open(&w);
	if (draft->kind != OUTBOX_MESSAGE)
		json_text(&w, "type", span_of(types[draft->kind]));
	json_text(&w, "uuid", span_of(uuid));
	if (draft->kind == OUTBOX_MESSAGE)
		write_message(&w, draft);
	else
		write_change(&w, draft);
	json_close(&w);
}
