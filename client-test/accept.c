/*
 * The accept command, the acceptance run: two new users exchange messages, then
 * a third one joins them in a group and a channel. It checks every promise that
 * a client can see.
 */
#include "client-test/accept_run.h"
#include "client-test/commands.h"

#include <stdio.h>

struct accept_options {
	struct options options;
	const char *url;
	uint64_t timeout_s;
};

#define GREETING SPAN("hi, \"Zo\xc3\xab\" \xf0\x9f\x91\x8b\n<b>&\\ ")

/* --- steps --------------------------------------------------------------- */
static bool both_online(struct accept_run *run)
{
	return accept_enter(run, &run->one, "one",
	                    "user 1 is registered and connected") &&
	       accept_enter(run, &run->two, "two",
	                    "user 2 is registered and connected");
}

static bool send_and_save(struct accept_run *run, struct accept_user *from,
                          struct accept_user *to, const struct uuid *uuid,
                          struct span text)
{
	const struct message_draft draft = {
		.user_to = user_session_user(to->session),
		.text = text,
	};

	to->got_message = false;
	to->expected = text;
	return accept_send(run, from, uuid, &draft);
}

static bool is_right(const struct accept_user *from,
                     const struct accept_user *to, const struct uuid *uuid)
{
	const struct message *m = &to->message;
	const struct send_result *o = &from->result;

	return to->same_text && !memcmp(&m->uuid, uuid, sizeof(*uuid)) &&
	       m->id == o->id && m->conversation == o->conversation &&
	       m->seq == o->seq && m->created_at_ms == o->created_at_ms &&
	       m->user_from == user_session_user(from->session) &&
	       m->user_to == user_session_user(to->session);
}

/* --- conversations and history over REST --------------------------------- */
struct lookup {
	struct accept_run *run;
	const struct accept_user *from, *to, *reader;
	const struct uuid *uuid;
	uint64_t last_seq;
	unsigned times;
};

static void list_answered(void *context, const struct rest_answer *answer)
{
	struct lookup *lookup = context;
	const struct json *item;

	if (answer->status != ST_OK)
		return;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "conversations", i)); i++) {
		const struct json *with = json_get_object(item, "with");
		const struct accept_user *other = lookup->reader == lookup->from
		                                          ? lookup->to
		                                          : lookup->from;
		uint64_t id, last_seq, user;

		if (json_get_id(item, "id", &id) && with &&
		    json_get_id(item, "last_seq", &last_seq) &&
		    json_get_id(with, "id", &user) &&
		    id == lookup->from->result.conversation &&
		    last_seq == lookup->last_seq &&
		    user == user_session_user(other->session))
			lookup->times++;
	}
}

static void history_answered(void *context, const struct rest_answer *answer)
{
	struct lookup *lookup = context;
	const struct json *item;

	if (answer->status != ST_OK)
		return;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "messages", i)); i++) {
		struct message message = {0};

		if (message_read(item, &message) &&
		    !memcmp(&message.uuid, lookup->uuid,
		            sizeof(*lookup->uuid)) &&
		    message.seq == lookup->from->result.seq &&
		    message.id == lookup->from->result.id &&
		    span_equal(message.text, lookup->to->expected))
			lookup->times++;
		else if (message.seq == lookup->from->result.seq)
			lookup->times += 2;
	}
}

static unsigned look_at(struct lookup *lookup, const struct accept_user *reader,
                        const char *path, rest_done *done)
{
	lookup->reader = reader;
	lookup->times = 0;
	(void)accept_ask(lookup->run, reader, "GET", path, SPAN_NONE, done,
	                 lookup);
	return lookup->times;
}

static void check_rest(struct lookup *lookup)
{
	char path[96];

	accept_begin(lookup->run);
	accept_step(lookup->run, "user 1 sees the conversation in the list",
	            look_at(lookup, lookup->from, "/conversations",
	                    list_answered) == 1);
	accept_step(lookup->run, "user 2 sees the conversation in the list",
	            look_at(lookup, lookup->to, "/conversations",
	                    list_answered) == 1);
	(void)snprintf(path, sizeof(path),
	               "/conversations/%llu/messages?limit=200",
	               (unsigned long long)lookup->from->result.conversation);
	accept_step(lookup->run, "user 1 sees the message once in the history",
	            look_at(lookup, lookup->from, path, history_answered) == 1);
	accept_step(lookup->run, "user 2 sees the message once in the history",
	            look_at(lookup, lookup->to, path, history_answered) == 1);
}

