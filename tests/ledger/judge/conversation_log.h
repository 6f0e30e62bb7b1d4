/*
 * conversation_log - the known state of each conversation: its users, the entry
 * at each seq, the highest seq of each device and of each receipt.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_CONVERSATION_LOG_H
#define PARLEY_TESTS_LEDGER_JUDGE_CONVERSATION_LOG_H

#include "tests/ledger/judge/ledger_state.h"

/* NULL: nothing is known of the conversation. */
struct conversation_log *conversation_log_find(struct ledger *ledger,
                                               uint64_t id);
/* The conversation of two users; 0: it is not known yet. */
uint64_t conversation_log_of_pair(const struct ledger *ledger, unsigned one,
                                  unsigned two);
/* Creates the log if needed, for the users of the message. */
struct conversation_log *conversation_log_get_direct(struct ledger *ledger,
                                                     uint64_t id,
                                                     const struct entry *entry);
struct conversation_log *conversation_log_get_room(struct ledger *ledger,
                                                   struct room *room);
/* Iterates over all logs, from NULL to NULL. */
struct conversation_log *conversation_log_next(struct ledger *ledger,
                                               struct conversation_log *log);
/* The entry at a seq (by_seq), 0 if it is unknown. */
uint32_t *conversation_log_slot(struct conversation_log *log, uint32_t seq);
/* The number of positions, and the user at a position. */
unsigned conversation_log_positions(const struct conversation_log *log);
unsigned conversation_log_user(const struct conversation_log *log,
                               unsigned position);
/* The position of a user; -1: none. */
int conversation_log_position(const struct conversation_log *log,
                              unsigned user);
int conversation_log_position_of_id(const struct ledger *ledger,
                                    const struct conversation_log *log,
                                    uint64_t id);
/* That of the current session. NULL: the user has no position. */
struct live_seq *conversation_log_live_seq(struct ledger *ledger,
                                           struct conversation_log *log,
                                           struct ledger_device_id device);
void conversation_log_free_all(struct ledger *ledger);

#endif
