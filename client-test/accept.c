/*
 * The acceptance run: two new people, a message and an answer between them,
 * and every promise that can be seen from outside.
 */
#include "client-test/commands.h"
#include "client-test/stage.h"
#include "client-test/talker.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <stdio.h>

enum { ONLINE_MS = 30000, CALL_MS = 10000, NAME_MAX_ = 64, ECHO_MS = 300 };

static const char password[] = "correct horse battery staple";
#define GREETING SPAN("hi, \"Zo\xc3\xab\" \xf0\x9f\x91\x8b\n<b>&\\ ")

struct actor {
	struct talker *talker;
	char name[NAME_MAX_];
	bool online;
	bool denied;
	unsigned messages; /* told, but own ones */
	bool got_message;
	struct message message; /* the last; `text` compared as it came */
	bool same_text;
	bool settled;
	struct outcome outcome;
	struct uuid settled_uuid;
	struct span expected;
};

struct run {
	struct stage *stage;
	struct actor one, two;
	uint64_t timeout_ms;
	uint64_t step_ms;
	unsigned failed;
	bool answered;
};

/* --- events -------------------------------------------------------------- */
static void online(void *context)
{
	((struct actor *)context)->online = true;
}

static void offline(void *context, const char *why, uint64_t retry_ms)
{
	struct actor *actor = context;

	(void)fprintf(stderr, "      %s: %s; again in %llu ms\n", actor->name,
	              why, (unsigned long long)retry_ms);
	actor->online = false;
}

static void denied(void *context, enum status status, struct span why)
{
	struct actor *actor = context;

	(void)fprintf(stderr, "      %s: %s: %.*s\n", actor->name,
	              status_text(status), (int)why.len,
	              why.len ? why.data : "");
	actor->denied = true;
}

static void message(void *context, const struct message *message, bool own)
{
	struct actor *actor = context;

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
	struct actor *actor = context;

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

static const struct talker_events events = {
	.online = online,
	.offline = offline,
	.denied = denied,
	.message = message,
	.accepted = accepted,
	.settled = settled,
};

/* --- steps --------------------------------------------------------------- */
static void begin(struct run *run)
{
	run->step_ms = clock_mono_ms();
}

static bool step(struct run *run, const char *what, bool ok)
{
	(void)printf("%-4s  %6llu ms  %s\n", ok ? "ok" : "FAIL",
	             (unsigned long long)(clock_mono_ms() - run->step_ms),
	             what);
	(void)fflush(stdout);
	run->failed += !ok;
	run->step_ms = clock_mono_ms();
	return ok;
}

static struct talker *enter(struct run *run, struct actor *actor,
                            const struct options *options)
{
	const struct talker_setup setup = {
		.loop = stage_loop(run->stage),
		.rest = stage_rest(run->stage),
		.url = options->url,
		.name = actor->name,
		.password = password,
		.events = &events,
		.context = actor,
	};

	return talker_create(&setup);
}

static bool both_online(struct run *run, const struct options *options)
{
	struct uuid fresh;
	char text[UUID_TEXT_LEN + 1];

	uuid_make(&fresh);
	uuid_format(&fresh, text);
	(void)snprintf(run->one.name, NAME_MAX_, "one-%s", text);
	(void)snprintf(run->two.name, NAME_MAX_, "two-%s", text);
	begin(run);
	run->one.talker = enter(run, &run->one, options);
	if (!run->one.talker) {
		(void)fprintf(stderr, "%s is no http://host:port\n",
		              options->url);
		return false;
	}
	stage_run(run->stage, &run->one.online, ONLINE_MS);
	if (!step(run, "user 1 is registered and connected", run->one.online))
		return false;
	run->two.talker = enter(run, &run->two, options);
	stage_run(run->stage, &run->two.online, ONLINE_MS);
	return step(run, "user 2 is registered and connected", run->two.online);
}

static bool send_and_save(struct run *run, struct actor *from, struct actor *to,
                          const struct uuid *uuid, struct span text)
{
	const struct outbox_draft draft = {
		.user_to = talker_user(to->talker),
		.text = text,
	};

	from->settled = false;
	to->got_message = false;
	to->expected = text;
	begin(run);
	if (!talker_send(from->talker, uuid, &draft))
		return false;
	stage_run(run->stage, &from->settled, run->timeout_ms);
	return from->settled && from->outcome.saved;
}

static bool is_right(const struct actor *from, const struct actor *to,
                     const struct uuid *uuid)
{
	const struct message *m = &to->message;
	const struct outcome *o = &from->outcome;

	return to->same_text && !memcmp(&m->uuid, uuid, sizeof(*uuid)) &&
	       m->id == o->id && m->conversation == o->conversation &&
	       m->seq == o->seq && m->created_at_ms == o->created_at_ms &&
	       m->user_from == talker_user(from->talker) &&
	       m->user_to == talker_user(to->talker);
}

/* --- what REST says ------------------------------------------------------ */
struct look {
	struct run *run;
	const struct actor *from, *to, *reader;
	const struct uuid *uuid;
	uint64_t last_seq;
	unsigned times;
};

static void list_answered(void *context, const struct rest_answer *answer)
{
	struct look *look = context;
	const struct json *item;

	look->run->answered = true;
	if (answer->status != ST_OK)
		return;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "conversations", i)); i++) {
		const struct json *with = json_get_object(item, "with");
		const struct actor *other =
			look->reader == look->from ? look->to : look->from;
		uint64_t id, last_seq, user;

		if (json_get_id(item, "id", &id) && with &&
		    json_get_id(item, "last_seq", &last_seq) &&
		    json_get_id(with, "id", &user) &&
		    id == look->from->outcome.conversation &&
		    last_seq == look->last_seq &&
		    user == talker_user(other->talker))
			look->times++;
	}
}

