/*
 * inbox - how far each conversation was shown: no entry is shown twice, none is
 * left out.
 *
 * Each conversation has a `top` (everything up to this seq was shown) and the
 * highest seq known to exist. While they differ, entries are missing; they are
 * fetched after `top`.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_INBOX_H
#define PARLEY_CLIENT_TEST_CLIENT_INBOX_H

#include <stdbool.h>
#include <stdint.h>

struct inbox;

enum inbox_verdict {
	INBOX_NEXT, /* show it; `top` is now its seq */
	INBOX_SEEN, /* drop it: it was shown before */
	INBOX_GAP,  /* drop it: the fetch after `top` brings it again */
};

struct inbox *inbox_create(void);
void inbox_destroy(struct inbox **inbox);

/*
 * An entry arrived: a message or a membership change. A conversation that the
 * inbox does not know yet begins at seq 1.
 */
enum inbox_verdict inbox_take(struct inbox *inbox, uint64_t conversation,
                              uint64_t seq);
/*
 * A list of conversations states the last seq of this one. If the inbox does
 * not know the conversation yet, its last `history` entries are missing.
 */
void inbox_listed(struct inbox *inbox, uint64_t conversation, uint64_t last_seq,
                  uint64_t history);
/*
 * Picks a conversation that misses entries and is not being fetched, and marks
 * it as being fetched. False if there is none.
 */
bool inbox_fetch(struct inbox *inbox, uint64_t *ret_conversation,
                 uint64_t *ret_after);
/*
 * An entry of a page that was read after `top`, in the order of the page.
 * Entries that the page leaves out are not visible to this user: they were
 * written before the user joined.
 */
enum inbox_verdict inbox_take_page(struct inbox *inbox, uint64_t conversation,
                                   uint64_t seq);
/* The fetch of one page ended, with success or not. */
void inbox_fetched(struct inbox *inbox, uint64_t conversation);
/*
 * The fetch ended, and the user has no access to the conversation: nothing is
 * missing except what became known after the fetch began.
 */
void inbox_gone(struct inbox *inbox, uint64_t conversation);
/* Visits each conversation with its `top`. */
void inbox_each(const struct inbox *inbox,
                void (*visit)(void *context, uint64_t conversation,
                              uint64_t top),
                void *context);

#endif
