#include "client-test/cli/rest_session.h"
#include "client-test/cli/command.h"
#include "client-test/cli/event_loop.h"
#include "client-test/cli/terminal.h"
#include "client-test/client/account.h"
#include "common/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <uthash.h>

enum {
	TRIES = 20,
	AGAIN_MS = 500,
	CALL_MS = 60000,
	PATH_LONGEST = 2048,
	WORDS_MAX = 512,
};

struct named {
	uint64_t id;
	char *name;
	UT_hash_handle hh;
};

/* What an attempt asks for, kept for its retries. */
struct request {
	const char *method, *path;
	struct span body;
	rest_done *take;
	void *context;
	const char *in;
	uint64_t user;
	struct conversation_info *ret_info;
};

struct rest_session {
	struct event_loop *loop;
	struct account *account;
	struct conversation_finder *finder;
	struct named *names;
	bool failed;
	struct request request;
	bool answered; /* the attempt under way */
	enum status status;
	char why[WORDS_MAX];
	uint64_t found_user;
	char *found_name;
	char kind[16]; /* the texts of request.ret_info */
	char title[WORDS_MAX];
};

void rest_session_fail(struct rest_session *session, const char *format, ...)
{
	char words[WORDS_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, "client-test: %s\n", words);
	session->failed = true;
}

static void note(struct rest_session *session, enum status status,
                 struct span why)
{
	session->answered = true;
	session->status = status;
	(void)snprintf(session->why, sizeof(session->why), "%.*s", (int)why.len,
	               why.len ? why.data : "");
}

static enum status attempts(struct rest_session *session,
                            void (*attempt)(struct rest_session *session))
{
	for (unsigned tries = 0;; tries++) {
		session->answered = false;
		attempt(session);
		event_loop_run(session->loop, &session->answered, CALL_MS);
		if (!session->answered) {
			note(session, ST_UNAVAILABLE, SPAN("no answer"));
			break;
		}
		if ((session->status != ST_UNAVAILABLE &&
		     session->status != ST_BUSY) ||
		    tries == TRIES || event_loop_ended(session->loop))
			break;
		event_loop_run(session->loop, NULL, AGAIN_MS);
	}
	return session->status;
}

/* --- signing in ---------------------------------------------------------- */
static void signed_in(void *context, enum status status, struct span why)
{
	note(context, status, why);
}

static void sign_in(struct rest_session *session)
{
	account_sign_in(session->account);
}

/*
 * Makes attempts until one succeeds or fails for good, TRIES are made, or the
 * event loop is ended. Renews the token once if it is not accepted. Returns the
 * last status.
 */
static enum status retry(struct rest_session *session,
                         void (*attempt)(struct rest_session *session))
{
	if (attempts(session, attempt) == ST_DENIED &&
	    attempts(session, sign_in) == ST_OK)
		(void)attempts(session, attempt);
	return session->status;
}

struct rest_session *rest_session_create(const struct account_options *options)
{
	struct rest_session *session = mem_new(sizeof(*session));

	session->loop = event_loop_create(options->url);
	session->account =
		options->session
			? account_create_saved(event_loop_uv(session->loop),
	                                       event_loop_rest(session->loop),
	                                       options->session, signed_in,
	                                       session)
			: account_create(event_loop_rest(session->loop),
	                                 options->name, options->password,
	                                 signed_in, session);
	session->finder =
		conversation_finder_create(event_loop_rest(session->loop));
	if (attempts(session, sign_in) == ST_OK)
		return session;
	terminal_denied(session->status, span_of(session->why));
	(void)rest_session_destroy(&session);
	return NULL;
}

int rest_session_destroy(struct rest_session **session_at)
{
	struct rest_session *session = MOVE(*session_at);
	struct named *named, *next;
	int code;

	HASH_ITER (hh, session->names, named, next) {
		HASH_DEL(session->names, named);
		mem_free(&named->name);
		mem_free(&named);
	}
	event_loop_end(session->loop,
	               session->failed ? EXIT_FAILED : EXIT_DONE);
	event_loop_cancel_calls(session->loop);
	account_destroy(&session->account);
	conversation_finder_destroy(&session->finder);
	code = event_loop_close(&session->loop);
	mem_free(&session);
	return code;
}

int rest_session_run(const struct account_options *options,
                     rest_session_work *work, const void *context)
{
	struct rest_session *session = rest_session_create(options);
	bool good;
	int code;

	if (!session)
		return EXIT_FAILED;
	good = work(session, context);
	code = rest_session_destroy(&session);
	return code == EXIT_DONE && !good ? EXIT_FAILED : code;
}

const struct saved_session *
rest_session_tokens(const struct rest_session *session)
{
	return account_session(session->account);
}

struct event_loop *rest_session_loop(struct rest_session *session)
{
	return session->loop;
}

uint64_t rest_session_user(const struct rest_session *session)
{
	return account_user(session->account);
}

