/*
 * The send command: sends a text or the lines of stdin, and prints the result
 * of each.
 */
#include "client-test/cli/event_loop.h"
#include "client-test/cli/stdin_reader.h"
#include "client-test/cli/terminal.h"
#include "client-test/cli/user_names.h"
#include "client-test/client/conversation_finder.h"
#include "client-test/client/user_session.h"
#include "client-test/commands.h"
#include "common/base/clock.h"
#include "common/base/utf8.h"

#include <stdio.h>

enum { LINE_MAX_ = 16 * 1024, UNSAVED_MAX = 64 };

struct send_options {
	struct account_options account;
	const char *to; /* either a user's name … */
	const char *in; /* … or a conversation's title or id */
	uint64_t timeout_s;
};

struct sender {
	struct event_loop *loop;
	const struct send_options *options;
	struct user_session *session;
	struct user_names *names;
	struct stdin_reader *reader;
	struct buf line; /* the part of a line that was read so far */
	struct conversation_finder *finder;
	struct message_draft draft; /* the recipient */
	bool looked_up;             /* the lookup of the recipient began */
	bool input_paused;
	bool input_ended;
	unsigned refused;
};

static void end_when_done(struct sender *sender)
{
	if (sender->input_ended &&
	    pending_messages_count(user_session_pending(sender->session)) == 0)
		event_loop_end(sender->loop,
		               sender->refused ? EXIT_FAILED : EXIT_DONE);
}

static void send_text(struct sender *sender, struct span text)
{
	struct message_draft draft = sender->draft;
	struct uuid uuid;

	uuid_make(&uuid);
	if (text.len == 0)
		return;
	draft.text = text;
	if (!utf8_valid(text) ||
	    !user_session_send(sender->session, &uuid, &draft)) {
		(void)fprintf(stderr, "not sent: the line is not UTF-8\n");
		sender->refused++;
	}
}

/* --- input --------------------------------------------------------------- */
static void take_line(struct sender *sender)
{
	struct span text = buf_span(&sender->line);

	if (buf_overflowed(&sender->line)) {
		(void)fprintf(stderr, "not sent: a line over 16 KiB\n");
		sender->refused++;
	} else {
		if (text.len && text.data[text.len - 1] == '\r')
			text.len--;
		send_text(sender, text);
	}
	buf_clear(&sender->line);
}

static void go_on(struct sender *sender)
{
	if (!sender->input_paused ||
	    pending_messages_count(user_session_pending(sender->session)) >=
	            UNSAVED_MAX)
		return;
	sender->input_paused = false;
	stdin_reader_next(sender->reader);
}

static void take_input(void *context, struct span piece)
{
	struct sender *sender = context;

	for (size_t i = 0; i < piece.len; i++) {
		if (piece.data[i] == '\n')
			take_line(sender);
		else
			buf_byte(&sender->line, piece.data[i]);
	}
	if (piece.len == 0) {
		take_line(sender);
		sender->input_ended = true;
		end_when_done(sender);
		return;
	}
	sender->input_paused = true;
	go_on(sender);
}

static void start_sending(struct sender *sender)
{
	const struct options *options = &sender->options->account.options;
	struct buf text CLEANUP(buf_free) = BUF(LINE_MAX_);

	if (options->word_count == 0) {
		sender->reader = stdin_reader_create(
			event_loop_uv(sender->loop), take_input, sender);
		return;
	}
	for (unsigned i = 0; i < options->word_count; i++) {
		if (i)
			buf_byte(&text, ' ');
		buf_append(&text, span_of(options->words[i]));
	}
	send_text(sender, buf_span(&text));
	sender->input_ended = true;
	end_when_done(sender);
}

/* --- events -------------------------------------------------------------- */
static void not_found(struct sender *sender, enum status status,
                      struct span why)
{
	const struct send_options *options = sender->options;

	(void)fprintf(stderr, "%s: %s: %.*s\n",
	              *options->to ? options->to : options->in,
	              status_text(status), (int)why.len,
	              why.len ? why.data : "");
	event_loop_end(sender->loop, EXIT_FAILED);
}

static void found(void *context, enum status status, uint64_t user,
                  struct span why)
{
	struct sender *sender = context;

	sender->draft.user_to = user;
	if (status == ST_OK)
		start_sending(sender);
	else
		not_found(sender, status, why);
}

static void found_conversation(void *context, enum status status,
                               const struct conversation_info *info,
                               struct span why)
{
	struct sender *sender = context;

	if (status != ST_OK) {
		not_found(sender, status, why);
		return;
	}
	sender->draft.conversation = info->id;
	start_sending(sender);
}

