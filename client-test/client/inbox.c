#include "client-test/client/inbox.h"
#include "common/base/mem.h"

#include <stdlib.h>
#include <uthash.h>

struct conversation {
	uint64_t id;
	uint64_t top;
	uint64_t last_seq;       /* the highest known to exist */
	uint64_t fetch_last_seq; /* `last_seq` when the fetch began */
	bool fetching;
	UT_hash_handle hh;
};

struct inbox {
	struct conversation *conversations;
};

struct inbox *inbox_create(void)
{
	return mem_new(sizeof(struct inbox));
}

void inbox_destroy(struct inbox **inbox)
{
	struct conversation *conversation, *next;

	if (!*inbox)
		return;
	HASH_ITER (hh, (*inbox)->conversations, conversation, next) {
		HASH_DEL((*inbox)->conversations, conversation);
		mem_free(&conversation);
	}
	mem_free(inbox);
}

static struct conversation *find(const struct inbox *inbox, uint64_t id)
{
	struct conversation *conversation;

	HASH_FIND(hh, inbox->conversations, &id, sizeof(id), conversation);
	return conversation;
}

static struct conversation *find_or_add(struct inbox *inbox, uint64_t id,
                                        uint64_t top)
{
	struct conversation *conversation = find(inbox, id);

	if (conversation)
		return conversation;
	conversation = mem_new(sizeof(*conversation));
	conversation->id = id;
	conversation->top = top;
	conversation->last_seq = top;
	HASH_ADD(hh, inbox->conversations, id, sizeof(id), conversation);
	return conversation;
}

static void raise_last_seq(struct conversation *conversation, uint64_t seq)
{
	if (seq > conversation->last_seq)
		conversation->last_seq = seq;
}

enum inbox_verdict inbox_take(struct inbox *inbox, uint64_t id, uint64_t seq)
{
	struct conversation *conversation = find_or_add(inbox, id, 0);

	if (seq <= conversation->top)
		return INBOX_SEEN;
	raise_last_seq(conversation, seq);
	if (seq > conversation->top + 1)
		return INBOX_GAP;
	conversation->top = seq;
	return INBOX_NEXT;
}

void inbox_listed(struct inbox *inbox, uint64_t id, uint64_t last_seq,
                  uint64_t history)
{
	uint64_t top = last_seq > history ? last_seq - history : 0;
	struct conversation *conversation = find_or_add(inbox, id, top);

	/* Frames arrived before the list, and nothing was shown yet. */
	if (conversation->top == 0 && !conversation->fetching)
		conversation->top = top;
	raise_last_seq(conversation, last_seq);
}

bool inbox_fetch(struct inbox *inbox, uint64_t *ret_conversation,
                 uint64_t *ret_after)
{
	struct conversation *conversation, *next;

	HASH_ITER (hh, inbox->conversations, conversation, next) {
		if (conversation->fetching ||
		    conversation->last_seq <= conversation->top)
			continue;
		conversation->fetching = true;
		conversation->fetch_last_seq = conversation->last_seq;
		*ret_conversation = conversation->id;
		*ret_after = conversation->top;
		return true;
	}
	return false;
}

enum inbox_verdict inbox_take_page(struct inbox *inbox, uint64_t id,
                                   uint64_t seq)
{
	struct conversation *conversation = find_or_add(inbox, id, 0);

	if (seq <= conversation->top)
		return INBOX_SEEN;
	raise_last_seq(conversation, seq);
	conversation->top = seq;
	return INBOX_NEXT;
}

void inbox_gone(struct inbox *inbox, uint64_t id)
{
	struct conversation *conversation = find(inbox, id);

	if (!conversation)
		return;
	if (conversation->last_seq == conversation->fetch_last_seq ||
	    !conversation->fetching)
		conversation->top = conversation->last_seq;
	conversation->fetching = false;
}

void inbox_each(const struct inbox *inbox,
                void (*visit)(void *context, uint64_t conversation,
                              uint64_t top),
                void *context)
{
	const struct conversation *conversation;

	for (conversation = inbox->conversations; conversation;
	     conversation = conversation->hh.next)
		visit(context, conversation->id, conversation->top);
}

void inbox_fetched(struct inbox *inbox, uint64_t id)
{
	struct conversation *conversation = find(inbox, id);

	if (conversation)
		conversation->fetching = false;
}
