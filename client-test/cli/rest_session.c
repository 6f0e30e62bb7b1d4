#include "client-test/cli/rest_session.h"
#include "client-test/cli/command.h"
#include "client-test/cli/show.h"
#include "client-test/client/account.h"
#include "client-test/client/stage.h"
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

struct caller {
	struct stage *stage;
	struct account *account;
	struct rooms *rooms;
	struct named *names;
	bool failed;
	bool answered; /* the call under way */
	enum status status;
	char why[WORDS_MAX];
	rest_done *take;
	void *context;
	uint64_t id;       /* what was looked for */
	struct room *room; /* where to put it */
	char kind[16];     /* its texts */
	char title[WORDS_MAX];
	char *name;
};

void caller_fail(struct caller *caller, const char *format, ...)
{
	char words[WORDS_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, "client-test: %s\n", words);
	caller->failed = true;
}

static void note(struct caller *caller, enum status status, struct span why)
{
	caller->answered = true;
	caller->status = status;
	(void)snprintf(caller->why, sizeof(caller->why), "%.*s", (int)why.len,
	               why.len ? why.data : "");
}

/* False: no answer in time, or it was ended from outside. */
static bool wait_answer(struct caller *caller)
{
	stage_run(caller->stage, &caller->answered, CALL_MS);
	if (caller->answered)
		return true;
	note(caller, ST_UNAVAILABLE, SPAN("no answer"));
	return false;
}

/* True: it does not work now, and is worth another try; some time has passed.
 */
static bool may_try_again(struct caller *caller, unsigned tries)
{
	if ((caller->status != ST_UNAVAILABLE && caller->status != ST_BUSY) ||
	    tries >= TRIES || stage_over(caller->stage))
		return false;
	stage_run(caller->stage, NULL, AGAIN_MS);
	return true;
}

/* --- signing in ------------------------------------------------------------
 */
static void signed_in(void *context, enum status status, struct span why)
{
	note(context, status, why);
}

static bool sign_in(struct caller *caller)
{
	unsigned tries = 0;

	do {
		caller->answered = false;
		account_sign_in(caller->account);
	} while (wait_answer(caller) && caller->status != ST_OK &&
	         may_try_again(caller, tries++));
	if (caller->status != ST_OK)
		show_denied(caller->status, span_of(caller->why));
	return caller->status == ST_OK;
}

struct caller *caller_create(const struct options *options)
{
	struct caller *caller = mem_new(sizeof(*caller));

	caller->stage = stage_create(options->url);
	caller->account =
		account_create(stage_rest(caller->stage), options->name,
	                       options->password, signed_in, caller);
	caller->rooms = rooms_create(stage_rest(caller->stage));
	if (!sign_in(caller))
		(void)caller_destroy(&caller);
	return caller;
}

int caller_destroy(struct caller **caller_at)
{
	struct caller *caller = MOVE(*caller_at);
	struct named *named, *next;
	int code;

	HASH_ITER (hh, caller->names, named, next) {
		HASH_DEL(caller->names, named);
		mem_free(&named->name);
		mem_free(&named);
	}
	stage_end(caller->stage, caller->failed ? EXIT_FAILED : EXIT_DONE);
	stage_leave(caller->stage);
	account_destroy(&caller->account);
	rooms_destroy(&caller->rooms);
	code = stage_stop(&caller->stage);
	mem_free(&caller);
	return code;
}

uint64_t caller_user(const struct caller *caller)
{
	return account_user(caller->account);
}

/* --- calls -----------------------------------------------------------------
 */
static void answered(void *context, const struct rest_answer *answer)
{
	struct caller *caller = context;

	note(caller, answer->status, answer->why);
	if (answer->status == ST_OK && caller->take)
		caller->take(caller->context, answer);
}

static enum status ask(struct caller *caller, const char *method,
                       const char *path, struct span body, rest_done *take,
                       void *context)
{
	unsigned tries = 0;

	caller->take = take;
	caller->context = context;
	do {
		caller->answered = false;
		rest_call(stage_rest(caller->stage),
		          account_token(caller->account), method, path, body,
		          answered, caller);
	} while (wait_answer(caller) && caller->status != ST_OK &&
	         may_try_again(caller, tries++));
	return caller->status;
}

