/*
 * The devices command: lists the sessions of the user, and ends them.
 */
#include "client-test/cli/rest_session.h"
#include "client-test/cli/terminal.h"
#include "client-test/commands.h"
#include "common/base/uuid.h"

#include <stdio.h>
#include <string.h>

enum { LINE_LONGEST = 2048 };

struct devices_options {
	struct account_options account;
};

static void put_text(struct buf *line, const struct json *item,
                     const char *name)
{
	struct span text;

	if (!json_get_text(item, name, &text) || text.len == 0)
		text = SPAN("-");
	terminal_text(line, text, 0);
}

static void print_device(const struct json *item)
{
	struct buf line CLEANUP(buf_free) = BUF(LINE_LONGEST);
	bool current = false;

	put_text(&line, item, "id");
	buf_append(&line, SPAN("  used "));
	put_text(&line, item, "last_used_at");
	buf_append(&line, SPAN("  since "));
	put_text(&line, item, "created_at");
	buf_append(&line, SPAN("  from "));
	put_text(&line, item, "address");
	buf_append(&line, SPAN("  "));
	put_text(&line, item, "user_agent");
	if (json_get_bool(item, "current", &current) && current)
		buf_append(&line, SPAN("  (this one)"));
	(void)puts(buf_text(&line));
}

static void print_all(void *context, const struct rest_answer *answer)
{
	const struct json *item;

	(void)context;
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "sessions", i)); i++)
		print_device(item);
}

static bool list(struct rest_session *session, const void *id)
{
	(void)id;
	return rest_session_call(session, "devices", "GET", "/auth/sessions",
	                         SPAN_NONE, print_all, NULL);
}

static bool end(struct rest_session *session, const void *context)
{
	const char *id = context;
	char path[64];

	(void)snprintf(path, sizeof(path), "/auth/sessions/%s", id);
	if (!rest_session_call(session, id, "DELETE", path, SPAN_NONE, NULL,
	                       NULL))
		return false;
	(void)printf("ended %s\n", id);
	return true;
}

static bool end_others(struct rest_session *session, const void *id)
{
	(void)id;
	if (!rest_session_call(session, "devices", "DELETE", "/auth/sessions",
	                       SPAN_NONE, NULL, NULL))
		return false;
	(void)puts("ended all others");
	return true;
}

static int usage(void)
{
	(void)fprintf(stderr, "client-test devices %s\n",
	              devices_command.words);
	return EXIT_USAGE;
}

static int devices_run(const void *context)
{
	const struct devices_options *options = context;
	const struct options *given = &options->account.options;
	rest_session_work *verb = NULL;
	const char *id = given->word_count == 2 ? given->words[1] : "";
	struct uuid uuid;

	if (given->word_count == 0)
		verb = list;
	else if (given->word_count == 1 &&
	         !strcmp(given->words[0], "end-others"))
		verb = end_others;
	else if (given->word_count == 2 && !strcmp(given->words[0], "end") &&
	         uuid_parse(span_of(id), &uuid))
		verb = end;
	if (!verb)
		return usage();
	return rest_session_run(&options->account, verb, id);
}

static const struct option_row rows[] = {
	OPTIONS_ACCOUNT("you; registered if the name is free"),
};

const struct command devices_command = {
	.name = "devices",
	.words = "[end ID|end-others]",
	.purpose = "lists where you are signed in, ends one or all others",
	.exits = "0 if all was done; 1 if something was refused or failed, "
		 "with the reason on stderr; 128 + N after signal N; 100 for "
		 "wrong arguments.",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = 2,
	.signs_in = true,
	.options_size = sizeof(struct devices_options),
	.run = devices_run,
};
