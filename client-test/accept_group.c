/*
 * The second part of the acceptance run: a group of three, from its creation
 * until one leaves, and a channel that a user finds and joins.
 */
#include "client-test/accept_run.h"
#include "common/base/json_write.h"

#include <stdio.h>

enum { PATH_LONGEST = 128, BODY_LONGEST = 512 };

#define TEXT     SPAN("hello all \xf0\x9f\x91\x8b")
#define EDITED   SPAN("hello, all")
#define REACTION SPAN("\xf0\x9f\x91\x8d")

struct group_test {
	struct accept_run *run;
	uint64_t group, channel;
	char name[UUID_TEXT_LEN + 1]; /* of the last one created */
	uint64_t found;               /* taken from an answer */
	uint64_t seq;                 /* of the message to all */
};

static void path_of(char *to, uint64_t conversation, const char *behind)
{
	(void)snprintf(to, PATH_LONGEST, "/conversations/%llu%s",
	               (unsigned long long)conversation, behind);
}

/* --- creation ------------------------------------------------------------ */
static void take_id(void *context, const struct rest_answer *answer)
{
	struct group_test *test = context;

	if (answer->status != ST_OK ||
	    !json_get_id(answer->json, "id", &test->found))
		test->found = 0;
}

static uint64_t make(struct group_test *test, const char *kind)
{
	struct accept_run *run = test->run;
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);
	struct uuid uuid;

	uuid_make(&uuid);
	uuid_format(&uuid, test->name);
	json_open(&w);
	json_text(&w, "kind", span_of(kind));
	json_text(&w, "name", span_of(test->name)); /* unique */
	json_open_array(&w, "users");
	if (*kind == 'g') {
		json_number(&w, NULL, user_session_user(run->two.session));
		json_number(&w, NULL, user_session_user(run->three.session));
	}
	json_close_array(&w);
	json_text(&w, "uuid", span_of(test->name));
	json_close(&w);
	(void)accept_ask(run, &run->one, "POST", "/conversations",
	                 buf_span(&body), take_id, test);
	return test->found;
}

static bool is_notified(struct accept_run *run, struct accept_user *user,
                        uint64_t conversation, enum message_change change)
{
	event_loop_run(run->loop, &user->got_change, run->timeout_ms);
	return user->got_change && user->change.conversation == conversation &&
	       user->change.change == change;
}

static bool make_group(struct group_test *test)
{
	struct accept_run *run = test->run;
	bool notified;

	accept_begin(run);
	test->group = make(test, "group");
	if (!accept_step(run, "user 1 makes a group of three", test->group))
		return false;
	notified = is_notified(run, &run->one, test->group, CHANGE_created);
	notified &= is_notified(run, &run->two, test->group, CHANGE_created);
	notified &= is_notified(run, &run->three, test->group, CHANGE_created);
	return accept_step(run, "all three are notified", notified);
}

/* --- messages ------------------------------------------------------------ */
static bool says(struct accept_run *run, struct accept_user *from,
                 uint64_t conversation, struct span text)
{
	const struct message_draft draft = {
		.conversation = conversation,
		.text = text,
	};
	struct uuid uuid;

	uuid_make(&uuid);
	return accept_send(run, from, &uuid, &draft);
}

static void expect(struct accept_user *user, struct span text)
{
	user->got_message = false;
	user->got_edit = false;
	user->expected = text;
}

static bool has_it(struct accept_run *run, const struct accept_user *from,
                   struct accept_user *to)
{
	const struct send_result *o = &from->result;
	const struct message *m = &to->message;

	event_loop_run(run->loop, &to->got_message, run->timeout_ms);
	return to->got_message && to->same_text && m->seq == o->seq &&
	       m->conversation == o->conversation && m->id == o->id &&
	       m->user_to == 0 &&
	       m->user_from == user_session_user(from->session);
}

static void send_to_all(struct group_test *test)
{
	struct accept_run *run = test->run;

	expect(&run->two, TEXT);
	expect(&run->three, TEXT);
	accept_step(run, "a message of user 1 to the group is saved, as seq 2",
	            says(run, &run->one, test->group, TEXT) &&
	                    run->one.result.seq == 2);
	test->seq = run->one.result.seq;
	accept_step(run, "user 2 received it",
	            has_it(run, &run->one, &run->two));
	accept_step(run, "user 3 received it, the same",
	            has_it(run, &run->one, &run->three));
}

static void take_seen(void *context, const struct rest_answer *answer)
{
	struct group_test *test = context;
	const struct json *item;
	uint64_t user, read;

	test->found = 0;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "members", i)) != NULL; i++) {
		if (json_get_id(item, "user", &user) &&
		    json_get_id(item, "read_seq", &read) &&
		    user == user_session_user(test->run->two.session))
			test->found = read;
	}
}

static void read_it(struct group_test *test)
{
	struct accept_run *run = test->run;
	const struct user_session_receipt *r = &run->one.receipt;
	char path[PATH_LONGEST];

	run->one.got_receipt = false;
	accept_begin(run);
	user_session_read(run->two.session, test->group, test->seq);
	event_loop_run(run->loop, &run->one.got_receipt, run->timeout_ms);
	accept_step(run, "user 1 sees that user 2 has read it",
	            run->one.got_receipt && r->conversation == test->group &&
	                    r->user == user_session_user(run->two.session) &&
	                    r->read == test->seq && r->delivered == test->seq);
	path_of(path, test->group, "/members?seen=2");
	(void)accept_ask(run, &run->one, "GET", path, SPAN_NONE, take_seen,
	                 test);
	accept_step(run, "the list of who has seen it says so",
	            test->found == test->seq);
}