bool caller_ask(struct caller *caller, const char *what, const char *method,
                const char *path, struct span body, rest_done *take,
                void *context)
{
	if (ask(caller, method, path, body, take, context) == ST_OK)
		return true;
	caller_fail(caller, "%s: %s: %s", what, status_text(caller->status),
	            caller->why);
	return false;
}

/* --- people ----------------------------------------------------------------
 */
static void take_id(void *context, const struct rest_answer *answer)
{
	struct caller *caller = context;

	if (!json_get_id(answer->json, "id", &caller->id))
		caller->id = 0;
}

bool caller_find_user(struct caller *caller, const char *name,
                      uint64_t *ret_user)
{
	struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);

	caller->id = 0;
	buf_append(&path, SPAN("/auth/users?name="));
	rest_escape(&path, span_of(name));
	if (ask(caller, "GET", buf_text(&path), SPAN_NONE, take_id, caller) ==
	    ST_NOT_FOUND) {
		caller_fail(caller, "there is nobody called '%s'", name);
		return false;
	}
	if (caller->status != ST_OK || !caller->id) {
		caller_fail(caller, "looking for '%s': %s: %s", name,
		            status_text(caller->status), caller->why);
		return false;
	}
	*ret_user = caller->id;
	return true;
}

/* A name is somebody's text, too. */
static void take_name(void *context, const struct rest_answer *answer)
{
	struct caller *caller = context;
	struct buf safe CLEANUP(buf_free) = BUF(WORDS_MAX);
	struct span name;

	if (!json_get_text(answer->json, "name", &name))
		return;
	show_text(&safe, name, 0);
	caller->name = mem_text(safe.data, safe.len);
}

const char *caller_name(struct caller *caller, uint64_t user)
{
	struct named *named;
	char text[64];

	HASH_FIND(hh, caller->names, &user, sizeof(user), named);
	if (named)
		return named->name;
	(void)snprintf(text, sizeof(text), "/auth/users/%llu",
	               (unsigned long long)user);
	(void)ask(caller, "GET", text, SPAN_NONE, take_name, caller);
	(void)snprintf(text, sizeof(text), "#%llu", (unsigned long long)user);
	named = mem_new(sizeof(*named));
	named->id = user;
	named->name = caller->name ? MOVE(caller->name)
	                           : mem_text(text, strlen(text));
	HASH_ADD(hh, caller->names, id, sizeof(user), named);
	return named->name;
}

/* --- conversations ---------------------------------------------------------
 */
static struct span keep(char *to, size_t size, struct span text)
{
	(void)snprintf(to, size, "%.*s", (int)text.len,
	               text.len ? text.data : "");
	return span_of(to);
}

static void found_room(void *context, enum status status,
                       const struct room *room, struct span why)
{
	struct caller *caller = context;

	note(caller, status, why);
	if (status != ST_OK)
		return;
	*caller->room = *room;
	caller->room->kind =
		keep(caller->kind, sizeof(caller->kind), room->kind);
	caller->room->title =
		keep(caller->title, sizeof(caller->title), room->title);
}

static bool room_found(struct caller *caller, const char *in)
{
	if (caller->status == ST_OK)
		return true;
	caller_fail(caller, "conversation '%s': %s: %s", in,
	            status_text(caller->status), caller->why);
	return false;
}

bool caller_find_room(struct caller *caller, const char *in,
                      struct room *ret_room)
{
	unsigned tries = 0;

	caller->room = ret_room;
	do {
		caller->answered = false;
		rooms_find(caller->rooms, account_token(caller->account), in,
		           found_room, caller);
	} while (wait_answer(caller) && caller->status != ST_OK &&
	         may_try_again(caller, tries++));
	return room_found(caller, in);
}

bool caller_find_direct(struct caller *caller, const char *name,
                        struct room *ret_room)
{
	unsigned tries = 0;
	uint64_t user;

	if (!caller_find_user(caller, name, &user))
		return false;
	caller->room = ret_room;
	do {
		caller->answered = false;
		rooms_find_with(caller->rooms, account_token(caller->account),
		                user, found_room, caller);
	} while (wait_answer(caller) && caller->status != ST_OK &&
	         may_try_again(caller, tries++));
	return room_found(caller, name);
}
