#include "tests/ledger/clients/pending.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/messages.h"

enum {
	FRAME_TEXT_MAX = 128 * 1024,
	RETRY_BASE_MS = 200,
	RETRY_MAX_MS = 3000,
};

#define NEVER_MS UINT64_MAX

struct entry {
	struct pending_item item;
	bool accepted;
	unsigned errors;
	uint64_t due_ms;
};

struct pending {
	struct ledger *ledger;
	struct timeline *timeline;
	uint64_t resend_ms;
	struct entry *entries;
	unsigned count, capacity;
};

struct pending *pending_create(struct ledger *ledger, struct timeline *timeline,
                               uint64_t resend_ms)
{
	struct pending *pending = mem_new(sizeof(*pending));

	pending->ledger = ledger;
	pending->timeline = timeline;
	pending->resend_ms = resend_ms;
	return pending;
}

void pending_destroy(struct pending **pending)
{
	if (*pending)
		mem_free(&(*pending)->entries);
	mem_free(pending);
}

static struct entry *find(struct pending *pending, struct pending_item item)
{
	for (unsigned i = 0; i < pending->count; i++) {
		struct entry *entry = &pending->entries[i];

		if (entry->item.number == item.number &&
		    entry->item.edit == item.edit)
			return entry;
	}
	return NULL;
}

static void send_now(struct pending *pending, struct entry *entry,
                     struct connection *connection)
{
	struct buf frame CLEANUP(buf_free) = BUF(FRAME_TEXT_MAX);
	struct ledger *ledger = pending->ledger;
	uint32_t number = entry->item.number;
	bool again = entry->item.edit ? edits_was_sent(ledger, number)
	                              : messages_get(ledger, number).sent_us;

	if (entry->item.edit)
		edits_frame(ledger, number, &frame);
	else
		messages_frame(ledger, number, &frame);
	if (!connection_send(connection, buf_span(&frame)))
		return;
	if (again)
		timeline_add(pending->timeline, TIMELINE_RESENDS);
	if (entry->item.edit)
		edits_sent(ledger, number, clock_mono_us());
	else
		messages_sent(ledger, number, clock_mono_us());
	entry->due_ms = pending->resend_ms
	                        ? clock_mono_ms() + pending->resend_ms
	                        : NEVER_MS;
}

void pending_add(struct pending *pending, struct pending_item item,
                 struct connection *connection)
{
	if (pending->count == pending->capacity) {
		pending->capacity = 2 * pending->capacity + 16;
		pending->entries = mem_resize(
			pending->entries,
			pending->capacity * sizeof(*pending->entries));
	}
	pending->entries[pending->count++] = (struct entry){.item = item};
	if (connection)
		send_now(pending, &pending->entries[pending->count - 1],
		         connection);
}

void pending_remove(struct pending *pending, struct pending_item item)
{
	struct entry *entry = find(pending, item);
	size_t behind;

	if (!entry)
		return;
	behind = (size_t)(pending->entries + pending->count - entry) - 1;
	memmove(entry, entry + 1, behind * sizeof(*entry));
	pending->count--;
}

void pending_accepted(struct pending *pending, struct pending_item item)
{
	struct entry *entry = find(pending, item);

	if (entry)
		entry->accepted = true;
}

void pending_retry(struct pending *pending, struct pending_item item)
{
	struct entry *entry = find(pending, item);

	if (entry && !entry->accepted)
		entry->due_ms = clock_mono_ms() + backoff_ms(entry->errors++,
		                                             RETRY_BASE_MS,
		                                             RETRY_MAX_MS);
}

void pending_restart(struct pending *pending)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < pending->count; i++) {
		struct entry entry = pending->entries[i];

		if (entry.accepted && entry.item.edit)
			continue;
		entry.due_ms = 0;
		pending->entries[kept++] = entry;
	}
	pending->count = kept;
}

void pending_tick(struct pending *pending, struct connection *connection)
{
	uint64_t now_ms = clock_mono_ms();

	for (unsigned i = 0; i < pending->count; i++) {
		struct entry *entry = &pending->entries[i];

		if (!entry->accepted && entry->due_ms <= now_ms)
			send_now(pending, entry, connection);
	}
}

unsigned pending_count(const struct pending *pending)
{
	return pending->count;
}
