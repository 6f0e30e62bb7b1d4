/*
 * The phone command: signs in with a code that is sent to a phone, or gives the
 * phone to the user who is signed in.
 */
#include "client-test/cli/account_choice.h"
#include "client-test/cli/event_loop.h"
#include "client-test/cli/password_prompt.h"
#include "client-test/cli/rest_session.h"
#include "client-test/commands.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	CALL_MS = 60000,
	LOCK_WAIT_MS = 50,
	BODY_MAX = 2048,
	CODE_MAX = 64,
	FAULT_MAX = 8192,
};

struct phone_options {
	struct account_options account;
	const char *code; /* empty: send one and ask for it */
};

static bool fail(const char *what, struct span why)
{
	(void)fprintf(stderr, "client-test phone: %s: %.*s\n", what,
	              (int)why.len, why.len ? why.data : "");
	return false;
}

/* --- calls without a token ------------------------------------------------ */
/* Not made again: a second code would take the place of the first. */
struct call {
	const char *what;
	bool answered, good;
	struct saved_session *session; /* takes what the answer has, or NULL */
};

static void take_text(const struct json *json, const char *name, char **ret)
{
	struct span text = SPAN("");

	(void)json_get_text(json, name, &text);
	*ret = mem_text(text.data, text.len);
}

static bool take_session(const struct json *json, struct saved_session *session)
{
	const struct json *user = json_get_object(json, "user");
	uint64_t life_s = 0;

	if (!user || !json_get_id(user, "id", &session->user) ||
	    !json_get_id(json, "expires_in", &life_s))
		return false;
	take_text(user, "name", &session->name);
	take_text(json, "token", &session->token);
	take_text(json, "refresh_token", &session->refresh_token);
	session->refreshed_at_ms = clock_unix_ms();
	session->expires_at_ms = session->refreshed_at_ms + life_s * 1000;
	return *session->token && *session->refresh_token;
}

static void answered(void *context, const struct rest_answer *answer)
{
	struct call *call = context;

	call->answered = true;
	if (answer->status != ST_OK)
		(void)fail(call->what, answer->why);
	else if (call->session && !take_session(answer->json, call->session))
		(void)fail(call->what, SPAN("the answer has no token"));
	else
		call->good = true;
}

static bool make_call(struct event_loop *loop, struct call *call,
                      const char *path, struct span body)
{
	rest_call(event_loop_rest(loop), SPAN_NONE, "POST", path, body,
	          answered, call);
	event_loop_run(loop, &call->answered, CALL_MS);
	if (!call->answered) {
		event_loop_cancel_calls(loop);
		return fail(call->what, SPAN("no answer"));
	}
	return call->good;
}

/* --- the code ------------------------------------------------------------- */
static void write_body(struct buf *body, const char *phone, const char *code,
                       const char *name)
{
	struct json_writer w = json_writer(body);

	json_open(&w);
	json_text(&w, "phone", span_of(phone));
	if (code)
		json_text(&w, "code", span_of(code));
	if (name && *name)
		json_text(&w, "name", span_of(name));
	json_close(&w);
}

/* Sends a code and asks for it, unless the user has one. */
static bool get_code(struct event_loop *loop,
                     const struct phone_options *options, struct buf *ret_code)
{
	struct call call = {.what = "start"};
	struct buf body CLEANUP(buf_free) = BUF(BODY_MAX);

	if (*options->code) {
		buf_append(ret_code, span_of(options->code));
		return true;
	}
	write_body(&body, options->account.options.words[1], NULL, NULL);
	if (!make_call(loop, &call, "/auth/phone/start", buf_span(&body)))
		return false;
	if (!password_prompt("Code: ", ret_code))
		return fail("code", SPAN("there is none on stdin"));
	return utf8_valid(buf_span(ret_code)) ||
	       fail("code", SPAN("this is no UTF-8"));
}

/* --- login ---------------------------------------------------------------- */
/* Waits for other processes that renew the session. */
static bool keep(struct event_loop *loop, struct session_file *file,
                 const struct saved_session *session)
{
	enum status st;

	while ((st = session_file_lock(file)) == ST_BUSY &&
	       !event_loop_ended(loop))
		event_loop_run(loop, NULL, LOCK_WAIT_MS);
	if (st == ST_OK)
		st = session_file_write(file, session);
	session_file_unlock(file);
	return st == ST_OK ||
	       fail(session_file_path(file), span_of(strerror(errno)));
}

