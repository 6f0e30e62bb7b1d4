/*
 * message_text - the uuid and text of a message or edit, derived from the run
 * and its number.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_MESSAGE_TEXT_H
#define PARLEY_TESTS_LEDGER_JUDGE_MESSAGE_TEXT_H

#include "tests/ledger/judge/ledger_state.h"

struct uuid message_text_uuid(const struct ledger *ledger, uint32_t number);
/* The number in a uuid, if it is of this run. */
uint32_t message_text_number(const struct uuid *uuid);
struct uuid message_text_edit_uuid(const struct ledger *ledger,
                                   uint32_t number);
void message_text_write(const struct ledger *ledger, uint32_t number,
                        struct buf *out);
/* The text that an edit sets. */
void message_text_write_edit(const struct ledger *ledger, uint32_t number,
                             struct buf *out);
struct span message_text_reaction(unsigned reaction);

#endif
