/*
 * Groups and channels: made, joined, left, changed and looked at.
 *
 * The first word says what to do, the words behind it are people by their
 * names (channel find: what the name has). --in is a conversation of mine.
 */
#include "client-test/cli/channels.h"
#include "client-test/cli/roster.h"
#include "client-test/cli/show.h"
#include "client-test/commands.h"
#include "common/base/json_write.h"
#include "common/base/uuid.h"

#include <stdio.h>
#include <string.h>

enum { BODY_LONGEST = 16 * 1024, PATH_LONGEST = 1024 };

struct errand {
	struct caller *caller;
	const struct options *options;
	const char *kind; /* "group" or "channel" */
	struct room room; /* --in, where a verb needs it */
};

/* --- what is needed --------------------------------------------------------
 */
static bool needs(struct errand *errand, const char *option, const char *value)
{
	if (*value)
		return true;
	caller_fail(errand->caller, "%s %s needs %s", errand->kind,
	            errand->options->words[0], option);
	return false;
}

static unsigned people_count(const struct errand *errand)
{
	return errand->options->word_count - 1;
}

static const char *person(const struct errand *errand, unsigned index)
{
	return errand->options->words[index + 1];
}

static bool needs_people(struct errand *errand, unsigned at_most)
{
	if (people_count(errand) > 0 && people_count(errand) <= at_most)
		return true;
	caller_fail(errand->caller, "%s %s needs %s by name behind it",
	            errand->kind, errand->options->words[0],
	            at_most == 1 ? "one person" : "people");
	return false;
}

static void path_of(struct buf *out, const struct errand *errand,
                    const char *behind)
{
	buf_format(out, "/conversations/%llu%s",
	           (unsigned long long)errand->room.id, behind);
}

/* "users":[…], of the people named. */
static bool write_users(struct errand *errand, struct json_writer *w)
{
	json_open_array(w, "users");
	for (unsigned i = 0; i < people_count(errand); i++) {
		uint64_t user;

		if (!caller_find_user(errand->caller, person(errand, i), &user))
			return false;
		json_number(w, NULL, user);
	}
	json_close_array(w);
	return true;
}

static bool ask(struct errand *errand, const char *method, const char *behind,
                struct span body, rest_done *take)
{
	struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);

	path_of(&path, errand, behind);
	return caller_ask(errand->caller, errand->options->words[0], method,
	                  buf_text(&path), body, take, errand);
}

static void print_room(const char *what, const struct room *room)
{
	struct buf line CLEANUP(buf_free) = BUF(PATH_LONGEST);

	buf_format(&line, "%s  %.*s %llu  ", what, (int)room->kind.len,
	           room->kind.data, (unsigned long long)room->id);
	show_text(&line, room->title, 0);
	(void)puts(buf_text(&line));
}

static void print_person(const char *what, const char *name,
                         const struct room *room)
{
	(void)printf("%s  %s  %.*s %llu\n", what, name, (int)room->kind.len,
	             room->kind.data, (unsigned long long)room->id);
}

/* --- verbs -----------------------------------------------------------------
 */
static void print_created(void *context, const struct rest_answer *answer)
{
	struct room room;

	(void)context;
	if (room_read(answer->json, &room))
		print_room("created", &room);
}

static void create(struct errand *errand)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);
	char text[UUID_TEXT_LEN + 1];
	struct uuid uuid;

	if (!needs(errand, "--title", errand->options->title))
		return;
	uuid_make(&uuid);
	uuid_format(&uuid, text);
	json_open(&w);
	json_text(&w, "kind", span_of(errand->kind));
	json_text(&w, "name", span_of(errand->options->title));
	if (!write_users(errand, &w))
		return;
	if (*errand->options->history_for)
		json_text(&w, "history", span_of(errand->options->history_for));
	json_text(&w, "uuid", span_of(text));
	json_close(&w);
	(void)caller_ask(errand->caller, "create", "POST", "/conversations",
	                 buf_span(&body), print_created, errand);
}

