/*
 * observations - compares each arriving answer or message with what was sent.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_OBSERVATIONS_H
#define PARLEY_TESTS_LEDGER_JUDGE_OBSERVATIONS_H

#include "client-test/client/message.h"
#include "tests/ledger/judge/ledger_types.h"

void observations_accepted(struct ledger *ledger,
                           struct ledger_device_id device, uint32_t number,
                           uint64_t now_us);
void observations_saved(struct ledger *ledger, struct ledger_device_id device,
                        uint32_t number, uint64_t conversation, uint64_t seq,
                        uint64_t now_us);
/* A message or membership change: live on the socket, or read over REST. */
void observations_received(struct ledger *ledger,
                           struct ledger_device_id device,
                           const struct message *message, bool live);
/* A frame or an answer that cannot be decoded. */
void observations_unreadable(struct ledger *ledger,
                             struct ledger_device_id device, struct span text);

/* --- for the judge only -------------------------------------------------- */
/* False: an answer arrived at a user who did not send the message: a fault. */
bool observations_to_sender(struct ledger *ledger,
                            struct ledger_device_id device, uint32_t number,
                            const char *what);
/*
 * Checks the uuid, users, text and seq of a message. False: the message is not
 * of this run or not for this user, and the fault is recorded.
 */
bool observations_check(struct ledger *ledger, struct ledger_device_id device,
                        const struct message *message, uint32_t *ret_number);

#endif
