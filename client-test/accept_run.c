#include "client-test/accept_run.h"
#include "common/base/clock.h"

#include <stdio.h>

static const char password[] = "correct horse battery staple";

/* --- events -------------------------------------------------------------- */
static void online(void *context)
{
	((struct accept_actor *)context)->online = true;
}

static void offline(void *context, const char *why, uint64_t retry_ms)
{
	struct accept_actor *actor = context;

	(void)fprintf(stderr, "      %s: %s; again in %llu ms\n", actor->name,
	              why, (unsigned long long)retry_ms);
	actor->online = false;
}

static void denied(void *context, enum status status, struct span why)
{
	struct accept_actor *actor = context;

	(void)fprintf(stderr, "      %s: %s: %.*s\n", actor->name,
	              status_text(status), (int)why.len,
	              why.len ? why.data : "");
	actor->denied = true;
}

static void message(void *context, const struct message *message, bool own)
{
	struct accept_actor *actor = context;

	if (message->change != CHANGE_none) {
		actor->change = *message;
		actor->change.json = NULL; /* it is about to go */
		actor->got_change = true;
		return;
	}
	if (own)
		return;
	actor->messages++;
	actor->message = *message;
	actor->same_text = span_equal(message->text, actor->expected);
	actor->got_message = true;
}

static void accepted(void *context, const struct outbox_entry *entry)
{
	(void)context;
	(void)entry;
}

static void settled(void *context, const struct outcome *outcome)
{
	struct accept_actor *actor = context;

	actor->outcome = *outcome;
	actor->outcome.entry = NULL; /* it is about to go */
	actor->settled_uuid = outcome->entry->uuid;
	if (!outcome->saved)
		(void)fprintf(stderr, "      refused: %.*s (%.*s)\n",
		              (int)outcome->detail.len,
		              outcome->detail.len ? outcome->detail.data : "",
		              (int)outcome->code.len,
		              outcome->code.len ? outcome->code.data : "");
	actor->settled = true;
}

static void changed(void *context, const struct message_edit *edit)
{
	struct accept_actor *actor = context;

	actor->edit = *edit;
	actor->same_edit = span_equal(edit->text, actor->expected);
	actor->got_edit = true;
}

static void receipt(void *context, const struct talker_receipt *receipt)
{
	struct accept_actor *actor = context;

	actor->receipt = *receipt;
	actor->got_receipt = true;
}

static const struct talker_events events = {
	.online = online,
	.offline = offline,
	.denied = denied,
	.message = message,
	.accepted = accepted,
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

bool accept_enter(struct accept_run *run, struct accept_actor *actor,
                  const char *prefix, const char *what)
{
	const struct talker_setup setup = {
		.loop = stage_loop(run->stage),
		.rest = stage_rest(run->stage),
		.url = run->options->url,
		.name = actor->name,
		.password = password,
		.events = &events,
		.context = actor,
	};
	char text[UUID_TEXT_LEN + 1];
	struct uuid fresh;

	uuid_make(&fresh);
	uuid_format(&fresh, text);
	(void)snprintf(actor->name, sizeof(actor->name), "%s-%s", prefix, text);
	accept_begin(run);
	actor->talker = talker_create(&setup);
	if (!actor->talker) {
		(void)fprintf(stderr, "%s is no http://host:port\n",
		              run->options->url);
		return false;
	}
	stage_run(run->stage, &actor->online, ACCEPT_ONLINE_MS);
	return accept_step(run, what, actor->online);
}

bool accept_send(struct accept_run *run, struct accept_actor *from,
                 const struct uuid *uuid, const struct outbox_draft *draft)
{
	from->settled = false;
	accept_begin(run);
	if (!talker_send(from->talker, uuid, draft))
		return false;
	stage_run(run->stage, &from->settled, run->timeout_ms);
	return from->settled && from->outcome.saved;
}

/* --- what REST says ------------------------------------------------------ */
struct asking {
	struct accept_run *run;
	enum status status;
	rest_done *done;
	void *context;
};

static void take_answer(void *context, const struct rest_answer *answer)
{
	struct asking *asking = context;

	asking->run->answered = true;
	asking->status = answer->status;
	if (asking->done)
		asking->done(asking->context, answer);
}

enum status accept_ask(struct accept_run *run, const struct accept_actor *actor,
                       const char *method, const char *path, struct span body,
                       rest_done *done, void *context)
{
	/* Static, for an answer may come when nobody waits any more. */
	static struct asking asking;

	asking = (struct asking){run, ST_UNAVAILABLE, done, context};
	run->answered = false;
	rest_call(stage_rest(run->stage), talker_token(actor->talker), method,
	          path, body, take_answer, &asking);
	stage_run(run->stage, &run->answered, ACCEPT_CALL_MS);
	return asking.status;
}
