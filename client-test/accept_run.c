#include "client-test/accept_run.h"
#include "client-test/cli/terminal.h"
#include "common/base/clock.h"

#include <stdio.h>

/* --- events -------------------------------------------------------------- */
static void online(void *context)
{
	((struct accept_user *)context)->online = true;
}

static void offline(void *context, const char *why, uint64_t retry_ms)
{
	struct accept_user *user = context;

	(void)fprintf(stderr, "      %s: %s; again in %llu ms\n", user->name,
	              why, (unsigned long long)retry_ms);
	user->online = false;
}

static void denied(void *context, enum status status, struct span why)
{
	struct accept_user *user = context;

	(void)fprintf(stderr, "      %s: %s: %.*s\n", user->name,
	              status_text(status), (int)why.len,
	              why.len ? why.data : "");
	user->denied = true;
}

static void message(void *context, const struct message *message, bool own)
{
	struct accept_user *user = context;

	if (message->change != CHANGE_none) {
		user->change = *message;
		user->change.json = NULL; /* freed after this call */
		user->got_change = true;
		return;
	}
	if (own)
		return;
	user->messages++;
	user->message = *message;
	user->same_text = span_equal(message->text, user->expected);
	user->got_message = true;
}

static void settled(void *context, const struct send_result *result)
{
	struct accept_user *user = context;

	user->result = *result;
	user->result.entry = NULL; /* freed after this call */
	user->settled_uuid = result->entry->uuid;
	if (!result->saved)
		(void)fprintf(stderr, "      refused: %.*s (%.*s)\n",
		              (int)result->detail.len,
		              result->detail.len ? result->detail.data : "",
		              (int)result->code.len,
		              result->code.len ? result->code.data : "");
	user->settled = true;
}

static void changed(void *context, const struct message_edit *edit)
{
	struct accept_user *user = context;

	user->edit = *edit;
	user->same_edit = span_equal(edit->text, user->expected);
	user->got_edit = true;
}

static void receipt(void *context, const struct user_session_receipt *receipt)
{
	struct accept_user *user = context;

	user->receipt = *receipt;
	user->got_receipt = true;
}

static void token_replaced(void *context)
{
	((struct accept_user *)context)->token_replaced = true;
}

static const struct user_session_events events = {
	.token_replaced = token_replaced,
	.online = online,
	.offline = offline,
	.denied = denied,
	.message = message,
	.settled = settled,
	.changed = changed,
	.receipt = receipt,
};

/* --- steps --------------------------------------------------------------- */
void accept_begin(struct accept_run *run)
{
	run->step_ms = clock_mono_ms();
}

bool accept_step(struct accept_run *run, const char *what, bool ok)
{
	(void)printf("%-4s  %6llu ms  %s\n", ok ? "ok" : "FAIL",
	             (unsigned long long)(clock_mono_ms() - run->step_ms),
	             what);
	(void)fflush(stdout);
	run->failed += !ok;
	run->step_ms = clock_mono_ms();
	return ok;
}

bool accept_enter(struct accept_run *run, struct accept_user *user,
                  const char *prefix, const char *what)
{
	const struct user_session_config config = {
		.loop = event_loop_uv(run->loop),
		.rest = event_loop_rest(run->loop),
		.url = run->url,
		.name = user->name,
		.password = ACCEPT_PASSWORD,
		.events = &events,
		.context = user,
	};
	char text[UUID_TEXT_LEN + 1];
	struct uuid fresh;

	uuid_make(&fresh);
	uuid_format(&fresh, text);
	(void)snprintf(user->name, sizeof(user->name), "%s-%s", prefix, text);
	accept_begin(run);
	user->session = user_session_create(&config);
	if (!user->session) {
		terminal_bad_url(run->url);
		return false;
	}
	event_loop_run(run->loop, &user->online, ACCEPT_ONLINE_MS);
	return accept_step(run, what, user->online);
}

bool accept_send(struct accept_run *run, struct accept_user *from,
                 const struct uuid *uuid, const struct message_draft *draft)
{
	from->settled = false;
	accept_begin(run);
	if (!user_session_send(from->session, uuid, draft))
		return false;
	event_loop_run(run->loop, &from->settled, run->timeout_ms);
	return from->settled && from->result.saved;
}

/* --- REST calls ---------------------------------------------------------- */
struct call {
	struct accept_run *run;
	enum status status;
	rest_done *done;
	void *context;
};

static void take_answer(void *context, const struct rest_answer *answer)
{
	struct call *call = context;

	call->run->answered = true;
	call->status = answer->status;
	if (call->done)
		call->done(call->context, answer);
}

enum status accept_ask(struct accept_run *run, const struct accept_user *user,
                       const char *method, const char *path, struct span body,
                       rest_done *done, void *context)
{
	return accept_ask_with(run, user_session_token(user->session), method,
	                       path, body, done, context);
}

enum status accept_ask_with(struct accept_run *run, struct span token,
                            const char *method, const char *path,
                            struct span body, rest_done *done, void *context)
{
	/* Static, because an answer may arrive after the timeout. */
	static struct call call;

	call = (struct call){run, ST_UNAVAILABLE, done, context};
	run->answered = false;
	rest_call(event_loop_rest(run->loop), token, method, path, body,
	          take_answer, &call);
	event_loop_run(run->loop, &run->answered, ACCEPT_CALL_MS);
	return call.status;
}
