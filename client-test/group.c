/*
 * The group and channel commands: create, join, leave, change and list them.
 *
 * The first word is the verb; the other words are names of users (channel find:
 * a part of the channel's name). --in is a conversation of the user.
 */
#include "client-test/cli/channels.h"
#include "client-test/cli/roster.h"
#include "client-test/cli/terminal.h"
#include "client-test/commands.h"
#include "common/base/json_write.h"
#include "common/base/uuid.h"

#include <stdio.h>
#include <string.h>

enum { BODY_LONGEST = 16 * 1024, PATH_LONGEST = 1024 };

struct group_options {
	struct account_options account;
	const char *in;
	const char *title;
	const char *history_for; /* new members see: "all" or "joined" */
	const char *role;
	uint64_t count;
};

struct request {
	struct rest_session *session;
	const struct group_options *options;
	const char *kind;                /* "group" or "channel" */
	struct conversation_info target; /* --in, if the verb needs it */
};

/* --- arguments ----------------------------------------------------------- */
static bool needs(struct request *request, const char *option,
                  const char *value)
{
	if (*value)
		return true;
	rest_session_fail(request->session, "%s %s needs %s", request->kind,
	                  request->options->account.options.words[0], option);
	return false;
}

static unsigned user_count(const struct request *request)
{
	return request->options->account.options.word_count - 1;
}

static const char *user_name(const struct request *request, unsigned index)
{
	return request->options->account.options.words[index + 1];
}

static bool needs_users(struct request *request, unsigned at_most)
{
	if (user_count(request) > 0 && user_count(request) <= at_most)
		return true;
	rest_session_fail(request->session, "%s %s needs %s by name behind it",
	                  request->kind,
	                  request->options->account.options.words[0],
	                  at_most == 1 ? "one person" : "people");
	return false;
}

/* Writes "users":[…], the ids of the users named. */
static bool write_users(struct request *request, struct json_writer *w)
{
	json_open_array(w, "users");
	for (unsigned i = 0; i < user_count(request); i++) {
		uint64_t user;

		if (!rest_session_find_user(request->session,
		                            user_name(request, i), &user))
			return false;
		json_number(w, NULL, user);
	}
	json_close_array(w);
	return true;
}

/* `body` may be NULL. */
static bool call_path(struct request *request, const char *method,
                      const char *path, const struct buf *body, rest_done *take)
{
	const char *verb = request->options->account.options.words[0];

	if (body && buf_overflowed(body)) {
		rest_session_fail(request->session,
		                  "%s: the request is too long", verb);
		return false;
	}
	return rest_session_call(request->session, verb, method, path,
	                         body ? buf_span(body) : SPAN_NONE, take,
	                         request);
}

static bool call(struct request *request, const char *method,
                 const char *behind, const struct buf *body)
{
	struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);

	buf_format(&path, "/conversations/%llu%s",
	           (unsigned long long)request->target.id, behind);
	return call_path(request, method, buf_text(&path), body, NULL);
}

static void print_conversation(const char *what,
                               const struct conversation_info *info)
{
	struct buf line CLEANUP(buf_free) = BUF(PATH_LONGEST);

	buf_format(&line, "%s  %.*s %llu  ", what, (int)info->kind.len,
	           info->kind.data, (unsigned long long)info->id);
	terminal_text(&line, info->title, 0);
	(void)puts(buf_text(&line));
}

static void print_user(const char *what, const char *name,
                       const struct conversation_info *info)
{
	(void)printf("%s  %s  %.*s %llu\n", what, name, (int)info->kind.len,
	             info->kind.data, (unsigned long long)info->id);
}

/* --- verbs --------------------------------------------------------------- */
static void print_created(void *context, const struct rest_answer *answer)
{
	struct conversation_info info;

	(void)context;
	if (conversation_info_read(answer->json, &info))
		print_conversation("created", &info);
}

