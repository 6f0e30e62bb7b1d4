/*
 * command - runs one command of a program: reads its options, prints its
 * --help, reports wrong arguments.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_COMMAND_H
#define PARLEY_CLIENT_TEST_CLI_COMMAND_H

#include "client-test/cli/options.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 100 };

/*
 * Runs the command with the arguments that follow its name. `called` is what
 * the user typed to call it ("client-test send", "ledger"): usage errors
 * begin with it. Returns the exit code, which is not EXIT_DONE if stdout could
 * not be written.
 */
int command_run(const struct command *command, const char *called, int argc,
                char **argv);

#endif
