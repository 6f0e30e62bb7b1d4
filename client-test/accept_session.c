/*
 * The second part of the acceptance run: a new token for an open socket, and a
 * second session of a user, from its sign-in to its logout.
 */
#include "client-test/accept_run.h"
#include "common/base/json_write.h"

#include <stdio.h>
#include <string.h>

enum { BODY_LONGEST = 8192, TOKEN_LONGEST = 4096 };

struct session_test {
	struct accept_run *run;
	char token[TOKEN_LONGEST];
	char refresh_token[TOKEN_LONGEST];
	unsigned sessions;
	unsigned current;
};

/* --- a new token for the open socket ------------------------------------- */

static void renews(struct accept_run *run, struct accept_user *user)
{
	user->token_replaced = false;
	accept_begin(run);
	user_session_renew(user->session);
	event_loop_run(run->loop, &user->token_replaced, run->timeout_ms);
	accept_step(run, "the open socket of user 1 gets a new token",
	            user->token_replaced && user->online);
}

/* --- a second session ---------------------------------------------------- */

static bool keep(char *to, const struct json *json, const char *name)
{
	struct span text;

	if (!json_get_text(json, name, &text) || text.len >= TOKEN_LONGEST)
		return false;
	memcpy(to, text.data, text.len);
	to[text.len] = '\0';
	return true;
}

static void take_tokens(void *context, const struct rest_answer *answer)
{
	struct session_test *test = context;

	if (answer->status != ST_OK ||
	    !keep(test->token, answer->json, "token") ||
	    !keep(test->refresh_token, answer->json, "refresh_token"))
		*test->token = '\0';
}

static bool signs_in(struct session_test *test)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);

	json_open(&w);
	json_text(&w, "name", span_of(test->run->one.name));
	json_text(&w, "password", SPAN(ACCEPT_PASSWORD));
	json_close(&w);
	return accept_ask_with(test->run, SPAN_NONE, "POST", "/auth/login",
	                       buf_span(&body), take_tokens, test) == ST_OK &&
	       *test->token;
}

static enum status refreshes(struct session_test *test,
                             const char *refresh_token)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);

	json_open(&w);
	json_text(&w, "refresh_token", span_of(refresh_token));
	json_close(&w);
	return accept_ask_with(test->run, SPAN_NONE, "POST", "/auth/refresh",
	                       buf_span(&body), take_tokens, test);
}

static enum status looks_up(struct session_test *test)
{
	return accept_ask_with(test->run, span_of(test->token), "GET",
	                       "/auth/getIdByToken", SPAN_NONE, NULL, NULL);
}

static void take_sessions(void *context, const struct rest_answer *answer)
{
	struct session_test *test = context;
	const struct json *item;
	bool current;

	test->sessions = 0;
	test->current = 0;
	for (unsigned i = 0;
	     answer->status == ST_OK &&
	     (item = json_get_item(answer->json, "sessions", i));
	     i++) {
		test->sessions++;
		test->current +=
			json_get_bool(item, "current", &current) && current;
	}
}

static bool has_sessions(struct session_test *test, unsigned count)
{
	return accept_ask(test->run, &test->run->one, "GET", "/auth/sessions",
	                  SPAN_NONE, take_sessions, test) == ST_OK &&
	       test->sessions == count && test->current == 1;
}

static void refresh(struct session_test *test)
{
	char first[TOKEN_LONGEST], successor[TOKEN_LONGEST];

	memcpy(first, test->refresh_token, sizeof(first));
	accept_step(test->run, "it refreshes its tokens",
	            refreshes(test, first) == ST_OK && *test->token &&
	                    strcmp(first, test->refresh_token) != 0 &&
	                    looks_up(test) == ST_OK);
	memcpy(successor, test->refresh_token, sizeof(successor));
	accept_step(test->run,
	            "the same refresh token again has the same successor",
	            refreshes(test, first) == ST_OK && *test->token &&
	                    !strcmp(successor, test->refresh_token));
	accept_step(test->run, "user 1 has two devices", has_sessions(test, 2));
}

static void log_out(struct session_test *test)
{
	struct accept_run *run = test->run;

	accept_step(run, "it logs out",
	            accept_ask_with(run, span_of(test->token), "POST",
	                            "/auth/logout", SPAN_NONE, NULL,
	                            NULL) == ST_OK);
	accept_step(run, "its tokens are refused",
	            looks_up(test) == ST_DENIED &&
	                    refreshes(test, test->refresh_token) == ST_DENIED);
	accept_step(run, "the other device of user 1 stays online",
	            has_sessions(test, 1) && run->one.online);
}

void accept_sessions(struct accept_run *run)
{
	struct session_test test = {.run = run};

	renews(run, &run->one);
	accept_begin(run);
	if (!accept_step(run, "user 1 signs in on a second device",
	                 signs_in(&test)))
		return;
	refresh(&test);
	log_out(&test);
}