static bool verify(struct event_loop *loop, const struct phone_options *options,
                   struct session_file *file)
{
	const struct account_options *account = &options->account;
	struct saved_session session CLEANUP(saved_session_free) = {
		.url = mem_text(account->url, strlen(account->url))};
	struct call call = {.what = "verify", .session = &session};
	struct buf body CLEANUP(buf_free) = BUF(BODY_MAX);
	struct buf code CLEANUP(buf_free) = BUF(CODE_MAX);

	if (!get_code(loop, options, &code))
		return false;
	write_body(&body, account->options.words[1], buf_text(&code),
	           account->name);
	if (!make_call(loop, &call, "/auth/phone/verify", buf_span(&body)) ||
	    !keep(loop, file, &session))
		return false;
	(void)printf("signed in as %s, user %llu, at %s; the session is in "
	             "%s\n",
	             session.name, (unsigned long long)session.user,
	             account->url, session_file_path(file));
	return true;
}

static int log_in(const struct phone_options *options)
{
	struct buf fault CLEANUP(buf_free) = BUF(FAULT_MAX);
	struct session_file *file CLEANUP(session_file_destroy) =
		account_choice_file(&fault);
	struct event_loop *loop;

	if (!file) {
		(void)fail("login", buf_span(&fault));
		return EXIT_USAGE;
	}
	loop = event_loop_create(options->account.url);
	event_loop_end(loop,
	               verify(loop, options, file) ? EXIT_DONE : EXIT_FAILED);
	event_loop_cancel_calls(loop);
	return event_loop_close(&loop);
}

/* --- attach --------------------------------------------------------------- */
static bool attach(struct rest_session *session, const void *context)
{
	const struct phone_options *options = context;
	const char *phone = options->account.options.words[1];
	struct buf body CLEANUP(buf_free) = BUF(BODY_MAX);
	struct buf code CLEANUP(buf_free) = BUF(CODE_MAX);

	if (!get_code(rest_session_loop(session), options, &code))
		return false;
	write_body(&body, phone, buf_text(&code), NULL);
	if (!rest_session_call(session, "phone", "POST", "/auth/phone",
	                       buf_span(&body), NULL, NULL))
		return false;
	(void)printf("%s is the phone of %s\n", phone, options->account.name);
	return true;
}

static int attach_saved(struct phone_options *options)
{
	struct buf fault CLEANUP(buf_free) = BUF(FAULT_MAX);
	int code;

	options->account.name = "";
	options->account.password = "";
	if (account_choice_make(&options->account, &fault) != ST_OK) {
		(void)fail("attach", buf_span(&fault));
		return EXIT_FAILED;
	}
	code = rest_session_run(&options->account, attach, options);
	account_choice_free(&options->account);
	return code;
}

/* --- the command ---------------------------------------------------------- */
static int phone_run(const void *context)
{
	struct phone_options options = *(const struct phone_options *)context;
	const struct options *given = &options.account.options;

	options.account.session = NULL;
	if (given->word_count == 2 && !strcmp(given->words[0], "login"))
		return log_in(&options);
	if (given->word_count == 2 && !strcmp(given->words[0], "attach"))
		return attach_saved(&options);
	(void)fprintf(stderr, "client-test phone %s\n", phone_command.words);
	return EXIT_USAGE;
}

static const struct option_row rows[] = {
	OPTION_TEXT(struct phone_options, account.url, "--url", "URL",
                    OPTION_URL_PRESET, "PARLEY_URL", "where Parley is"),
	OPTION_TEXT(struct phone_options, account.name, "--name", "NAME", "",
                    NULL, "login: the name of a new account"),
	OPTION_TEXT(struct phone_options, code, "--code", "CODE", "", NULL,
                    "one that you have; without it, one is sent, and the "
                    "terminal asks, or it is the first line of stdin"),
};

const struct command phone_command = {
	.name = "phone",
	.words = "login PHONE | attach PHONE",
	.purpose = "signs in by a code sent to a phone, or makes it yours",
	.exits = "0 if all was done; 1 if something was refused or failed, "
		 "with the reason on stderr; 128 + N after signal N; 100 for "
		 "wrong arguments.",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = 2,
	.options_size = sizeof(struct phone_options),
	.run = phone_run,
};