static bool sees_edit(struct accept_run *run, struct accept_user *user,
                      const struct group_test *test, int kind)
{
	event_loop_run(run->loop, &user->got_edit, run->timeout_ms);
	return user->got_edit && user->same_edit &&
	       (int)user->edit.kind == kind &&
	       user->edit.conversation == test->group &&
	       user->edit.seq == test->seq;
}

static void change_it(struct group_test *test)
{
	struct accept_run *run = test->run;
	struct message_draft draft = {
		.kind = DRAFT_EDIT,
		.conversation = test->group,
		.seq = test->seq,
		.text = EDITED,
	};
	struct uuid uuid;

	uuid_make(&uuid);
	expect(&run->two, EDITED);
	accept_step(run, "user 1 edits it",
	            accept_send(run, &run->one, &uuid, &draft));
	accept_step(run, "user 2 sees the edit",
	            sees_edit(run, &run->two, test, EDIT_TEXT));
	uuid_make(&uuid);
	draft.kind = DRAFT_REACT;
	draft.text = REACTION;
	expect(&run->one, REACTION);
	accept_step(run, "user 3 reacts to it",
	            accept_send(run, &run->three, &uuid, &draft));
	accept_step(run, "user 1 sees the reaction",
	            sees_edit(run, &run->one, test, EDIT_REACTION));
}

static void take_state(void *context, const struct rest_answer *answer)
{
	struct group_test *test = context;
	const struct json *item, *reaction;
	struct span text;

	test->found = 0;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "messages", i)) != NULL; i++) {
		struct message m;

		if (!message_read(item, &m) || m.seq != test->seq)
			continue;
		reaction = json_get_item(item, "reactions", 0);
		test->found = m.edited && m.revision &&
		              span_equal(m.text, EDITED) && reaction &&
		              json_get_text(reaction, "reaction", &text) &&
		              span_equal(text, REACTION);
	}
}

static void read_history(struct group_test *test)
{
	struct accept_run *run = test->run;
	char path[PATH_LONGEST];

	path_of(path, test->group, "/messages");
	accept_begin(run);
	(void)accept_ask(run, &run->two, "GET", path, SPAN_NONE, take_state,
	                 test);
	accept_step(run, "the history has its last state", test->found);
}

/* --- leaving ------------------------------------------------------------- */
static void leave(struct group_test *test)
{
	struct accept_run *run = test->run;
	char path[PATH_LONGEST];
	unsigned before;

	run->one.got_change = false;
	run->three.got_change = false;
	path_of(path, test->group, "/leave");
	accept_begin(run);
	accept_step(run, "user 3 leaves",
	            accept_ask(run, &run->three, "POST", path, SPAN_NONE, NULL,
	                       NULL) == ST_OK);
	accept_step(run, "user 1 and user 3 are notified",
	            is_notified(run, &run->one, test->group, CHANGE_left) &&
	                    is_notified(run, &run->three, test->group,
	                                CHANGE_left));
	before = run->three.messages;
	expect(&run->two, TEXT);
	(void)says(run, &run->one, test->group, TEXT);
	accept_step(run, "user 2 received what was sent since",
	            has_it(run, &run->one, &run->two));
	event_loop_run(run->loop, NULL, ACCEPT_ECHO_MS);
	accept_step(run, "user 3 did not", run->three.messages == before);
	path_of(path, test->group, "/messages");
	accept_step(run, "for user 3 the group is not there",
	            accept_ask(run, &run->three, "GET", path, SPAN_NONE, NULL,
	                       NULL) == ST_NOT_FOUND);
}

/* --- a channel ----------------------------------------------------------- */
static void take_channel(void *context, const struct rest_answer *answer)
{
	struct group_test *test = context;
	const struct json *item;
	uint64_t id;

	test->found = 0;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "channels", i)) != NULL; i++) {
		if (json_get_id(item, "id", &id) && id == test->channel)
			test->found = id;
	}
}

static void join_channel(struct group_test *test)
{
	struct accept_run *run = test->run;
	char path[PATH_LONGEST];

	accept_begin(run);
	run->one.got_change = false;
	test->channel = make(test, "channel");
	if (!is_notified(run, &run->one, test->channel, CHANGE_created))
		test->channel = 0;
	if (!accept_step(run, "user 1 makes a channel", test->channel))
		return;
	run->one.got_change = false;
	(void)snprintf(path, sizeof(path), "/channels?limit=200&search=%s",
	               test->name);
	(void)accept_ask(run, &run->two, "GET", path, SPAN_NONE, take_channel,
	                 test);
	accept_step(run, "user 2 finds it by its name",
	            test->found == test->channel);
	path_of(path, test->channel, "/join");
	accept_step(run, "and joins",
	            accept_ask(run, &run->two, "POST", path, SPAN_NONE, NULL,
	                       NULL) == ST_OK);
	accept_step(run, "user 1 is notified",
	            is_notified(run, &run->one, test->channel, CHANGE_joined));
	expect(&run->one, TEXT);
	accept_step(run, "what user 2 says there is saved",
	            says(run, &run->two, test->channel, TEXT));
	accept_step(run, "user 1 received it",
	            has_it(run, &run->two, &run->one));
}

void accept_groups(struct accept_run *run)
{
	struct group_test test = {.run = run};

	if (!accept_enter(run, &run->three, "three",
	                  "user 3 is registered and connected"))
		return;
	if (make_group(&test)) {
		send_to_all(&test);
		read_it(&test);
		change_it(&test);
		read_history(&test);
		leave(&test);
	}
	join_channel(&test);
}
