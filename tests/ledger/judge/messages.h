/*
 * messages - the messages that are sent.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_MESSAGES_H
#define PARLEY_TESTS_LEDGER_JUDGE_MESSAGES_H

#include "common/base/buf.h"
#include "common/base/uuid.h"
#include "tests/ledger/judge/ledger_types.h"

/* Adds a message to a user and returns its number. */
uint32_t messages_write(struct ledger *ledger, struct ledger_device_id from,
                        unsigned to, uint64_t due_us);
uint32_t messages_write_to_room(struct ledger *ledger,
                                struct ledger_device_id from, unsigned room,
                                uint64_t due_us);
/* Adds a message of this sender to the conversation of another message. */
uint32_t messages_write_after(struct ledger *ledger, uint32_t number,
                              struct ledger_device_id from, uint64_t due_us);
/* The conversation of two users; 0: it is not known yet. */
uint64_t messages_conversation(const struct ledger *ledger, unsigned one,
                               unsigned two);
uint32_t messages_count(const struct ledger *ledger);
struct ledger_message_state messages_get(const struct ledger *ledger,
                                         uint32_t number);
/* Appends the frame that sends the message. */
void messages_frame(const struct ledger *ledger, uint32_t number,
                    struct buf *out);
void messages_sent(struct ledger *ledger, uint32_t number, uint64_t now_us);
/* A retryable error arrived: the message may be saved now or never. */
void messages_to_repeat(struct ledger *ledger, uint32_t number);
/* The number of a uuid. If it is not of this run: false, and a phantom. */
bool messages_find(struct ledger *ledger, struct ledger_device_id device,
                   const struct uuid *uuid, uint32_t *ret_number);
/* The same, without recording a fault. */
bool messages_number(const struct ledger *ledger, const struct uuid *uuid,
                     uint32_t *ret_number);
/*
 * Every message written so far had time to arrive. If a device whose socket
 * stayed connected reads one of them over REST from now on, its live frame was
 * lost, and only later messages revealed the gap.
 */
void messages_close(struct ledger *ledger, uint64_t now_us);

#endif
