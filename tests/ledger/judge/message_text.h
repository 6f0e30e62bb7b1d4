/*
 * message_text - a message's uuid and text, derived from the run and the
 * message's number.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_MESSAGE_TEXT_H
#define PARLEY_TESTS_LEDGER_JUDGE_MESSAGE_TEXT_H

#include "tests/ledger/judge/ledger_state.h"

struct uuid message_text_uuid(const struct ledger *ledger, uint32_t number);
/* The number in a uuid, if it is of this run. */
uint32_t message_text_number(const struct uuid *uuid);
void message_text_write(const struct ledger *ledger, uint32_t number,
                        struct buf *out);

#endif
