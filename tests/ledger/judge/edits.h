/*
 * edits - edits, deletes and reactions of messages: what is sent, answered and
 * received. An accepted edit takes one revision of its conversation, once; a
 * refused one takes none.
 *
 * An edit is a number, from 0, like a message.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_EDITS_H
#define PARLEY_TESTS_LEDGER_JUDGE_EDITS_H

#include "client-test/client/message.h"
#include "tests/ledger/judge/ledger_types.h"

struct conversation_log;
struct edit;

struct ledger_edit {
	enum ledger_edit_kind kind;
	struct ledger_device_id from;
	uint32_t target;   /* a message that is known to be saved */
	unsigned reaction; /* below LEDGER_REACTIONS; LEDGER_REACT only */
	bool remove;
};

uint32_t edits_write(struct ledger *ledger, const struct ledger_edit *edit);
uint32_t edits_count(const struct ledger *ledger);
/* Appends the frame that sends the edit. */
void edits_frame(const struct ledger *ledger, uint32_t number, struct buf *out);
void edits_sent(struct ledger *ledger, uint32_t number, uint64_t now_us);
bool edits_was_sent(const struct ledger *ledger, uint32_t number);
/* The number of a uuid, if it is an edit of this run. */
bool edits_number(const struct ledger *ledger, const struct uuid *uuid,
                  uint32_t *ret_number);

void edits_accepted(struct ledger *ledger, struct ledger_device_id device,
                    uint32_t number);
void edits_saved(struct ledger *ledger, struct ledger_device_id device,
                 uint32_t number, uint64_t conversation, uint64_t seq,
                 uint64_t revision);
void edits_refused(struct ledger *ledger, struct ledger_device_id device,
                   uint32_t number, struct span code);
/* A retryable error arrived. */
void edits_to_repeat(struct ledger *ledger, uint32_t number);
/* An `edit`, `delete` or `reaction` frame. */
void edits_received(struct ledger *ledger, struct ledger_device_id device,
                    const struct message_edit *frame, const struct uuid *uuid);

/*
 * The next edit from *number on that was accepted, and neither saved nor
 * refused as far as any socket saw; false past the last. Sets *number behind
 * it.
 */
bool edits_next_unseen(struct ledger *ledger, uint32_t *number,
                       struct ledger_edit *ret_edit);
/* The same for edits that are unseen, or that a connected socket misses. */
bool edits_next_missing(struct ledger *ledger, uint32_t *number,
                        struct ledger_edit *ret_edit);
/* The last message of a conversation that nobody deletes; false: none. */
bool edits_latest_target(struct ledger *ledger, uint64_t conversation,
                         uint32_t *ret_target);

/* The last revision of a conversation, from a list of conversations. */
void edits_listed(struct ledger *ledger, uint64_t conversation,
                  uint64_t revision);

/* --- for the judge only -------------------------------------------------- */
/* The first edit of a message, and each next one; NULL past the last. */
const struct edit *edits_first(const struct ledger *ledger, uint32_t target);
const struct edit *edits_next(const struct ledger *ledger,
                              const struct edit *edit);
/* In a direct conversation: the user who did not make the edit. */
unsigned edits_other_user(const struct ledger *ledger, const struct edit *edit);
void edits_judge(struct ledger *ledger);

#endif