static void invite(struct errand *errand)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);

	if (!needs_people(errand, UINT32_MAX))
		return;
	json_open(&w);
	if (!write_users(errand, &w))
		return;
	json_close(&w);
	if (!ask(errand, "POST", "/members", buf_span(&body), NULL))
		return;
	for (unsigned i = 0; i < people_count(errand); i++)
		print_person("invited", person(errand, i), &errand->room);
}

static void remove_one(struct errand *errand, const char *name)
{
	char behind[64];
	uint64_t user;

	if (!caller_find_user(errand->caller, name, &user))
		return;
	(void)snprintf(behind, sizeof(behind), "/members/%llu",
	               (unsigned long long)user);
	if (ask(errand, "DELETE", behind, SPAN_NONE, NULL))
		print_person("removed", name, &errand->room);
}

static void remove_people(struct errand *errand)
{
	if (!needs_people(errand, UINT32_MAX))
		return;
	for (unsigned i = 0; i < people_count(errand); i++)
		remove_one(errand, person(errand, i));
}

static void role(struct errand *errand)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);
	char behind[64];
	uint64_t user;

	if (!needs(errand, "--role", errand->options->role) ||
	    !needs_people(errand, 1) ||
	    !caller_find_user(errand->caller, person(errand, 0), &user))
		return;
	json_open(&w);
	json_text(&w, "role", span_of(errand->options->role));
	json_close(&w);
	(void)snprintf(behind, sizeof(behind), "/members/%llu",
	               (unsigned long long)user);
	if (ask(errand, "PATCH", behind, buf_span(&body), NULL))
		print_person(errand->options->role, person(errand, 0),
		             &errand->room);
}

static void leave(struct errand *errand)
{
	if (ask(errand, "POST", "/leave", SPAN_NONE, NULL))
		print_room("left", &errand->room);
}

static void delete (struct errand *errand)
{
	if (ask(errand, "DELETE", "", SPAN_NONE, NULL))
		print_room("deleted", &errand->room);
}

static void change(struct errand *errand, const char *member, const char *value,
                   const char *what)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);

	json_open(&w);
	json_text(&w, member, span_of(value));
	json_close(&w);
	if (ask(errand, "PATCH", "", buf_span(&body), NULL))
		print_room(what, &errand->room);
}

static void rename_it(struct errand *errand)
{
	const char *title = errand->options->title;

	if (!needs(errand, "--title", title))
		return;
	errand->room.title = span_of(title);
	change(errand, "name", title, "renamed");
}

static void set_history(struct errand *errand)
{
	const char *history = errand->options->history_for;

	if (needs(errand, "--history", history))
		change(errand, "history", history, history);
}

/* --- lists -----------------------------------------------------------------
 */
static void members(struct errand *errand)
{
	struct roster roster;

	if (roster_read(errand->caller, errand->room.id, &roster)) {
		for (unsigned i = 0; i < roster.count; i++) {
			const struct roster_member *m = &roster.members[i];

			(void)printf("%-6s  %s  read %llu  delivered %llu\n",
			             m->role,
			             caller_name(errand->caller, m->user),
			             (unsigned long long)m->read_seq,
			             (unsigned long long)m->delivered_seq);
		}
	}
	roster_free(&roster);
}

static void print_channel(const struct channel *channel)
{
	struct buf line CLEANUP(buf_free) = BUF(PATH_LONGEST);

	buf_format(&line, "channel %llu  ", (unsigned long long)channel->id);
	show_text(&line, span_of(channel->name), 0);
	buf_format(&line, "  %llu members%s",
	           (unsigned long long)channel->members,
	           channel->joined ? ", you too" : "");
	(void)puts(buf_text(&line));
}

static void find(struct errand *errand)
{
	const char *search = people_count(errand) ? person(errand, 0) : "";
	struct channels found;

	if (channels_read(errand->caller, search, errand->options->count,
	                  &found)) {
		for (unsigned i = 0; i < found.count; i++)
			print_channel(&found.all[i]);
		if (!found.count)
			caller_fail(errand->caller, "no channel has '%s'",
			            search);
	}
	channels_free(&found);
}

