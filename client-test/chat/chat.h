/*
 * chat - the command that shows a conversation and sends the lines typed.
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_CHAT_H
#define PARLEY_CLIENT_TEST_CHAT_CHAT_H

#include "client-test/cli/command.h"

extern const struct command chat_command;

#endif
