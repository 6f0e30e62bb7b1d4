/*
 * The listen command: prints messages as they arrive, and those missed before.
 */
#include "client-test/cli/event_loop.h"
#include "client-test/cli/message_line.h"
#include "client-test/cli/terminal.h"
#include "client-test/cli/user_names.h"
#include "client-test/client/user_session.h"
#include "client-test/commands.h"

#include <stdio.h>

struct listen_options {
	struct account_options account;
	uint64_t count;
	uint64_t history;
};

struct listener {
	struct event_loop *loop;
	struct user_session *session;
	struct user_names *names;
	uint64_t left; /* lines until it ends; 0: unlimited */
};

static void print_line(void *context, struct span line)
{
	struct listener *listener = context;

	if (event_loop_ended(listener->loop))
		return;
	(void)printf("%.*s\n", (int)line.len, line.data);
	(void)fflush(stdout);
	if (listener->left == 0)
		return;
	listener->left--;
	if (listener->left == 0)
		event_loop_end(listener->loop, EXIT_DONE);
}

static void online(void *context)
{
	struct listener *listener = context;

	(void)fprintf(stderr, "-- online as user %llu\n",
	              (unsigned long long)user_session_user(listener->session));
}

static void denied(void *context, enum status status, struct span why)
{
	struct listener *listener = context;

	terminal_denied(status, why);
	event_loop_end(listener->loop, EXIT_FAILED);
}

static void message(void *context, const struct message *message, bool own)
{
	const struct message_line_style style = {.conversations = true};
	struct listener *listener = context;
	struct buf line CLEANUP(buf_free) = BUF(MESSAGE_LINE_MAX);

	(void)own;
	message_line_entry(&line, message, &style);
	user_names_print(listener->names, user_session_token(listener->session),
	                 buf_span(&line));
}

static void renewed(void *context)
{
	struct listener *listener = context;

	user_names_set_token(listener->names,
	                     user_session_token(listener->session));
}

static const struct user_session_events events = {
	.renewed = renewed,
	.online = online,
	.offline = terminal_offline,
	.denied = denied,
	.message = message,
};

static void start(struct listener *listener,
                  const struct listen_options *options)
{
	struct uv_loop_s *loop = event_loop_uv(listener->loop);
	struct rest *rest = event_loop_rest(listener->loop);
	const struct user_session_config config = {
		.loop = loop,
		.rest = rest,
		.url = options->account.url,
		.session = options->account.session,
		.name = options->account.name,
		.password = options->account.password,
		.history = options->history,
		.events = &events,
		.context = listener,
	};

	listener->names = user_names_create(loop, rest, print_line, listener);
	listener->session = user_session_create(&config);
	if (!listener->session) {
		terminal_bad_url(options->account.url);
		event_loop_end(listener->loop, EXIT_USAGE);
	}
}

static int listen_run(const void *context)
{
	static struct listener listener;
	const struct listen_options *options = context;

	listener.left = options->count;
	listener.loop = event_loop_create(options->account.url);
	start(&listener, options);
	event_loop_run(listener.loop, NULL, UINT32_MAX);
	event_loop_cancel_calls(listener.loop);
	user_session_destroy(&listener.session);
	user_names_destroy(&listener.names);
	return event_loop_close(&listener.loop);
}

static const struct option_row rows[] = {
	OPTIONS_ACCOUNT("the user; registered if the name is free"),
	OPTION_NUMBER(struct listen_options, count, "--count", "0", 0,
                      1000000000, "ends after this many lines; 0: never"),
	OPTION_NUMBER(struct listen_options, history, "--history", "20", 0,
                      1000000,
                      "messages of each conversation shown at the start"),
};

const struct command listen_command = {
	.name = "listen",
	.words = "",
	.purpose = "prints every message of the user as it arrives",
	.exits = "0 after --count lines; 1 if the user cannot sign in or "
		 "stdout cannot be written; 128 + N after signal N; 100 for "
		 "wrong arguments.",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.signs_in = true,
	.options_size = sizeof(struct listen_options),
	.run = listen_run,
};
