/*
 * account - a name and a password, and the session that they give.
 *
 * Signing in registers the name when it is free and logs in when it is taken;
 * once this account was signed in, only log-in is tried.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_ACCOUNT_H
#define PARLEY_CLIENT_TEST_CLIENT_ACCOUNT_H

#include "client-test/client/rest.h"

struct account;

/*
 * ST_OK; ST_DENIED wrong password; ST_INVALID a name or password that is not
 * taken; ST_BUSY, ST_UNAVAILABLE try again later. `why` has words.
 */
typedef void account_done(void *context, enum status status, struct span why);

struct account *account_create(struct rest *rest, const char *name,
                               const char *password, account_done *done,
                               void *context);
void account_destroy(struct account **account);

/* Starts; `done` is called later, once. One at a time. */
void account_sign_in(struct account *account);
/* After ST_OK: */
uint64_t account_user(const struct account *account);
struct span account_token(const struct account *account);

#endif