static void history_answered(void *context, const struct rest_answer *answer)
{
	struct look *look = context;
	const struct json *item;

	look->run->answered = true;
	if (answer->status != ST_OK)
		return;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "messages", i)); i++) {
		struct message message = {0};

		if (message_read(item, &message) &&
		    !memcmp(&message.uuid, look->uuid, sizeof(*look->uuid)) &&
		    message.seq == look->from->outcome.seq &&
		    message.id == look->from->outcome.id &&
		    span_equal(message.text, look->to->expected))
			look->times++;
		else if (message.seq == look->from->outcome.seq)
			look->times += 2;
	}
}

static unsigned look_at(struct look *look, const struct actor *reader,
                        const char *path, rest_done *done)
{
	look->reader = reader;
	look->times = 0;
	look->run->answered = false;
	rest_get(stage_rest(look->run->stage), talker_token(reader->talker),
	         path, done, look);
	stage_run(look->run->stage, &look->run->answered, CALL_MS);
	return look->times;
}

static void check_rest(struct look *look)
{
	char path[96];

	begin(look->run);
	step(look->run, "user 1 sees the conversation in the list",
	     look_at(look, look->from, "/conversations", list_answered) == 1);
	step(look->run, "user 2 sees the conversation in the list",
	     look_at(look, look->to, "/conversations", list_answered) == 1);
	(void)snprintf(path, sizeof(path),
	               "/conversations/%llu/messages?limit=200",
	               (unsigned long long)look->from->outcome.conversation);
	step(look->run, "user 1 sees the message once in the history",
	     look_at(look, look->from, path, history_answered) == 1);
	step(look->run, "user 2 sees the message once in the history",
	     look_at(look, look->to, path, history_answered) == 1);
}

/* --- the whole ----------------------------------------------------------- */
static void first_message(struct run *run, const struct uuid *uuid)
{
	struct look look = {run, &run->one, &run->two, NULL, uuid, 1, 0};

	step(run, "the message of user 1 is saved",
	     send_and_save(run, &run->one, &run->two, uuid, GREETING));
	step(run, "the saved state has the uuid, an id and seq 1",
	     run->one.settled &&
	             !memcmp(&run->one.settled_uuid, uuid, sizeof(*uuid)) &&
	             run->one.outcome.id && run->one.outcome.seq == 1);
	stage_run(run->stage, &run->two.got_message, run->timeout_ms);
	step(run, "user 2 received it: same uuid, text, seq and ids",
	     run->two.got_message && is_right(&run->one, &run->two, uuid));
	check_rest(&look);
}

static void same_again(struct run *run, const struct uuid *uuid)
{
	struct outcome first = run->one.outcome;
	unsigned messages = run->two.messages;
	struct look look = {run, &run->one, &run->two, NULL, uuid, 1, 0};

	step(run, "the same uuid again is answered",
	     send_and_save(run, &run->one, &run->two, uuid,
	                   SPAN("another text")));
	step(run, "with the first result",
	     run->one.outcome.seq == first.seq &&
	             run->one.outcome.id == first.id &&
	             run->one.outcome.conversation == first.conversation);
	run->two.expected = GREETING;
	check_rest(&look);
	stage_run(run->stage, NULL, ECHO_MS);
	step(run, "user 2 was shown no second message",
	     run->two.messages == messages);
}

static void answer_back(struct run *run)
{
	uint64_t conversation = run->one.outcome.conversation;
	struct uuid uuid;

	uuid_make(&uuid);
	step(run, "the answer of user 2 is saved",
	     send_and_save(run, &run->two, &run->one, &uuid,
	                   SPAN("hello yourself")));
	stage_run(run->stage, &run->one.got_message, run->timeout_ms);
	step(run, "user 1 received it, as seq 2 of the same conversation",
	     run->one.got_message && is_right(&run->two, &run->one, &uuid) &&
	             run->one.message.seq == 2 &&
	             run->one.message.conversation == conversation);
}

static int accept_run(const struct options *options)
{
	static struct run run;
	struct uuid uuid;

	uuid_make(&uuid);
	run.timeout_ms = options->timeout_s * 1000;
	run.stage = stage_create(options->url);
	if (!both_online(&run, options)) {
		run.failed++;
	} else {
		first_message(&run, &uuid);
		same_again(&run, &uuid);
		answer_back(&run);
	}
	stage_end(run.stage, run.failed ? EXIT_FAILED : EXIT_DONE);
	stage_leave(run.stage);
	talker_destroy(&run.one.talker);
	talker_destroy(&run.two.talker);
	(void)printf("%s\n", run.failed ? "FAILED" : "accepted");
	return stage_stop(&run.stage);
}

static const struct option_row rows[] = {
	OPTION_URL,
	OPTION_NUMBER(timeout_s, "--timeout", "20", 1, 600,
                      "seconds that saving and receiving may take"),
};

const struct command accept_command = {
	.name = "accept",
	.words = "",
	.purpose = "the acceptance run: two new users, a message, an answer",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.run = accept_run,
};
