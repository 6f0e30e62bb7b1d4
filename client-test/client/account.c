#include "client-test/client/account_private.h"
#include "client-test/client/loop_timer.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"

enum { REFRESH_BODY_MAX = 8192 };

struct account *account_create(struct rest *rest, const char *name,
                               const char *password, account_done *done,
                               void *context)
{
	struct account *account = mem_new(sizeof(*account));

	account->rest = rest;
	account->name = mem_text(name, strlen(name));
	account->password = mem_text(password, strlen(password));
	account->session.token = mem_text("", 0);
	account->done = done;
	account->context = context;
	return account;
}

void account_destroy(struct account **account_at)
{
	struct account *account = MOVE(*account_at);

	if (!account)
		return;
	if (account->password)
		mem_wipe(account->password, strlen(account->password));
	mem_free(&account->name);
	mem_free(&account->password);
	saved_session_free(&account->session);
	if (account->file) {
		session_file_unlock(account->file);
		loop_timer_destroy(&account->turn);
	}
	mem_free(&account);
}

/* --- tokens -------------------------------------------------------------- */

static void replace(char **text, struct span by)
{
	mem_free(text);
	*text = mem_text(by.data, by.len);
}

bool account_take(struct account *account, const struct rest_answer *answer)
{
	const struct json *user = json_get_object(answer->json, "user");
	struct saved_session *session = &account->session;
	struct span token, refresh_token, name;
	uint64_t id, life_s = 0;

	if (!user || !json_get_id(user, "id", &id) ||
	    !json_get_text(user, "name", &name) ||
	    !json_get_text(answer->json, "token", &token) || token.len == 0)
		return false;
	session->user = id;
	replace(&session->name, name);
	replace(&session->token, token);
	if (json_get_text(answer->json, "refresh_token", &refresh_token))
		replace(&session->refresh_token, refresh_token);
	(void)json_get_id(answer->json, "expires_in", &life_s);
	session->refreshed_at_ms = clock_unix_ms();
	session->expires_at_ms = session->refreshed_at_ms + life_s * 1000;
	return true;
}

void account_finish(struct account *account, const struct rest_answer *answer)
{
	if (answer->status != ST_OK)
		account->done(account->context, answer->status, answer->why);
	else if (!account_take(account, answer))
		account->done(account->context, ST_UNAVAILABLE,
		              SPAN("the answer has no token or no user"));
	else
		account->done(account->context, ST_OK, SPAN_NONE);
}

void account_refresh(struct account *account, const char *refresh_token,
                     rest_done *done)
{
	struct buf body CLEANUP(buf_free) = BUF(REFRESH_BODY_MAX);
	struct json_writer w = json_writer(&body);

	json_open(&w);
	json_text(&w, "refresh_token", span_of(refresh_token));
	json_close(&w);
	rest_call(account->rest, SPAN_NONE, "POST", "/auth/refresh",
	          buf_span(&body), done, account);
}

/* The age of the token; 0 if the clock was set back. */
static uint64_t age_ms(const struct saved_session *session)
{
	uint64_t now_ms = clock_unix_ms();

	return now_ms > session->refreshed_at_ms
	               ? now_ms - session->refreshed_at_ms
	               : 0;
}

static uint64_t half_life_ms(const struct saved_session *session)
{
	return session->expires_at_ms > session->refreshed_at_ms
	               ? (session->expires_at_ms - session->refreshed_at_ms) / 2
	               : 0;
}

bool account_session_fresh(const struct saved_session *session)
{
	return age_ms(session) < half_life_ms(session);
}

uint64_t account_renew_wait_ms(const struct account *account)
{
	const struct saved_session *session = &account->session;

	return account_session_fresh(session)
	               ? half_life_ms(session) - age_ms(session)
	               : 0;
}

/* --- name and password --------------------------------------------------- */

static void logged_in(void *context, const struct rest_answer *answer)
{
	account_finish(context, answer);
}

static void log_in(struct account *account)
{
	rest_post_credentials(account->rest, "/auth/login", account->name,
	                      account->password, logged_in, account);
}

static void registered(void *context, const struct rest_answer *answer)
{
	struct account *account = context;

	if (answer->status == ST_CONFLICT) {
		log_in(account);
		return;
	}
	account_finish(account, answer);
}

/* A session that has ended is replaced by a new one. */
static void refreshed(void *context, const struct rest_answer *answer)
{
	struct account *account = context;

	if (answer->status == ST_DENIED || answer->status == ST_NOT_FOUND ||
	    answer->status == ST_INVALID) {
		mem_free(&account->session.refresh_token);
		log_in(account);
		return;
	}
	account_finish(account, answer);
}

void account_sign_in(struct account *account)
{
	if (account->file)
		account_saved_sign_in(account);
	else if (account->session.refresh_token)
		account_refresh(account, account->session.refresh_token,
		                refreshed);
	else if (account->session.user)
		log_in(account);
	else
		rest_post_credentials(account->rest, "/auth/register",
		                      account->name, account->password,
		                      registered, account);
}

uint64_t account_user(const struct account *account)
{
	return account->session.user;
}

struct span account_token(const struct account *account)
{
	return span_of(account->session.token);
}

const struct saved_session *account_session(const struct account *account)
{
	return &account->session;
}