/* One joins what one is not in yet: it is looked for among all channels. */
static bool find_channel(struct errand *errand)
{
	const char *in = errand->options->in;
	struct channels found;

	if (span_to_u64(span_of(in), JSON_ID_MAX, &errand->room.id))
		return true;
	if (channels_read(errand->caller, in, UINT64_MAX, &found)) {
		for (unsigned i = 0; i < found.count; i++) {
			if (!strcmp(found.all[i].name, in))
				errand->room.id = found.all[i].id;
		}
		if (!errand->room.id)
			caller_fail(errand->caller, "no channel is called '%s'",
			            in);
	}
	channels_free(&found);
	return errand->room.id;
}

static void join(struct errand *errand)
{
	errand->room = (struct room){.kind = SPAN("channel"),
	                             .title = span_of(errand->options->in)};
	if (needs(errand, "--in", errand->options->in) &&
	    find_channel(errand) &&
	    ask(errand, "POST", "/join", SPAN_NONE, NULL))
		print_room("joined", &errand->room);
}

/* --- the table -------------------------------------------------------------
 */
static const struct verb {
	const char *name;
	void (*run)(struct errand *errand);
	bool in;           /* --in is a conversation of mine */
	bool channel_only; /* not for groups */
} verbs[] = {
	{"create", create, false, false},
	{"invite", invite, true, false},
	{"remove", remove_people, true, false},
	{"leave", leave, true, false},
	{"rename", rename_it, true, false},
	{"history", set_history, true, false},
	{"role", role, true, false},
	{"members", members, true, false},
	{"delete", delete, true, false},
	{"join", join, false, true},
	{"find", find, false, true},
};

static const struct verb *find_verb(const char *kind,
                                    const struct options *options)
{
	for (size_t i = 0; options->word_count && i < ARRAY_LEN(verbs); i++) {
		if (!strcmp(verbs[i].name, options->words[0]) &&
		    (!verbs[i].channel_only || !strcmp(kind, "channel")))
			return &verbs[i];
	}
	return NULL;
}

static void run_verb(struct errand *errand, const struct verb *verb)
{
	if (verb->in && (!needs(errand, "--in", errand->options->in) ||
	                 !caller_find_room(errand->caller, errand->options->in,
	                                   &errand->room)))
		return;
	verb->run(errand);
}

static int run(const struct command *command, const struct options *options)
{
	const struct verb *verb = find_verb(command->name, options);
	struct errand errand = {
		.options = options,
		.kind = command->name,
	};

	if (!verb) {
		(void)fprintf(stderr, "client-test %s %s\n", command->name,
		              command->words);
		return EXIT_USAGE;
	}
	errand.caller = caller_create(options);
	if (!errand.caller)
		return EXIT_FAILED;
	run_verb(&errand, verb);
	return caller_destroy(&errand.caller);
}

static int group_run(const struct options *options)
{
	return run(&group_command, options);
}

static int channel_run(const struct options *options)
{
	return run(&channel_command, options);
}

static const struct option_row rows[] = {
	OPTION_URL,
	OPTIONS_WHO("you; registered when the name is free"),
	OPTION_TEXT(in, "--in", "WHICH", "", NULL,
                    "the conversation, by its title or number"),
	OPTION_TEXT(title, "--title", "TEXT", "", NULL,
                    "create, rename: the new title"),
	OPTION_TEXT(history_for, "--history", "WHAT", "", NULL,
                    "create, history: who comes in sees all, or from joined "
                    "on"),
	OPTION_TEXT(role, "--role", "ROLE", "", NULL,
                    "role: owner, admin or member"),
	OPTION_NUMBER(count, "--count", "200", 1, 1000000,
                      "find: about so many at most"),
};

const struct command group_command = {
	.name = "group",
	.words = "create|invite|remove|leave|rename|history|role|members|"
		 "delete [USER...]",
	.purpose = "makes and changes groups",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = UINT32_MAX,
	.run = group_run,
};

const struct command channel_command = {
	.name = "channel",
	.words = "create|find|join|invite|remove|leave|rename|history|role|"
		 "members|delete [USER|TEXT...]",
	.purpose = "makes, finds, joins and changes channels",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = UINT32_MAX,
	.run = channel_run,
};
