/*
 * account_private - what the files of the account module share.
 *
 * account.c        sign-in by name and password
 * account_saved.c  the session of a file
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_ACCOUNT_PRIVATE_H
#define PARLEY_CLIENT_TEST_CLIENT_ACCOUNT_PRIVATE_H

#include "client-test/client/account.h"

struct loop_timer;

struct account {
	struct rest *rest;
	char *name, *password; /* NULL: the session of `file` */
	struct saved_session session;
	account_done *done;
	void *context;
	struct session_file *file; /* NULL: none */
	struct loop_timer *turn;   /* with a file: asks for the lock */
};

/* Posts the refresh token. */
void account_refresh(struct account *account, const char *refresh_token,
                     rest_done *done);
/* Takes the tokens of an answer with ST_OK; false: it has none. */
bool account_take(struct account *account, const struct rest_answer *answer);
/* Calls `done` with the outcome of an answer, whose tokens it takes. */
void account_finish(struct account *account, const struct rest_answer *answer);

/* Whether less than half of the token's life is over. */
bool account_session_fresh(const struct saved_session *session);

void account_saved_sign_in(struct account *account);

#endif
