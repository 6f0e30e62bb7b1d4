/*
 * commands - what client-test can do; main.c has the table.
 */
#ifndef PARLEY_CLIENT_TEST_COMMANDS_H
#define PARLEY_CLIENT_TEST_COMMANDS_H

#include "client-test/options.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 100 };

extern const struct command accept_command;
extern const struct command listen_command;
extern const struct command send_command;
extern const struct command chat_command;
extern const struct command group_command;
extern const struct command channel_command;
extern const struct command history_command;
extern const struct command bench_command;
extern const struct command ledger_command;

#endif
