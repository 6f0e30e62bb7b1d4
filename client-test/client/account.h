/*
 * account - a name and a password, and the login session they give.
 *
 * Signing in registers the name if it is free and logs in if it is taken. After
 * the first success it only logs in.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_ACCOUNT_H
#define PARLEY_CLIENT_TEST_CLIENT_ACCOUNT_H

#include "client-test/client/rest.h"

struct account;

/*
 * ST_OK; ST_DENIED: wrong password; ST_INVALID: the server does not accept the
 * name or the password; ST_BUSY, ST_UNAVAILABLE: try again later. `why` is the
 * reason, for a person.
 */
typedef void account_done(void *context, enum status status, struct span why);

struct account *account_create(struct rest *rest, const char *name,
                               const char *password, account_done *done,
                               void *context);
void account_destroy(struct account **account);

/* Starts to sign in; calls `done` later, once. One sign-in at a time. */
void account_sign_in(struct account *account);
/* Valid after ST_OK. */
uint64_t account_user(const struct account *account);
struct span account_token(const struct account *account);

#endif
