/*
 * The acceptance run: two new people, a message and an answer between them,
 * then a third one, a group and a channel; and every promise that can be seen
 * from outside.
 */
#include "client-test/accept_run.h"
#include "client-test/commands.h"

#include <stdio.h>

#define GREETING SPAN("hi, \"Zo\xc3\xab\" \xf0\x9f\x91\x8b\n<b>&\\ ")

/* --- steps --------------------------------------------------------------- */
static bool both_online(struct accept_run *run)
{
	return accept_enter(run, &run->one, "one",
	                    "user 1 is registered and connected") &&
	       accept_enter(run, &run->two, "two",
	                    "user 2 is registered and connected");
}

static bool send_and_save(struct accept_run *run, struct accept_actor *from,
                          struct accept_actor *to, const struct uuid *uuid,
                          struct span text)
{
	const struct outbox_draft draft = {
		.user_to = talker_user(to->talker),
		.text = text,
	};

	to->got_message = false;
	to->expected = text;
	return accept_send(run, from, uuid, &draft);
}

static bool is_right(const struct accept_actor *from,
                     const struct accept_actor *to, const struct uuid *uuid)
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
	struct accept_run *run;
	const struct accept_actor *from, *to, *reader;
	const struct uuid *uuid;
	uint64_t last_seq;
	unsigned times;
};

static void list_answered(void *context, const struct rest_answer *answer)
{
	struct look *look = context;
	const struct json *item;

	if (answer->status != ST_OK)
		return;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "conversations", i)); i++) {
		const struct json *with = json_get_object(item, "with");
		const struct accept_actor *other =
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

static unsigned look_at(struct look *look, const struct accept_actor *reader,
                        const char *path, rest_done *done)
{
	look->reader = reader;
	look->times = 0;
	(void)accept_ask(look->run, reader, "GET", path, SPAN_NONE, done, look);
	return look->times;
}

static void check_rest(struct look *look)
{
	char path[96];

	accept_begin(look->run);
	accept_step(look->run, "user 1 sees the conversation in the list",
	            look_at(look, look->from, "/conversations",
	                    list_answered) == 1);
	accept_step(look->run, "user 2 sees the conversation in the list",
	            look_at(look, look->to, "/conversations", list_answered) ==
	                    1);
	(void)snprintf(path, sizeof(path),
	               "/conversations/%llu/messages?limit=200",
	               (unsigned long long)look->from->outcome.conversation);
	accept_step(look->run, "user 1 sees the message once in the history",
	            look_at(look, look->from, path, history_answered) == 1);
	accept_step(look->run, "user 2 sees the message once in the history",
	            look_at(look, look->to, path, history_answered) == 1);
}

/* --- the whole ----------------------------------------------------------- */
static void first_message(struct accept_run *run, const struct uuid *uuid)
{
	struct look look = {run, &run->one, &run->two, NULL, uuid, 1, 0};

	accept_step(run, "the message of user 1 is saved",
	            send_and_save(run, &run->one, &run->two, uuid, GREETING));
	accept_step(
		run, "the saved state has the uuid, an id and seq 1",
		run->one.settled &&
			!memcmp(&run->one.settled_uuid, uuid, sizeof(*uuid)) &&
			run->one.outcome.id && run->one.outcome.seq == 1);
	stage_run(run->stage, &run->two.got_message, run->timeout_ms);
	accept_step(run, "user 2 received it: same uuid, text, seq and ids",
	            run->two.got_message &&
	                    is_right(&run->one, &run->two, uuid));
	check_rest(&look);
}

static void same_again(struct accept_run *run, const struct uuid *uuid)
{
	struct outcome first = run->one.outcome;
	unsigned messages = run->two.messages;
	struct look look = {run, &run->one, &run->two, NULL, uuid, 1, 0};

	accept_step(run, "the same uuid again is answered",
	            send_and_save(run, &run->one, &run->two, uuid,
	                          SPAN("another text")));
	accept_step(run, "with the first result",
	            run->one.outcome.seq == first.seq &&
	                    run->one.outcome.id == first.id &&
	                    run->one.outcome.conversation ==
	                            first.conversation);
	run->two.expected = GREETING;
	check_rest(&look);
	stage_run(run->stage, NULL, ACCEPT_ECHO_MS);
	accept_step(run, "user 2 was shown no second message",
	            run->two.messages == messages);
}

static void answer_back(struct accept_run *run)
{
	uint64_t conversation = run->one.outcome.conversation;
	struct uuid uuid;

	uuid_make(&uuid);
	accept_step(run, "the answer of user 2 is saved",
	            send_and_save(run, &run->two, &run->one, &uuid,
	                          SPAN("hello yourself")));
	stage_run(run->stage, &run->one.got_message, run->timeout_ms);
	accept_step(
		run, "user 1 received it, as seq 2 of the same conversation",
		run->one.got_message && is_right(&run->two, &run->one, &uuid) &&
			run->one.message.seq == 2 &&
			run->one.message.conversation == conversation);
}

static int accept_run(const struct options *options)
{
	static struct accept_run run;
	struct uuid uuid;

	uuid_make(&uuid);
	run.options = options;
	run.timeout_ms = options->timeout_s * 1000;
	run.stage = stage_create(options->url);
	if (!both_online(&run)) {
		run.failed++;
	} else {
		first_message(&run, &uuid);
		same_again(&run, &uuid);
		answer_back(&run);
		accept_groups(&run);
	}
	stage_end(run.stage, run.failed ? EXIT_FAILED : EXIT_DONE);
	stage_leave(run.stage);
	talker_destroy(&run.one.talker);
	talker_destroy(&run.two.talker);
	talker_destroy(&run.three.talker);
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
	.purpose =
		"the acceptance run: new users, messages, a group, a channel",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.run = accept_run,
};
