/*
 * rest_session - a signed-in user who makes REST calls one after the other and
 * waits for each. For commands that call, print and end.
 *
 * A token that is no longer accepted is renewed.
 *
 * Errors     are printed on stderr here, and the exit code becomes EXIT_FAILED.
 *            When a function returns false, the command ends.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_REST_SESSION_H
#define PARLEY_CLIENT_TEST_CLI_REST_SESSION_H

#include "client-test/cli/options.h"
#include "client-test/client/conversation_finder.h"
#include "client-test/client/rest.h"

struct event_loop;
struct rest_session;
struct saved_session;

/* Signs in; NULL if that fails: EXIT_FAILED. */
struct rest_session *rest_session_create(const struct account_options *options);
/* Returns the exit code. */
int rest_session_destroy(struct rest_session **session);
/*
 * What a command does as the user; false when it failed. Signs in before and
 * returns the exit code.
 */
typedef bool rest_session_work(struct rest_session *session,
                               const void *context);
int rest_session_run(const struct account_options *options,
                     rest_session_work *work, const void *context);
/* Prints "client-test: …" and makes the exit code EXIT_FAILED. */
void rest_session_fail(struct rest_session *session, const char *format, ...)
	PRINTF(2, 3);

/* Its url is NULL unless it comes from a session file. */
const struct saved_session *
rest_session_tokens(const struct rest_session *session);
struct event_loop *rest_session_loop(struct rest_session *session);
uint64_t rest_session_user(const struct rest_session *session);
/*
 * Makes a call; `body` may be empty. Retries for a while when the server is
 * unavailable or busy. `take` gets an ST_OK answer and may be NULL. Any other
 * answer is printed as the failure of `what`.
 */
bool rest_session_call(struct rest_session *session, const char *what,
                       const char *method, const char *path, struct span body,
                       rest_done *take, void *context);
/* The id of the user with this name. */
bool rest_session_find_user(struct rest_session *session, const char *name,
                            uint64_t *ret_user);
/* A user's name, or "#17" if it is unknown. Valid as long as the session. */
const char *rest_session_user_name(struct rest_session *session, uint64_t user);
/* A conversation of the user; its texts are valid until the next lookup. */
bool rest_session_find_conversation(struct rest_session *session,
                                    const char *in,
                                    struct conversation_info *ret_info);
/* The direct conversation with the user of this name. */
bool rest_session_find_direct(struct rest_session *session, const char *name,
                              struct conversation_info *ret_info);

#endif
