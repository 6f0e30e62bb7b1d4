/*
 * account - a user's session: its access token, and how to renew it.
 *
 * With a name and a password: signing in registers the name if it is free and
 * logs in if it is taken. After the first success it refreshes the tokens, and
 * logs in when the server does not accept the refresh token any more.
 *
 * With a session file: it takes the token of the file, or refreshes it. Several
 * processes may share the file.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_ACCOUNT_H
#define PARLEY_CLIENT_TEST_CLIENT_ACCOUNT_H

#include "client-test/client/rest.h"
#include "client-test/client/session_file.h"

struct account;
struct uv_loop_s;

/*
 * ST_OK; ST_DENIED: wrong password, or the session has ended; ST_INVALID: the
 * server does not accept the name or the password, or the session file cannot
 * be used; ST_BUSY, ST_UNAVAILABLE: try again later. `why` is the reason, for a
 * person.
 */
typedef void account_done(void *context, enum status status, struct span why);

struct account *account_create(struct rest *rest, const char *name,
                               const char *password, account_done *done,
                               void *context);
/* `file` must outlive the account. The loop must run once more at the end. */
struct account *account_create_saved(struct uv_loop_s *loop, struct rest *rest,
                                     struct session_file *file,
                                     account_done *done, void *context);
void account_destroy(struct account **account);

/*
 * Starts to sign in, or to renew the token; calls `done` later, once. One
 * sign-in at a time.
 */
void account_sign_in(struct account *account);
/* Valid after ST_OK. */
uint64_t account_user(const struct account *account);
struct span account_token(const struct account *account);
/* Its url and refresh_token may be NULL. */
const struct saved_session *account_session(const struct account *account);
/*
 * When a client that knows that its token ends soon shall renew it: 0, or, for
 * a token that is younger than half of its life, when it will be that old.
 */
uint64_t account_renew_wait_ms(const struct account *account);

#endif
