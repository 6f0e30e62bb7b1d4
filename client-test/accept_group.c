/*
 * The acceptance run's second part: a group of three, from its making to the
 * leave of one, and a channel that is found and joined.
 */
#include "client-test/accept_run.h"
#include "common/base/json_write.h"

#include <stdio.h>

enum { PATH_LONGEST = 128, BODY_LONGEST = 512 };

#define TEXT     SPAN("hello all \xf0\x9f\x91\x8b")
#define EDITED   SPAN("hello, all")
#define REACTION SPAN("\xf0\x9f\x91\x8d")

struct place {
	struct accept_run *run;
	uint64_t group, channel;
	char name[UUID_TEXT_LEN + 1]; /* of the last that was made */
	uint64_t found;               /* what an answer said */
	uint64_t seq;                 /* of the message that all get */
};

static void path_of(char *to, uint64_t conversation, const char *behind)
{
	(void)snprintf(to, PATH_LONGEST, "/conversations/%llu%s",
	               (unsigned long long)conversation, behind);
}

/* --- making ----------------------------------------------------------------
 */
static void take_id(void *context, const struct rest_answer *answer)
{
	struct place *place = context;

	if (answer->status != ST_OK ||
	    !json_get_id(answer->json, "id", &place->found))
		place->found = 0;
}

static uint64_t make(struct place *place, const char *kind)
{
	struct accept_run *run = place->run;
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);
	struct uuid uuid;

	uuid_make(&uuid);
	uuid_format(&uuid, place->name);
	json_open(&w);
	json_text(&w, "kind", span_of(kind));
	json_text(&w, "name", span_of(place->name)); /* nobody else's */
	json_open_array(&w, "users");
	if (*kind == 'g') {
		json_number(&w, NULL, talker_user(run->two.talker));
		json_number(&w, NULL, talker_user(run->three.talker));
	}
	json_close_array(&w);
	json_text(&w, "uuid", span_of(place->name));
	json_close(&w);
	(void)accept_ask(run, &run->one, "POST", "/conversations",
	                 buf_span(&body), take_id, place);
	return place->found;
}

static bool is_told(struct accept_run *run, struct accept_actor *actor,
                    uint64_t conversation, enum message_change change)
{
	stage_run(run->stage, &actor->got_change, run->timeout_ms);
	return actor->got_change &&
	       actor->change.conversation == conversation &&
	       actor->change.change == change;
}

static bool make_group(struct place *place)
{
	struct accept_run *run = place->run;
	bool told;

	accept_begin(run);
	place->group = make(place, "group");
	if (!accept_step(run, "user 1 makes a group of three", place->group))
		return false;
	told = is_told(run, &run->one, place->group, CHANGE_created);
	told &= is_told(run, &run->two, place->group, CHANGE_created);
	told &= is_told(run, &run->three, place->group, CHANGE_created);
	return accept_step(run, "all three are told of it", told);
}

/* --- talking ---------------------------------------------------------------
 */
static bool says(struct accept_run *run, struct accept_actor *from,
                 uint64_t conversation, struct span text)
{
	const struct outbox_draft draft = {
		.conversation = conversation,
		.text = text,
	};
	struct uuid uuid;

	uuid_make(&uuid);
	return accept_send(run, from, &uuid, &draft);
}

static void expect(struct accept_actor *actor, struct span text)
{
	actor->got_message = false;
	actor->got_edit = false;
	actor->expected = text;
}

static bool has_it(struct accept_run *run, const struct accept_actor *from,
                   struct accept_actor *to)
{
	const struct outcome *o = &from->outcome;
	const struct message *m = &to->message;

	stage_run(run->stage, &to->got_message, run->timeout_ms);
	return to->got_message && to->same_text && m->seq == o->seq &&
	       m->conversation == o->conversation && m->id == o->id &&
	       m->user_to == 0 && m->user_from == talker_user(from->talker);
}

static void send_to_all(struct place *place)
{
	struct accept_run *run = place->run;

	expect(&run->two, TEXT);
	expect(&run->three, TEXT);
	accept_step(run, "a message of user 1 to the group is saved, as seq 2",
	            says(run, &run->one, place->group, TEXT) &&
	                    run->one.outcome.seq == 2);
	place->seq = run->one.outcome.seq;
	accept_step(run, "user 2 received it",
	            has_it(run, &run->one, &run->two));
	accept_step(run, "user 3 received it, the same",
	            has_it(run, &run->one, &run->three));
}

static void take_seen(void *context, const struct rest_answer *answer)
{
	struct place *place = context;
	const struct json *item;
	uint64_t user, read;

	place->found = 0;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "members", i)) != NULL; i++) {
		if (json_get_id(item, "user", &user) &&
		    json_get_id(item, "read_seq", &read) &&
		    user == talker_user(place->run->two.talker))
			place->found = read;
	}
}

static void read_it(struct place *place)
{
	struct accept_run *run = place->run;
	const struct talker_receipt *r = &run->one.receipt;
	char path[PATH_LONGEST];

	run->one.got_receipt = false;
	accept_begin(run);
	talker_read(run->two.talker, place->group, place->seq);
	stage_run(run->stage, &run->one.got_receipt, run->timeout_ms);
	accept_step(run, "user 1 sees that user 2 has read it",
	            run->one.got_receipt && r->conversation == place->group &&
	                    r->user == talker_user(run->two.talker) &&
	                    r->read == place->seq &&
	                    r->delivered == place->seq);
	path_of(path, place->group, "/members?seen=2");
	(void)accept_ask(run, &run->one, "GET", path, SPAN_NONE, take_seen,
	                 place);
	accept_step(run, "the list of who has seen it says so",
	            place->found == place->seq);
}