static void online(void *context)
{
	struct sender *sender = context;
	struct span token = user_session_token(sender->session);

	if (sender->looked_up)
		return;
	sender->looked_up = true;
	if (*sender->options->to)
		user_names_find(sender->names, token, sender->options->to,
		                found, sender);
	else
		conversation_finder_find(sender->finder, token,
		                         sender->options->in,
		                         found_conversation, sender);
}

static void denied(void *context, enum status status, struct span why)
{
	struct sender *sender = context;

	terminal_denied(status, why);
	event_loop_end(sender->loop, EXIT_FAILED);
}

static void accepted(void *context, const struct pending_message *entry)
{
	char uuid[UUID_TEXT_LEN + 1];

	(void)context;
	uuid_format(&entry->uuid, uuid);
	(void)printf("accepted  %s\n", uuid);
	(void)fflush(stdout);
}

static void print_result(const struct send_result *result)
{
	uint64_t took_ms = clock_mono_ms() - result->entry->written_ms;
	char uuid[UUID_TEXT_LEN + 1];

	uuid_format(&result->entry->uuid, uuid);
	if (result->saved)
		(void)printf("saved     %s  conversation %llu  seq %llu  "
		             "id %llu  %llu ms\n",
		             uuid, (unsigned long long)result->conversation,
		             (unsigned long long)result->seq,
		             (unsigned long long)result->id,
		             (unsigned long long)took_ms);
	else
		(void)printf("refused   %s  %.*s: %.*s\n", uuid,
		             (int)result->code.len,
		             result->code.len ? result->code.data : "",
		             (int)result->detail.len,
		             result->detail.len ? result->detail.data : "");
	(void)fflush(stdout);
}

static void settled(void *context, const struct send_result *result)
{
	struct sender *sender = context;

	print_result(result);
	sender->refused += !result->saved;
	go_on(sender);
	/* This message is still counted as pending. */
	if (sender->input_ended &&
	    pending_messages_count(user_session_pending(sender->session)) == 1)
		event_loop_end(sender->loop,
		               sender->refused ? EXIT_FAILED : EXIT_DONE);
}

static const struct user_session_events events = {
	.online = online,
	.offline = terminal_offline,
	.denied = denied,
	.accepted = accepted,
	.settled = settled,
};

static void no_line(void *context, struct span line)
{
	(void)context;
	(void)line;
}

static void start(struct sender *sender, const struct send_options *options)
{
	const struct user_session_config config = {
		.loop = event_loop_uv(sender->loop),
		.rest = event_loop_rest(sender->loop),
		.url = options->account.url,
		.name = options->account.name,
		.password = options->account.password,
		.events = &events,
		.context = sender,
	};

	sender->names = user_names_create(event_loop_uv(sender->loop),
	                                  event_loop_rest(sender->loop),
	                                  no_line, sender);
	sender->finder =
		conversation_finder_create(event_loop_rest(sender->loop));
	sender->session = user_session_create(&config);
	if (!sender->session) {
		terminal_bad_url(options->account.url);
		event_loop_end(sender->loop, EXIT_USAGE);
	}
}

static int send_run(const void *context)
{
	static struct sender sender;
	const struct send_options *options = context;

	if (!*options->to == !*options->in) {
		(void)fprintf(stderr,
		              "client-test send: either --to or --in is "
		              "needed\n");
		return EXIT_USAGE;
	}
	sender.options = options;
	sender.line = BUF(LINE_MAX_);
	sender.loop = event_loop_create(options->account.url);
	start(&sender, options);
	event_loop_run(sender.loop, NULL,
	               options->timeout_s ? options->timeout_s * 1000
	                                  : UINT32_MAX);
	if (!event_loop_ended(sender.loop))
		(void)fprintf(stderr, "time is over\n");
	event_loop_end(sender.loop, EXIT_FAILED);
	event_loop_cancel_calls(sender.loop);
	stdin_reader_destroy(&sender.reader);
	user_session_destroy(&sender.session);
	user_names_destroy(&sender.names);
	conversation_finder_destroy(&sender.finder);
	buf_free(&sender.line);
	return event_loop_close(&sender.loop);
}

static const struct option_row rows[] = {
	OPTIONS_ACCOUNT("the sender; registered if the name is free"),
	OPTION_TEXT(struct send_options, to, "--to", "NAME", "", NULL,
                    "the recipient"),
	OPTION_TEXT(struct send_options, in, "--in", "WHICH", "", NULL,
                    "or a conversation, by its title or number"),
	OPTION_NUMBER(struct send_options, timeout_s, "--timeout", "0", 0,
                      86400, "gives up after this many seconds; 0: never"),
};

const struct command send_command = {
	.name = "send",
	.words = "[TEXT...]",
	.purpose = "sends a text, or the lines of stdin",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = UINT32_MAX,
	.options_size = sizeof(struct send_options),
	.run = send_run,
};
