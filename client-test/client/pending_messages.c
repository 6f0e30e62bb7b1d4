#include "client-test/client/pending_messages.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/base/utf8.h"
#include "common/wire/frame.h"
#include "common/wire/save_record.h"

#include <stdlib.h>
#include <utlist.h>

enum { REMOVED_MAX = 256, RETRY_BASE_MS = 200, RETRY_MAX_MS = 10000 };

struct item {
	struct pending_message entry; /* first: the entry is the item */
	char *text;
	uint64_t due_ms;
	unsigned errors;
	bool in_flight;
	struct item *prev, *next;
};

struct pending_messages {
	struct item *items;
	unsigned count, in_flight, max;
	struct uuid removed[REMOVED_MAX]; /* a ring of the last ones */
	unsigned removed_count;
};

struct pending_messages *pending_messages_create(unsigned entries_max)
{
	struct pending_messages *pending = mem_new(sizeof(*pending));

	pending->max = entries_max;
	return pending;
}

static void drop(struct pending_messages *pending, struct item *item)
{
	DL_DELETE(pending->items, item);
	pending->count--;
	pending->in_flight -= item->in_flight;
	mem_free(&item->text);
	mem_free(&item);
}

void pending_messages_destroy(struct pending_messages **pending)
{
	if (!*pending)
		return;
	while ((*pending)->items)
		drop(*pending, (*pending)->items);
	mem_free(pending);
}

unsigned pending_messages_count(const struct pending_messages *pending)
{
	return pending->count;
}

bool pending_messages_full(const struct pending_messages *pending)
{
	return pending->count >= pending->max;
}

bool pending_messages_add(struct pending_messages *pending,
                          const struct uuid *uuid,
                          const struct message_draft *draft, uint64_t now_ms)
{
	struct item *item;

	if (pending_messages_full(pending))
		return false;
	item = mem_new(sizeof(*item));
	item->text = mem_text(draft->text.data, draft->text.len);
	item->entry = (struct pending_message){
		.uuid = *uuid,
		.draft = *draft,
		.written_ms = now_ms,
	};
	item->entry.draft.text.data = item->text;
	DL_APPEND(pending->items, item);
	pending->count++;
	return true;
}

/*
 * The first that is due. A message that waits for a retry holds back those
 * after it.
 */
static struct item *first_due(const struct pending_messages *pending,
                              uint64_t now_ms)
{
	struct item *item;

	DL_FOREACH (pending->items, item) {
		if (item->due_ms <= now_ms &&
		    (item->in_flight ||
		     pending->in_flight < PENDING_IN_FLIGHT_MAX))
			return item;
		if (!item->in_flight)
			return NULL;
	}
	return NULL;
}

const struct pending_message *
pending_messages_next(struct pending_messages *pending, uint64_t now_ms)
{
	struct item *item = first_due(pending, now_ms);

	if (!item)
		return NULL;
	pending->in_flight += !item->in_flight;
	item->in_flight = true;
	item->due_ms = now_ms + PENDING_RESEND_MS;
	item->entry.sent++;
	return &item->entry;
}

uint64_t pending_messages_wait_ms(const struct pending_messages *pending,
                                  uint64_t now_ms)
{
	uint64_t wait_ms = UINT64_MAX;
	struct item *item;

	DL_FOREACH (pending->items, item) {
		uint64_t left_ms =
			item->due_ms > now_ms ? item->due_ms - now_ms : 0;

		if (!item->in_flight &&
		    pending->in_flight >= PENDING_IN_FLIGHT_MAX)
			break;
		if (left_ms < wait_ms)
			wait_ms = left_ms;
		if (!item->in_flight)
			break;
	}
	return wait_ms;
}

void pending_messages_restart(struct pending_messages *pending)
{
	struct item *item;

	pending->in_flight = 0;
	DL_FOREACH (pending->items, item) {
		item->in_flight = false;
		item->due_ms = 0;
	}
}

static struct item *find(const struct pending_messages *pending,
                         const struct uuid *uuid)
{
	struct item *item;

	DL_FOREACH (pending->items, item) {
		if (!memcmp(&item->entry.uuid, uuid, sizeof(*uuid)))
			return item;
	}
	return NULL;
}

