/*
 * guess_window - the failures of one subject within a sliding window, and how
 * long it has to wait past a limit.
 *
 * The window has GUESS_SLOTS slots; a failure leaves it at most one slot late.
 * Past the limit an attempt is refused, with a wait of 1 s that doubles with
 * each refusal. After a wait, one more attempt is let through; if it fails, the
 * next one is refused again.
 *
 * Times are unix milliseconds of one clock.
 */
#ifndef PARLEY_IDENTITY_GUESS_GUESS_WINDOW_H
#define PARLEY_IDENTITY_GUESS_GUESS_WINDOW_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	GUESS_SLOTS = 32,
	GUESS_WINDOW_BYTES = 8 + 8 + 8 + 4 + 4 * GUESS_SLOTS,
};

struct guess_rule {
	uint64_t max;        /* failures */
	uint64_t window_s;   /* within */
	uint64_t wait_max_s; /* of Retry-After */
};

struct guess_window {
	uint64_t slot_ms;
	uint64_t newest;     /* number of the newest slot, from 1970 on */
	uint64_t free_at_ms; /* end of the wait; UINT64_MAX: refuse once more */
	uint32_t refusals;
	uint32_t counts[GUESS_SLOTS]; /* of slot n: at n % GUESS_SLOTS */
};

/* Bytes of another form, or for another window: a window without failures. */
void guess_window_read(struct span bytes, const struct guess_rule *rule,
                       struct guess_window *ret_window);
void guess_window_write(const struct guess_window *window, struct buf *bytes);

/*
 * True: the attempt counts as a failure in slot *ret_slot, until
 * guess_window_undo(). False: it is refused, and *ret_wait_s is at least 1.
 */
MUST_CHECK bool guess_window_try(struct guess_window *window,
                                 const struct guess_rule *rule, uint64_t now_ms,
                                 uint64_t *ret_slot, uint64_t *ret_wait_s);
/*
 * The same for events that are no guesses: past the limit none is let through,
 * and *ret_wait_s is the time until the next one may be.
 */
MUST_CHECK bool guess_window_count(struct guess_window *window,
                                   const struct guess_rule *rule,
                                   uint64_t now_ms, uint64_t *ret_wait_s);
/* Events that are too old leave the window. */
void guess_window_advance(struct guess_window *window, uint64_t now_ms);
void guess_window_undo(struct guess_window *window, uint64_t slot);
uint64_t guess_window_failures(const struct guess_window *window);
/* When the window can be forgotten. */
uint64_t guess_window_end_ms(const struct guess_window *window);

#endif