/* --- calls --------------------------------------------------------------- */
static void answered(void *context, const struct rest_answer *answer)
{
	struct rest_session *session = context;
	const struct request *request = &session->request;

	note(session, answer->status, answer->why);
	if (answer->status == ST_OK && request->take)
		request->take(request->context, answer);
}

static void call_once(struct rest_session *session)
{
	const struct request *request = &session->request;

	rest_call(event_loop_rest(session->loop),
	          account_token(session->account), request->method,
	          request->path, request->body, answered, session);
}

static enum status call(struct rest_session *session, const char *method,
                        const char *path, struct span body, rest_done *take,
                        void *context)
{
	session->request = (struct request){
		.method = method,
		.path = path,
		.body = body,
		.take = take,
		.context = context,
	};
	return retry(session, call_once);
}

bool rest_session_call(struct rest_session *session, const char *what,
                       const char *method, const char *path, struct span body,
                       rest_done *take, void *context)
{
	if (call(session, method, path, body, take, context) == ST_OK)
		return true;
	rest_session_fail(session, "%s: %s: %s", what,
	                  status_text(session->status), session->why);
	return false;
}

/* --- users --------------------------------------------------------------- */
static void take_id(void *context, const struct rest_answer *answer)
{
	struct rest_session *session = context;

	if (!json_get_id(answer->json, "id", &session->found_user))
		session->found_user = 0;
}

bool rest_session_find_user(struct rest_session *session, const char *name,
                            uint64_t *ret_user)
{
	struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);

	session->found_user = 0;
	buf_append(&path, SPAN("/auth/users?name="));
	rest_escape(&path, span_of(name));
	if (call(session, "GET", buf_text(&path), SPAN_NONE, take_id,
	         session) == ST_NOT_FOUND) {
		rest_session_fail(session, "there is no user called '%s'",
		                  name);
		return false;
	}
	if (session->status != ST_OK || !session->found_user) {
		rest_session_fail(session, "looking for '%s': %s: %s", name,
		                  status_text(session->status), session->why);
		return false;
	}
	*ret_user = session->found_user;
	return true;
}

/* A name may contain control characters, like any text of another user. */
static void take_name(void *context, const struct rest_answer *answer)
{
	struct rest_session *session = context;
	struct buf safe CLEANUP(buf_free) = BUF(WORDS_MAX);
	struct span name;

	if (!json_get_text(answer->json, "name", &name))
		return;
	terminal_text(&safe, name, 0);
	session->found_name = mem_text(safe.data, safe.len);
}

const char *rest_session_user_name(struct rest_session *session, uint64_t user)
{
	struct named *named;
	char text[64];

	HASH_FIND(hh, session->names, &user, sizeof(user), named);
	if (named)
		return named->name;
	(void)snprintf(text, sizeof(text), "/auth/users/%llu",
	               (unsigned long long)user);
	(void)call(session, "GET", text, SPAN_NONE, take_name, session);
	(void)snprintf(text, sizeof(text), "#%llu", (unsigned long long)user);
	named = mem_new(sizeof(*named));
	named->id = user;
	named->name = session->found_name ? MOVE(session->found_name)
	                                  : mem_text(text, strlen(text));
	HASH_ADD(hh, session->names, id, sizeof(user), named);
	return named->name;
}

/* --- conversations ------------------------------------------------------- */
static struct span keep(char *to, size_t size, struct span text)
{
	(void)snprintf(to, size, "%.*s", (int)text.len,
	               text.len ? text.data : "");
	return span_of(to);
}

static void found_conversation(void *context, enum status status,
                               const struct conversation_info *info,
                               struct span why)
{
	struct rest_session *session = context;

	note(session, status, why);
	if (status != ST_OK)
		return;
	*session->request.ret_info = *info;
	session->request.ret_info->kind =
		keep(session->kind, sizeof(session->kind), info->kind);
	session->request.ret_info->title =
		keep(session->title, sizeof(session->title), info->title);
}

static bool report_found(struct rest_session *session, const char *in)
{
	if (session->status == ST_OK)
		return true;
	rest_session_fail(session, "conversation '%s': %s: %s", in,
	                  status_text(session->status), session->why);
	return false;
}

static void find_once(struct rest_session *session)
{
	conversation_finder_find(
		session->finder, account_token(session->account),
		session->request.in, found_conversation, session);
}

bool rest_session_find_conversation(struct rest_session *session,
                                    const char *in,
                                    struct conversation_info *ret_info)
{
	session->request = (struct request){.in = in, .ret_info = ret_info};
	(void)retry(session, find_once);
	return report_found(session, in);
}

static void find_direct_once(struct rest_session *session)
{
	conversation_finder_find_direct(
		session->finder, account_token(session->account),
		session->request.user, found_conversation, session);
}

bool rest_session_find_direct(struct rest_session *session, const char *name,
                              struct conversation_info *ret_info)
{
	uint64_t user;

	if (!rest_session_find_user(session, name, &user))
		return false;
	session->request = (struct request){.user = user, .ret_info = ret_info};
	(void)retry(session, find_direct_once);
	return report_found(session, name);
}
