/*
 * Prints what arrives, and what came while nobody listened.
 */
#include "client-test/cli/line.h"
#include "client-test/cli/people.h"
#include "client-test/cli/show.h"
#include "client-test/client/stage.h"
#include "client-test/client/talker.h"
#include "client-test/commands.h"

#include <stdio.h>

struct listener {
	struct stage *stage;
	struct talker *talker;
	struct people *people;
	uint64_t left; /* messages until it ends; 0: never */
};

static void print_line(void *context, struct span line)
{
	struct listener *listener = context;

	if (stage_over(listener->stage))
		return;
	(void)printf("%.*s\n", (int)line.len, line.data);
	(void)fflush(stdout);
	if (listener->left == 0)
		return; /* without --count: for ever */
	listener->left--;
	if (listener->left == 0)
		stage_end(listener->stage, EXIT_DONE);
}

static void online(void *context)
{
	struct listener *listener = context;

	(void)fprintf(stderr, "-- online as user %llu\n",
	              (unsigned long long)talker_user(listener->talker));
}

static void denied(void *context, enum status status, struct span why)
{
	struct listener *listener = context;

	show_denied(status, why);
	stage_end(listener->stage, EXIT_FAILED);
}

static void message(void *context, const struct message *message, bool own)
{
	const struct line_style style = {.rooms = true};
	struct listener *listener = context;
	struct buf line CLEANUP(buf_free) = BUF(LINE_LONGEST);

	(void)own;
	line_entry(&line, message, &style);
	people_put(listener->people, talker_token(listener->talker),
	           buf_span(&line));
}

static void accepted(void *context, const struct outbox_entry *entry)
{
	(void)context;
	(void)entry;
}

static void settled(void *context, const struct outcome *outcome)
{
	(void)context;
	(void)outcome;
}

static const struct talker_events events = {
	.online = online,
	.offline = show_offline,
	.denied = denied,
	.message = message,
	.accepted = accepted,
	.settled = settled,
};

static void start(struct listener *listener, const struct options *options)
{
	struct uv_loop_s *loop = stage_loop(listener->stage);
	struct rest *rest = stage_rest(listener->stage);
	const struct talker_setup setup = {
		.loop = loop,
		.rest = rest,
		.url = options->url,
		.name = options->name,
		.password = options->password,
		.history = options->history,
		.events = &events,
		.context = listener,
	};

	listener->people = people_create(loop, rest, print_line, listener);
	listener->talker = talker_create(&setup);
	if (!listener->talker) {
		(void)fprintf(stderr, "%s is no http://host:port\n",
		              options->url);
		stage_end(listener->stage, EXIT_USAGE);
	}
}

static int listen_run(const struct options *options)
{
	static struct listener listener;

	listener.left = options->count;
	listener.stage = stage_create(options->url);
	start(&listener, options);
	stage_run(listener.stage, NULL, UINT32_MAX);
	stage_leave(listener.stage);
	talker_destroy(&listener.talker);
	people_destroy(&listener.people);
	return stage_stop(&listener.stage);
}

static const struct option_row rows[] = {
	OPTION_URL,
	OPTIONS_WHO("who listens; registered when the name is free"),
	OPTION_NUMBER(count, "--count", "0", 0, 1000000000,
                      "ends after so many lines, 0: never"),
	OPTION_NUMBER(history, "--history", "20", 0, 1000000,
                      "messages of each conversation shown at the start"),
};

const struct command listen_command = {
	.name = "listen",
	.words = "",
	.purpose = "prints every message as it arrives, whoever it is to",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.run = listen_run,
};
