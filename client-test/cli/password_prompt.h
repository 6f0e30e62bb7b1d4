/*
 * password_prompt - a password from the terminal, which does not show it, or
 * from the first line of stdin.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_PASSWORD_PROMPT_H
#define PARLEY_CLIENT_TEST_CLI_PASSWORD_PROMPT_H

#include "common/base/buf.h"
#include "common/base/scope.h"

#include <stdbool.h>

/*
 * Appends the password, without its line break, to `ret_password`, whose bound
 * it keeps. False: the input has ended, is too long, or a signal arrived.
 */
MUST_CHECK bool password_prompt(const char *prompt, struct buf *ret_password);

#endif