void pending_messages_retry(struct pending_messages *pending,
                            const struct uuid *uuid, uint64_t now_ms)
{
	struct item *item = find(pending, uuid);

	if (!item)
		return;
	pending->in_flight -= item->in_flight;
	item->in_flight = false;
	item->due_ms = now_ms +
	               backoff_ms(item->errors++, RETRY_BASE_MS, RETRY_MAX_MS);
}

void pending_messages_accept(struct pending_messages *pending,
                             const struct uuid *uuid)
{
	struct item *item = find(pending, uuid);

	if (item)
		item->entry.accepted = true;
}

void pending_messages_each(const struct pending_messages *pending,
                           void (*visit)(void *context,
                                         const struct pending_message *message),
                           void *context)
{
	struct item *item;

	DL_FOREACH (pending->items, item)
		visit(context, &item->entry);
}

const struct pending_message *
pending_messages_find(const struct pending_messages *pending,
                      const struct uuid *uuid)
{
	struct item *item = find(pending, uuid);

	return item ? &item->entry : NULL;
}

void pending_messages_remove(struct pending_messages *pending,
                             const struct uuid *uuid)
{
	struct item *item = find(pending, uuid);

	if (!item)
		return;
	pending->removed[pending->removed_count++ % REMOVED_MAX] = *uuid;
	drop(pending, item);
}

bool pending_messages_was_removed(const struct pending_messages *pending,
                                  const struct uuid *uuid)
{
	unsigned count = pending->removed_count < REMOVED_MAX
	                         ? pending->removed_count
	                         : REMOVED_MAX;

	for (unsigned i = 0; i < count; i++) {
		if (!memcmp(&pending->removed[i], uuid, sizeof(*uuid)))
			return true;
	}
	return false;
}

static void write_message(struct json_writer *w,
                          const struct message_draft *draft)
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
                         const struct message_draft *draft)
{
	static const char *const texts[] = {
		[DRAFT_EDIT] = "message",
		[DRAFT_DELETE] = NULL,
		[DRAFT_REACT] = "reaction",
	};

	json_number(w, "conversation", draft->conversation);
	json_number(w, "seq", draft->seq);
	if (texts[draft->kind])
		json_text(w, texts[draft->kind], draft->text);
	if (draft->remove)
		json_bool(w, "remove", true);
}

void pending_message_frame(const struct pending_message *entry, struct buf *out)
{
	static const char *const types[] = {
		[DRAFT_EDIT] = "edit",
		[DRAFT_DELETE] = "delete",
		[DRAFT_REACT] = "react",
	};
	const struct message_draft *draft = &entry->draft;
	struct json_writer w = json_writer(out);
	char uuid[UUID_TEXT_LEN + 1];

	uuid_format(&entry->uuid, uuid);
	json_open(&w);
	if (draft->kind != DRAFT_MESSAGE)
		json_text(&w, "type", span_of(types[draft->kind]));
	json_text(&w, "uuid", span_of(uuid));
	if (draft->kind == DRAFT_MESSAGE)
		write_message(&w, draft);
	else
		write_change(&w, draft);
	json_close(&w);
}

/* --- faults -------------------------------------------------------------- */
static bool frame_fits(const struct message_draft *draft)
{
	const struct pending_message message = {.draft = *draft};
	struct buf frame CLEANUP(buf_free) = BUF(FRAME_MAX);

	pending_message_frame(&message, &frame);
	return !buf_overflowed(&frame);
}

const char *message_draft_fault(const struct message_draft *draft)
{
	struct span text = draft->text;

	if (draft->kind == DRAFT_DELETE)
		return NULL;
	if (text.len == 0)
		return "it is empty";
	if (text.len > MESSAGE_TEXT_MAX)
		return "it is longer than 16384 bytes";
	if (!utf8_valid(text))
		return "it is not UTF-8";
	if (memchr(text.data, '\0', text.len))
		return "it contains a NUL character";
	if (!frame_fits(draft))
		return "it is longer than 65536 bytes when its control "
		       "characters are escaped";
	return NULL;
}
