/*
 * The send command: sends a text or the lines of stdin, and prints the result
 * of each.
 */
#include "client-test/cli/event_loop.h"
#include "client-test/cli/line_splitter.h"
#include "client-test/cli/stdin_reader.h"
#include "client-test/cli/terminal.h"
#include "client-test/cli/user_names.h"
#include "client-test/client/conversation_finder.h"
#include "client-test/client/user_session.h"
#include "client-test/commands.h"
#include "common/base/clock.h"
#include "common/wire/save_record.h"

#include <stdio.h>
#include <string.h>

enum { UNSAVED_MAX = 64, ARGUMENTS_MAX = 4 * 1024 * 1024 };

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
	struct line_splitter *lines;
	struct conversation_finder *finder;
	struct message_draft draft; /* the recipient */
	bool looked_up;             /* the lookup of the recipient began */
	bool piece_asked;           /* stdin_reader reads the next piece */
	bool input_ended;
	bool read_failed;
	/* What became of the texts. */
	uint64_t saved, refused, not_sent;
};

static const struct pending_messages *pending_of(const struct sender *sender)
{
	return user_session_pending(sender->session);
}

static bool failed(const struct sender *sender)
{
	return sender->refused || sender->not_sent || sender->read_failed;
}

/* `unsettled`: how many of the pending messages are not settled. */
static void end_when_done(struct sender *sender, unsigned unsettled)
{
	if (sender->input_ended && unsettled == 0)
		event_loop_end(sender->loop,
		               failed(sender) ? EXIT_FAILED : EXIT_DONE);
}

static void not_sent(struct sender *sender, uint64_t line, const char *why)
{
	sender->not_sent++;
	(void)fprintf(stderr, "not sent: ");
	if (line)
		(void)fprintf(stderr, "line %llu: ", (unsigned long long)line);
	(void)fprintf(stderr, "%s\n", why);
}

/* `line` is 0 for a text from the arguments. */
static void send_text(struct sender *sender, struct span text, uint64_t line)
{
	struct message_draft draft = sender->draft;
	const char *fault;
	struct uuid uuid;

	draft.text = text;
	draft.line = line;
	uuid_make(&uuid);
	fault = message_draft_fault(&draft);
	if (fault)
		not_sent(sender, line, fault);
	else if (!user_session_send(sender->session, &uuid, &draft))
		not_sent(sender, line, "too many messages wait");
}

/* --- input --------------------------------------------------------------- */
/*
 * Sends lines while there is room, and then asks for more. A line that was cut
 * is still longer than a text may be.
 */
static void take_lines(struct sender *sender)
{
	struct split_line line;

	while (sender->lines && !sender->input_ended && !sender->piece_asked &&
	       pending_messages_count(pending_of(sender)) < UNSAVED_MAX) {
		if (line_splitter_next(sender->lines, &line)) {
			send_text(sender, line.text, line.number);
		} else {
			sender->piece_asked = true;
			stdin_reader_next(sender->reader);
		}
	}
}

static void end_input(struct sender *sender, int error)
{
	struct split_line line;

	if (line_splitter_last(sender->lines, &line))
		send_text(sender, line.text, line.number);
	else if (line_splitter_count(sender->lines) == 0 && !error)
		(void)fprintf(stderr, "nothing to send: the input is empty\n");
	if (error) {
		(void)fprintf(stderr, "stdin cannot be read: %s\n",
		              strerror(error));
		sender->read_failed = true;
	}
	sender->input_ended = true;
	end_when_done(sender, pending_messages_count(pending_of(sender)));
}

static void take_input(void *context, struct span piece, int error)
{
	struct sender *sender = context;

	sender->piece_asked = false;
	if (piece.len == 0) {
		end_input(sender, error);
		return;
	}
	line_splitter_feed(sender->lines, piece);
	take_lines(sender);
}

