/*
 * account_choice - the account of a command: --name with --password, or the
 * session that the login command keeps in $XDG_STATE_HOME/parley, by default
 * ~/.local/state/parley (XDG Base Directory Specification).
 */
#ifndef PARLEY_CLIENT_TEST_CLI_ACCOUNT_CHOICE_H
#define PARLEY_CLIENT_TEST_CLI_ACCOUNT_CHOICE_H

#include "client-test/cli/options.h"
#include "client-test/client/session_file.h"

/* The caller destroys it. NULL: `fault` says why there is no folder. */
struct session_file *account_choice_file(struct buf *fault);
/*
 * Without a password it fills url, name and session of the options from the
 * file. A --url that differs from the file's is a fault, because the tokens of
 * one server are no business of another. ST_INVALID: `fault` says what is
 * wrong; nothing is to be freed.
 */
MUST_CHECK enum status account_choice_make(struct account_options *options,
                                           struct buf *fault);
void account_choice_free(struct account_options *options);

#endif
