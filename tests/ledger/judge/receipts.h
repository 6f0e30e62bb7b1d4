/*
 * receipts - the receipts sent, received and stored.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_RECEIPTS_H
#define PARLEY_TESTS_LEDGER_JUDGE_RECEIPTS_H

#include "common/base/span.h"
#include "tests/ledger/judge/ledger_types.h"

struct conversation_log;
struct received_receipt;

/* A device sent receipts; `last`: they must have arrived at the end. */
void receipts_sent(struct ledger *ledger, struct ledger_device_id device,
                   uint64_t conversation, uint64_t delivered, uint64_t read,
                   bool last, uint64_t now_us);
/* A `receipt` frame about a user, given by id. */
void receipts_received(struct ledger *ledger, struct ledger_device_id device,
                       uint64_t conversation, uint64_t user, uint64_t delivered,
                       uint64_t read);
/* A receipt was refused: allowed for a user whose memberships changed. */
void receipts_refused(struct ledger *ledger, struct ledger_device_id device,
                      struct span code);
/* The stored receipt of a member, from a list of members or conversations. */
void receipts_stored(struct ledger *ledger, uint64_t conversation,
                     uint64_t user, uint64_t delivered, uint64_t read);
/* The number of unread entries in a user's list of conversations. */
void receipts_unread(struct ledger *ledger, unsigned user,
                     uint64_t conversation, uint64_t read, uint64_t last_seq,
                     uint64_t unread);

/* --- for the judge only -------------------------------------------------- */
/* The receipts of the member `subject` that arrived on this device. */
struct received_receipt *
receipts_received_of(struct ledger *ledger, const struct conversation_log *log,
                     struct ledger_device_id device, unsigned subject);
void receipts_judge(struct ledger *ledger, const struct conversation_log *log);

#endif