static void send_arguments(struct sender *sender)
{
	const struct options *options = &sender->options->account.options;
	struct buf text CLEANUP(buf_free) = BUF(ARGUMENTS_MAX);

	for (unsigned i = 0; i < options->word_count; i++) {
		if (i)
			buf_byte(&text, ' ');
		buf_append(&text, span_of(options->words[i]));
	}
	send_text(sender, buf_span(&text), 0);
	sender->input_ended = true;
	end_when_done(sender, pending_messages_count(pending_of(sender)));
}

static void start_sending(struct sender *sender)
{
	if (sender->options->account.options.word_count) {
		send_arguments(sender);
		return;
	}
	sender->lines = line_splitter_create(MESSAGE_TEXT_MAX + 1);
	sender->piece_asked = true;
	sender->reader = stdin_reader_create(event_loop_uv(sender->loop),
	                                     take_input, sender);
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
	if (result->saved)
		sender->saved++;
	else
		sender->refused++;
	take_lines(sender);
	/* This message is still counted as pending. */
	end_when_done(sender, pending_messages_count(pending_of(sender)) - 1);
}

static void unreadable(void *context, struct span why)
{
	struct sender *sender = context;

	(void)fprintf(stderr, "the server cannot read a message: %.*s\n",
	              (int)why.len, why.len ? why.data : "");
	event_loop_end(sender->loop, EXIT_FAILED);
}

static const struct user_session_events events = {
	.online = online,
	.offline = terminal_offline,
	.denied = denied,
	.accepted = accepted,
	.settled = settled,
	.unreadable = unreadable,
};

/* --- the end ------------------------------------------------------------- */
static void print_unsettled(void *context,
                            const struct pending_message *message)
{
	char uuid[UUID_TEXT_LEN + 1];

	(void)context;
	uuid_format(&message->uuid, uuid);
	(void)printf("%s  %s", message->sent ? "unknown " : "unsent  ", uuid);
	if (message->draft.line)
		(void)printf("  line %llu",
		             (unsigned long long)message->draft.line);
	(void)printf("%s\n", !message->sent ? ""
	                     : message->accepted
	                             ? "  accepted, so the server saves or "
	                               "refuses it later"
	                             : "  sent, but not answered");
}

static void report(struct sender *sender)
{
	bool all_read = sender->input_ended && !sender->read_failed;
	unsigned left = 0;

	if (sender->session) {
		left = pending_messages_count(pending_of(sender));
		pending_messages_each(pending_of(sender), print_unsettled,
		                      sender);
	}
	if (!left && all_read && !failed(sender))
		return;
	(void)fprintf(stderr,
	              "%llu saved, %llu refused, %llu not sent, %u without a "
	              "final answer%s\n",
	              (unsigned long long)sender->saved,
	              (unsigned long long)sender->refused,
	              (unsigned long long)sender->not_sent, left,
	              all_read ? "" : "; the rest of the input was not sent");
}

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
		.session = options->account.session,
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
	sender.loop = event_loop_create(options->account.url);
	start(&sender, options);
	event_loop_run(sender.loop, NULL,
	               options->timeout_s ? options->timeout_s * 1000
	                                  : UINT32_MAX);
	if (!event_loop_ended(sender.loop))
		(void)fprintf(stderr, "time is over\n");
	event_loop_end(sender.loop, EXIT_FAILED);
	report(&sender);
	event_loop_cancel_calls(sender.loop);
	stdin_reader_destroy(&sender.reader);
	user_session_destroy(&sender.session);
	user_names_destroy(&sender.names);
	conversation_finder_destroy(&sender.finder);
	line_splitter_destroy(&sender.lines);
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
	.purpose = "sends a text, or each line of stdin as a text",
	.exits = "0 if all texts were saved; 1 if a text was refused, not sent "
		 "or not answered, or if the input could not be read; 128 + N "
		 "after signal N; 100 for wrong arguments. A line on stdout "
		 "or stderr says what became of each text.",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = UINT32_MAX,
	.signs_in = true,
	.options_size = sizeof(struct send_options),
	.run = send_run,
};
