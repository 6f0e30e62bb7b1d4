/*
 * order - the order of messages: at a socket, and in the conversation.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_ORDER_H
#define PARLEY_TESTS_LEDGER_JUDGE_ORDER_H

#include "tests/ledger/judge/ledger_state.h"

/* The message arrived on a socket for the first time. */
void order_arrived(struct ledger *ledger, struct ledger_device_id device,
                   uint32_t number);
/* A membership change arrived on a socket for the first time. */
void order_change_arrived(struct ledger *ledger, struct ledger_device_id device,
                          uint64_t conversation, const struct change *change);
/* At the end: the order of changes among all entries. */
void order_judge_changes(struct ledger *ledger);
/* The order in which messages were saved, at the end. */
void order_judge(struct ledger *ledger, const struct conversation_log *log);

#endif