static void create(struct request *request)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);
	char text[UUID_TEXT_LEN + 1];
	struct uuid uuid;

	if (!needs(request, "--title", request->options->title))
		return;
	uuid_make(&uuid);
	uuid_format(&uuid, text);
	json_open(&w);
	json_text(&w, "kind", span_of(request->kind));
	json_text(&w, "name", span_of(request->options->title));
	if (!write_users(request, &w))
		return;
	if (*request->options->history_for)
		json_text(&w, "history",
		          span_of(request->options->history_for));
	json_text(&w, "uuid", span_of(text));
	json_close(&w);
	(void)call_path(request, "POST", "/conversations", &body,
	                print_created);
}

static void invite(struct request *request)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);

	if (!needs_users(request, UINT32_MAX))
		return;
	json_open(&w);
	if (!write_users(request, &w))
		return;
	json_close(&w);
	if (!call(request, "POST", "/members", &body))
		return;
	for (unsigned i = 0; i < user_count(request); i++)
		print_user("invited", user_name(request, i), &request->target);
}

static void remove_one(struct request *request, const char *name)
{
	char behind[64];
	uint64_t user;

	if (!rest_session_find_user(request->session, name, &user))
		return;
	(void)snprintf(behind, sizeof(behind), "/members/%llu",
	               (unsigned long long)user);
	if (call(request, "DELETE", behind, NULL))
		print_user("removed", name, &request->target);
}

static void remove_users(struct request *request)
{
	if (!needs_users(request, UINT32_MAX))
		return;
	for (unsigned i = 0; i < user_count(request); i++)
		remove_one(request, user_name(request, i));
}

static void role(struct request *request)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);
	char behind[64];
	uint64_t user;

	if (!needs(request, "--role", request->options->role) ||
	    !needs_users(request, 1) ||
	    !rest_session_find_user(request->session, user_name(request, 0),
	                            &user))
		return;
	json_open(&w);
	json_text(&w, "role", span_of(request->options->role));
	json_close(&w);
	(void)snprintf(behind, sizeof(behind), "/members/%llu",
	               (unsigned long long)user);
	if (call(request, "PATCH", behind, &body))
		print_user(request->options->role, user_name(request, 0),
		           &request->target);
}

static void leave(struct request *request)
{
	if (call(request, "POST", "/leave", NULL))
		print_conversation("left", &request->target);
}

static void delete (struct request *request)
{
	if (call(request, "DELETE", "", NULL))
		print_conversation("deleted", &request->target);
}

static void change(struct request *request, const char *member,
                   const char *value, const char *what)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);
	struct json_writer w = json_writer(&body);

	json_open(&w);
	json_text(&w, member, span_of(value));
	json_close(&w);
	if (call(request, "PATCH", "", &body))
		print_conversation(what, &request->target);
}

static void rename_it(struct request *request)
{
	const char *title = request->options->title;

	if (!needs(request, "--title", title))
		return;
	request->target.title = span_of(title);
	change(request, "name", title, "renamed");
}

static void set_history(struct request *request)
{
	const char *history = request->options->history_for;

	if (needs(request, "--history", history))
		change(request, "history", history, history);
}

