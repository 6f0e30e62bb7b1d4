/*
 * commands - the commands of client-test, except chat; main.c lists them.
 */
#ifndef PARLEY_CLIENT_TEST_COMMANDS_H
#define PARLEY_CLIENT_TEST_COMMANDS_H

#include "client-test/cli/command.h"

extern const struct command accept_command;
extern const struct command listen_command;
extern const struct command send_command;
extern const struct command group_command;
extern const struct command channel_command;
extern const struct command history_command;
extern const struct command login_command;
extern const struct command logout_command;
extern const struct command devices_command;
extern const struct command profile_command;
extern const struct command phone_command;

#endif