static bool sees_edit(struct accept_run *run, struct accept_actor *actor,
                      const struct place *place, int kind)
{
	stage_run(run->stage, &actor->got_edit, run->timeout_ms);
	return actor->got_edit && actor->same_edit &&
	       (int)actor->edit.kind == kind &&
	       actor->edit.conversation == place->group &&
	       actor->edit.seq == place->seq;
}

static void change_it(struct place *place)
{
	struct accept_run *run = place->run;
	struct outbox_draft draft = {
		.kind = OUTBOX_EDIT,
		.conversation = place->group,
		.seq = place->seq,
		.text = EDITED,
	};
	struct uuid uuid;

	uuid_make(&uuid);
	expect(&run->two, EDITED);
	accept_step(run, "user 1 edits it",
	            accept_send(run, &run->one, &uuid, &draft));
	accept_step(run, "user 2 sees the edit",
	            sees_edit(run, &run->two, place, EDIT_TEXT));
	uuid_make(&uuid);
	draft.kind = OUTBOX_REACT;
	draft.text = REACTION;
	expect(&run->one, REACTION);
	accept_step(run, "user 3 reacts to it",
	            accept_send(run, &run->three, &uuid, &draft));
	accept_step(run, "user 1 sees the reaction",
	            sees_edit(run, &run->one, place, EDIT_REACTION));
}

static void take_state(void *context, const struct rest_answer *answer)
{
	struct place *place = context;
	const struct json *item, *reaction;
	struct span text;

	place->found = 0;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "messages", i)) != NULL; i++) {
		struct message m;

		if (!message_read(item, &m) || m.seq != place->seq)
			continue;
		reaction = json_get_item(item, "reactions", 0);
		place->found = m.edited && m.revision &&
		               span_equal(m.text, EDITED) && reaction &&
		               json_get_text(reaction, "reaction", &text) &&
		               span_equal(text, REACTION);
	}
}

static void read_history(struct place *place)
{
	struct accept_run *run = place->run;
	char path[PATH_LONGEST];

	path_of(path, place->group, "/messages");
	accept_begin(run);
	(void)accept_ask(run, &run->two, "GET", path, SPAN_NONE, take_state,
	                 place);
	accept_step(run, "the history has its last state", place->found);
}

/* --- leaving ---------------------------------------------------------------
 */
static void leave(struct place *place)
{
	struct accept_run *run = place->run;
	char path[PATH_LONGEST];
	unsigned before;

	run->one.got_change = false;
	run->three.got_change = false;
	path_of(path, place->group, "/leave");
	accept_begin(run);
	accept_step(run, "user 3 leaves",
	            accept_ask(run, &run->three, "POST", path, SPAN_NONE, NULL,
	                       NULL) == ST_OK);
	accept_step(
		run, "user 1 and user 3 are told",
		is_told(run, &run->one, place->group, CHANGE_left) &&
			is_told(run, &run->three, place->group, CHANGE_left));
	before = run->three.messages;
	expect(&run->two, TEXT);
	(void)says(run, &run->one, place->group, TEXT);
	accept_step(run, "user 2 received what was sent since",
	            has_it(run, &run->one, &run->two));
	stage_run(run->stage, NULL, ACCEPT_ECHO_MS);
	accept_step(run, "user 3 did not", run->three.messages == before);
	path_of(path, place->group, "/messages");
	accept_step(run, "for user 3 the group is not there",
	            accept_ask(run, &run->three, "GET", path, SPAN_NONE, NULL,
	                       NULL) == ST_NOT_FOUND);
}

/* --- a channel -------------------------------------------------------------
 */
static void take_channel(void *context, const struct rest_answer *answer)
{
	struct place *place = context;
	const struct json *item;
	uint64_t id;

	place->found = 0;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "channels", i)) != NULL; i++) {
		if (json_get_id(item, "id", &id) && id == place->channel)
			place->found = id;
	}
}

static void join_channel(struct place *place)
{
	struct accept_run *run = place->run;
	char path[PATH_LONGEST];

	accept_begin(run);
	run->one.got_change = false;
	place->channel = make(place, "channel");
	if (!is_told(run, &run->one, place->channel, CHANGE_created))
		place->channel = 0;
	if (!accept_step(run, "user 1 makes a channel", place->channel))
		return;
	run->one.got_change = false;
	(void)snprintf(path, sizeof(path), "/channels?limit=200&search=%s",
	               place->name);
	(void)accept_ask(run, &run->two, "GET", path, SPAN_NONE, take_channel,
	                 place);
	accept_step(run, "user 2 finds it by its name",
	            place->found == place->channel);
	path_of(path, place->channel, "/join");
	accept_step(run, "and joins",
	            accept_ask(run, &run->two, "POST", path, SPAN_NONE, NULL,
	                       NULL) == ST_OK);
	accept_step(run, "user 1 is told",
	            is_told(run, &run->one, place->channel, CHANGE_joined));
	expect(&run->one, TEXT);
	accept_step(run, "what user 2 says there is saved",
	            says(run, &run->two, place->channel, TEXT));
	accept_step(run, "user 1 received it",
	            has_it(run, &run->two, &run->one));
}

void accept_groups(struct accept_run *run)
{
	struct place place = {.run = run};

	if (!accept_enter(run, &run->three, "three",
	                  "user 3 is registered and connected"))
		return;
	if (make_group(&place)) {
		send_to_all(&place);
		read_it(&place);
		change_it(&place);
		read_history(&place);
		leave(&place);
	}
	join_channel(&place);
}