/* --- the run ------------------------------------------------------------- */
static void first_message(struct accept_run *run, const struct uuid *uuid)
{
	struct lookup lookup = {run, &run->one, &run->two, NULL, uuid, 1, 0};

	accept_step(run, "the message of user 1 is saved",
	            send_and_save(run, &run->one, &run->two, uuid, GREETING));
	accept_step(
		run, "the saved state has the uuid, an id and seq 1",
		run->one.settled &&
			!memcmp(&run->one.settled_uuid, uuid, sizeof(*uuid)) &&
			run->one.result.id && run->one.result.seq == 1);
	event_loop_run(run->loop, &run->two.got_message, run->timeout_ms);
	accept_step(run, "user 2 received it: same uuid, text, seq and ids",
	            run->two.got_message &&
	                    is_right(&run->one, &run->two, uuid));
	check_rest(&lookup);
}

static void same_again(struct accept_run *run, const struct uuid *uuid)
{
	struct send_result first = run->one.result;
	unsigned messages = run->two.messages;
	struct lookup lookup = {run, &run->one, &run->two, NULL, uuid, 1, 0};

	accept_step(run, "the same uuid again is answered",
	            send_and_save(run, &run->one, &run->two, uuid,
	                          SPAN("another text")));
	accept_step(run, "with the first result",
	            run->one.result.seq == first.seq &&
	                    run->one.result.id == first.id &&
	                    run->one.result.conversation == first.conversation);
	run->two.expected = GREETING;
	check_rest(&lookup);
	event_loop_run(run->loop, NULL, ACCEPT_ECHO_MS);
	accept_step(run, "user 2 was shown no second message",
	            run->two.messages == messages);
}

static void answer_back(struct accept_run *run)
{
	uint64_t conversation = run->one.result.conversation;
	struct uuid uuid;

	uuid_make(&uuid);
	accept_step(run, "the answer of user 2 is saved",
	            send_and_save(run, &run->two, &run->one, &uuid,
	                          SPAN("hello yourself")));
	event_loop_run(run->loop, &run->one.got_message, run->timeout_ms);
	accept_step(
		run, "user 1 received it, as seq 2 of the same conversation",
		run->one.got_message && is_right(&run->two, &run->one, &uuid) &&
			run->one.message.seq == 2 &&
			run->one.message.conversation == conversation);
}

static int accept_run(const void *context)
{
	static struct accept_run run;
	const struct accept_options *options = context;
	struct uuid uuid;

	uuid_make(&uuid);
	run.url = options->url;
	run.timeout_ms = options->timeout_s * 1000;
	run.loop = event_loop_create(options->url);
	if (!both_online(&run)) {
		run.failed++;
	} else {
		first_message(&run, &uuid);
		same_again(&run, &uuid);
		answer_back(&run);
		accept_sessions(&run);
		accept_groups(&run);
	}
	event_loop_end(run.loop, run.failed ? EXIT_FAILED : EXIT_DONE);
	event_loop_cancel_calls(run.loop);
	user_session_destroy(&run.one.session);
	user_session_destroy(&run.two.session);
	user_session_destroy(&run.three.session);
	(void)printf("%s\n", run.failed ? "FAILED" : "accepted");
	return event_loop_close(&run.loop);
}

static const struct option_row rows[] = {
	OPTION_URL(struct accept_options),
	OPTION_NUMBER(struct accept_options, timeout_s, "--timeout", "20", 1,
                      600, "seconds that saving and receiving may take"),
};

const struct command accept_command = {
	.name = "accept",
	.words = "",
	.purpose = "runs the acceptance test: new users, messages, a group, a "
		   "channel",
	.exits = "0 if every step passed; 1 if one failed; 128 + N after "
		 "signal N; 100 for wrong arguments.",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.options_size = sizeof(struct accept_options),
	.run = accept_run,
};