/* --- lists --------------------------------------------------------------- */
static void members(struct request *request)
{
	struct roster roster;

	if (roster_read(request->session, request->target.id, &roster)) {
		for (unsigned i = 0; i < roster.count; i++) {
			const struct roster_member *m = &roster.members[i];

			(void)printf("%-6s  %s  read %llu  delivered %llu\n",
			             m->role,
			             rest_session_user_name(request->session,
			                                    m->user),
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
	terminal_text(&line, span_of(channel->name), 0);
	buf_format(&line, "  %llu members%s",
	           (unsigned long long)channel->members,
	           channel->joined ? ", you too" : "");
	(void)puts(buf_text(&line));
}

static void find(struct request *request)
{
	const char *search = user_count(request) ? user_name(request, 0) : "";
	struct channels found;

	if (channels_read(request->session, search, request->options->count,
	                  &found)) {
		for (unsigned i = 0; i < found.count; i++)
			print_channel(&found.all[i]);
		if (!found.count)
			rest_session_fail(request->session,
			                  "no channel has '%s'", search);
	}
	channels_free(&found);
}

/* The user is not a member yet, so the search covers all channels. */
static bool find_channel(struct request *request)
{
	const char *in = request->options->in;
	struct channels found;

	if (span_to_u64(span_of(in), JSON_ID_MAX, &request->target.id))
		return true;
	if (channels_read(request->session, in, UINT64_MAX, &found)) {
		for (unsigned i = 0; i < found.count; i++) {
			if (!strcmp(found.all[i].name, in))
				request->target.id = found.all[i].id;
		}
		if (!request->target.id)
			rest_session_fail(request->session,
			                  "no channel is called '%s'", in);
	}
	channels_free(&found);
	return request->target.id;
}

static void join(struct request *request)
{
	request->target = (struct conversation_info){
		.kind = SPAN("channel"),
		.title = span_of(request->options->in)};
	if (needs(request, "--in", request->options->in) &&
	    find_channel(request) && call(request, "POST", "/join", NULL))
		print_conversation("joined", &request->target);
}

/* --- the table ----------------------------------------------------------- */
static const struct verb {
	const char *name;
	void (*run)(struct request *request);
	bool in;           /* --in is a conversation of the user */
	bool channel_only; /* not for groups */
} verbs[] = {
	{"create", create, false, false},
	{"invite", invite, true, false},
	{"remove", remove_users, true, false},
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

static int run(const struct command *command,
               const struct group_options *options)
{
	const struct verb *verb =
		find_verb(command->name, &options->account.options);
	struct request request = {
		.options = options,
		.kind = command->name,
	};

	if (!verb) {
		(void)fprintf(stderr, "client-test %s %s\n", command->name,
		              command->words);
		return EXIT_USAGE;
	}
	request.session = rest_session_create(&options->account);
	if (!request.session)
		return EXIT_FAILED;
	if (!verb->in ||
	    (needs(&request, "--in", options->in) &&
	     rest_session_find_conversation(request.session, options->in,
	                                    &request.target)))
		verb->run(&request);
	return rest_session_destroy(&request.session);
}

static int group_run(const void *options)
{
	return run(&group_command, options);
}

static int channel_run(const void *options)
{
	return run(&channel_command, options);
}

/* The last row is for channels only. */
static const struct option_row rows[] = {
	OPTIONS_ACCOUNT("you; registered if the name is free"),
	OPTION_TEXT(struct group_options, in, "--in", "WHICH", "", NULL,
                    "the conversation, by its title or number"),
	OPTION_TEXT(struct group_options, title, "--title", "TEXT", "", NULL,
                    "create, rename: the new title"),
	OPTION_TEXT(struct group_options, history_for, "--history", "WHAT", "",
                    NULL,
                    "create, history: new members see all entries, or those "
                    "since they joined"),
	OPTION_TEXT(struct group_options, role, "--role", "ROLE", "", NULL,
                    "role: owner, admin or member"),
	OPTION_NUMBER(struct group_options, count, "--count", "200", 1, 1000000,
                      "find: stops after about this many channels"),
};

const struct command group_command = {
	.name = "group",
	.words = "create|invite|remove|leave|rename|history|role|members|"
		 "delete [USER...]",
	.purpose = "creates and changes groups",
	.exits = "0 if all was done; 1 if something was refused or failed, "
		 "with the "
		 "reason on stderr; 128 + N after signal N; 100 for wrong "
		 "arguments.",
	.rows = rows,
	.row_count = ARRAY_LEN(rows) - 1,
	.words_max = UINT32_MAX,
	.signs_in = true,
	.options_size = sizeof(struct group_options),
	.run = group_run,
};

const struct command channel_command = {
	.name = "channel",
	.words = "create|find|join|invite|remove|leave|rename|history|role|"
		 "members|delete [USER|TEXT...]",
	.purpose = "creates, finds, joins and changes channels",
	.exits = "0 if all was done; 1 if something was refused or failed, "
		 "with the "
		 "reason on stderr; 128 + N after signal N; 100 for wrong "
		 "arguments.",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = UINT32_MAX,
	.signs_in = true,
	.options_size = sizeof(struct group_options),
	.run = channel_run,
};
