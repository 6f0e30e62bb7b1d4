/*
 * inbox - what was seen of each conversation: nothing is shown twice, nothing
 * is left out.
 *
 * Each conversation has a `top`, the highest seq up to which all was shown, and
 * the highest seq that was heard of. As long as they differ something is
 * missing, and is fetched after `top`.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_INBOX_H
#define PARLEY_CLIENT_TEST_CLIENT_INBOX_H

#include <stdbool.h>
#include <stdint.h>

struct inbox;

enum inbox_verdict {
	INBOX_NEXT, /* show it: `top` is now its seq */
	INBOX_SEEN, /* drop it */
	INBOX_GAP,  /* drop it: it comes with what is fetched before it */
};

struct inbox *inbox_create(void);
void inbox_destroy(struct inbox **inbox);

/*
 * An entry is here, message or change of members. A conversation not known yet
 * begins at seq 1.
 */
enum inbox_verdict inbox_take(struct inbox *inbox, uint64_t conversation,
                              uint64_t seq);
/*
 * A list says how far the conversation goes. One not known yet begins so that
 * its last `history` messages are missing.
 */
void inbox_heard(struct inbox *inbox, uint64_t conversation, uint64_t last_seq,
                 uint64_t history);
/*
 * A conversation that misses something and is not being fetched; from now on
 * it is. False when there is none.
 */
bool inbox_fetch(struct inbox *inbox, uint64_t *ret_conversation,
                 uint64_t *ret_after);
/*
 * An entry of a page that was read behind `top`, in the page's order. What the
 * page leaves out before it is not for us: who comes in later does not see what
 * was said before.
 */
enum inbox_verdict inbox_take_page(struct inbox *inbox, uint64_t conversation,
                                   uint64_t seq);
/* Its fetch is over: one page at most was taken, or it failed. */
void inbox_fetched(struct inbox *inbox, uint64_t conversation);
/*
 * The same, and there is no such conversation for us: nothing is missing, but
 * what was heard since the fetch began.
 */
void inbox_gone(struct inbox *inbox, uint64_t conversation);
/* Each conversation in turn, and up to where all of it was shown. */
void inbox_each(const struct inbox *inbox,
                void (*visit)(void *context, uint64_t conversation,
                              uint64_t top),
                void *context);
/* Up to where all was shown; 0 for one that is not known. */
uint64_t inbox_top(const struct inbox *inbox, uint64_t conversation);

#endif
