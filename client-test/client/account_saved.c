#include "client-test/client/account_private.h"
#include "client-test/client/loop_timer.h"
#include "common/base/mem.h"

#include <errno.h>
#include <stdio.h>

enum { LOCK_WAIT_MS = 50, WHY_MAX = 512 };

#define ENDED "the session has ended; sign in with the login command"

static void finish(struct account *account, enum status status, const char *why)
{
	session_file_unlock(account->file);
	account->done(account->context, status, span_of(why));
}

/* The file cannot be used: errno says why. */
static void fail(struct account *account)
{
	char why[WHY_MAX];

	(void)snprintf(why, sizeof(why), "%s: %s",
	               session_file_path(account->file), strerror(errno));
	finish(account, ST_INVALID, why);
}

static void refreshed(void *context, const struct rest_answer *answer)
{
	struct account *account = context;
	char why[WHY_MAX];

	if (answer->status == ST_OK && account_take(account, answer)) {
		if (session_file_write(account->file, &account->session) !=
		    ST_OK)
			fail(account);
		else
			finish(account, ST_OK, "");
	} else if (answer->status == ST_DENIED) {
		if (session_file_remove(account->file) != ST_OK)
			fail(account);
		else
			finish(account, ST_DENIED, ENDED);
	} else {
		(void)snprintf(why, sizeof(why), "%.*s", (int)answer->why.len,
		               answer->why.len ? answer->why.data : "");
		finish(account,
		       answer->status == ST_OK ? ST_UNAVAILABLE
		                               : answer->status,
		       why);
	}
}

/* Whether the file has a token that another process has got meanwhile. */
static bool has_better(const struct account *account,
                       const struct saved_session *saved)
{
	const char *token = account->session.token;

	return account_session_fresh(saved) &&
	       (!token || strcmp(saved->token, token) != 0);
}

static void use(struct account *account, struct saved_session *saved)
{
	bool better = has_better(account, saved);

	saved_session_free(&account->session);
	account->session = *saved;
	*saved = (struct saved_session){0};
	if (better)
		finish(account, ST_OK, "");
	else
		account_refresh(account, account->session.refresh_token,
		                refreshed);
}

static void read_file(struct account *account)
{
	struct saved_session saved CLEANUP(saved_session_free) = {0};
	const struct saved_session *own = &account->session;
	enum status st = session_file_read(account->file, &saved);
	char why[WHY_MAX];

	if (st == ST_UNAVAILABLE) {
		fail(account);
	} else if (st == ST_INVALID) {
		(void)snprintf(why, sizeof(why), "%s is damaged",
		               session_file_path(account->file));
		finish(account, ST_INVALID, why);
	} else if (st != ST_OK) {
		finish(account, ST_DENIED, ENDED);
	} else if (own->user && (own->user != saved.user ||
	                         strcmp(own->url, saved.url) != 0)) {
		finish(account, ST_DENIED,
		       "another user has signed in meanwhile");
	} else {
		use(account, &saved);
	}
}

static void take_turn(void *context)
{
	struct account *account = context;
	enum status st = session_file_lock(account->file);

	if (st == ST_BUSY)
		loop_timer_start(account->turn, LOCK_WAIT_MS);
	else if (st != ST_OK)
		fail(account);
	else
		read_file(account);
}

void account_saved_sign_in(struct account *account)
{
	loop_timer_start(account->turn, 0);
}

struct account *account_create_saved(struct uv_loop_s *loop, struct rest *rest,
                                     struct session_file *file,
                                     account_done *done, void *context)
{
	struct account *account = mem_new(sizeof(*account));

	account->rest = rest;
	account->session.token = mem_text("", 0);
	account->file = file;
	account->turn = loop_timer_create(loop, take_turn, account);
	account->done = done;
	account->context = context;
	return account;
}
