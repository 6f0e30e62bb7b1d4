/*
 * Sends a text, or the lines of stdin, and says what became of each.
 */
#include "client-test/chat/input.h"
#include "client-test/cli/people.h"
#include "client-test/cli/show.h"
#include "client-test/client/rooms.h"
#include "client-test/client/stage.h"
#include "client-test/client/talker.h"
#include "client-test/commands.h"
#include "common/base/clock.h"
#include "common/base/utf8.h"

#include <stdio.h>

enum { LINE_MAX_ = 16 * 1024, UNSAVED_MAX = 64 };

struct sender {
	struct stage *stage;
	const struct options *options;
	struct talker *talker;
	struct people *people;
	struct input *input;
	struct buf line; /* what came of the one that is not whole yet */
	struct rooms *rooms;
	struct outbox_draft draft; /* to whom */
	bool looking;              /* for them, or they are found */
	bool input_paused;
	bool input_ended;
	unsigned refused;
};

static void end_when_done(struct sender *sender)
{
	if (sender->input_ended &&
	    outbox_count(talker_outbox(sender->talker)) == 0)
		stage_end(sender->stage,
		          sender->refused ? EXIT_FAILED : EXIT_DONE);
}

static void send_text(struct sender *sender, struct span text)
{
	struct outbox_draft draft = sender->draft;
	struct uuid uuid;

	uuid_make(&uuid);
	if (text.len == 0)
		return;
	draft.text = text;
	if (!utf8_valid(text) || !talker_send(sender->talker, &uuid, &draft)) {
		(void)fprintf(stderr, "not sent: the line is not UTF-8\n");
		sender->refused++;
	}
}

/* --- where texts come from ----------------------------------------------- */
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
	    outbox_count(talker_outbox(sender->talker)) >= UNSAVED_MAX)
		return;
	sender->input_paused = false;
	input_next(sender->input);
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
	const struct options *options = sender->options;
	struct buf text CLEANUP(buf_free) = BUF(LINE_MAX_);

	if (options->word_count == 0) {
		sender->input = input_create(stage_loop(sender->stage),
		                             take_input, sender);
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
	const struct options *options = sender->options;

	(void)fprintf(stderr, "%s: %s: %.*s\n",
	              *options->to ? options->to : options->in,
	              status_text(status), (int)why.len,
	              why.len ? why.data : "");
	stage_end(sender->stage, EXIT_FAILED);
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

static void found_room(void *context, enum status status,
                       const struct room *room, struct span why)
{
	struct sender *sender = context;

	if (status != ST_OK) {
		not_found(sender, status, why);
		return;
	}
	sender->draft.conversation = room->id;
	start_sending(sender);
}

static void online(void *context)
{
	struct sender *sender = context;
	struct span token = talker_token(sender->talker);

	if (sender->looking)
		return;
	sender->looking = true;
	if (*sender->options->to)
		people_find(sender->people, token, sender->options->to, found,
		            sender);
	else
		rooms_find(sender->rooms, token, sender->options->in,
		           found_room, sender);
}

static void denied(void *context, enum status status, struct span why)
{
	struct sender *sender = context;

	show_denied(status, why);
	stage_end(sender->stage, EXIT_FAILED);
}

static void message(void *context, const struct message *message, bool own)
{
	(void)context;
	(void)message;
	(void)own;
}

static void accepted(void *context, const struct outbox_entry *entry)
{
	char uuid[UUID_TEXT_LEN + 1];

	(void)context;
	uuid_format(&entry->uuid, uuid);
	(void)printf("accepted  %s\n", uuid);
	(void)fflush(stdout);
}

static void print_outcome(const struct outcome *outcome)
{
	uint64_t took_ms = clock_mono_ms() - outcome->entry->written_ms;
	char uuid[UUID_TEXT_LEN + 1];

	uuid_format(&outcome->entry->uuid, uuid);
	if (outcome->saved)
		(void)printf("saved     %s  conversation %llu  seq %llu  "
		             "id %llu  %llu ms\n",
		             uuid, (unsigned long long)outcome->conversation,
		             (unsigned long long)outcome->seq,
		             (unsigned long long)outcome->id,
		             (unsigned long long)took_ms);
	else
		(void)printf("refused   %s  %.*s: %.*s\n", uuid,
		             (int)outcome->code.len,
		             outcome->code.len ? outcome->code.data : "",
		             (int)outcome->detail.len,
		             outcome->detail.len ? outcome->detail.data : "");
	(void)fflush(stdout);
}

static void settled(void *context, const struct outcome *outcome)
{
	struct sender *sender = context;

	print_outcome(outcome);
	sender->refused += !outcome->saved;
	go_on(sender);
	/* This one still counts. */
	if (sender->input_ended &&
	    outbox_count(talker_outbox(sender->talker)) == 1)
		stage_end(sender->stage,
		          sender->refused ? EXIT_FAILED : EXIT_DONE);
}

static const struct talker_events events = {
	.online = online,
	.offline = show_offline,
	.denied = denied,
	.message = message,
	.accepted = accepted,
	.settled = settled,
};

static void no_line(void *context, struct span line)
{
	(void)context;
	(void)line;
}

static void start(struct sender *sender, const struct options *options)
{
	const struct talker_setup setup = {
		.loop = stage_loop(sender->stage),
		.rest = stage_rest(sender->stage),
		.url = options->url,
		.name = options->name,
		.password = options->password,
		.events = &events,
		.context = sender,
	};

	sender->people =
		people_create(stage_loop(sender->stage),
	                      stage_rest(sender->stage), no_line, sender);
	sender->rooms = rooms_create(stage_rest(sender->stage));
	sender->talker = talker_create(&setup);
	if (!sender->talker) {
		(void)fprintf(stderr, "%s is no http://host:port\n",
		              options->url);
		stage_end(sender->stage, EXIT_USAGE);
	}
}

static int send_run(const struct options *options)
{
	static struct sender sender;

	if (!*options->to == !*options->in) {
		(void)fprintf(stderr,
		              "client-test send: either --to or --in is "
		              "needed\n");
		return EXIT_USAGE;
	}
	sender.options = options;
	sender.line = BUF(LINE_MAX_);
	sender.stage = stage_create(options->url);
	start(&sender, options);
	stage_run(sender.stage, NULL,
	          options->timeout_s ? options->timeout_s * 1000 : UINT32_MAX);
	if (!stage_over(sender.stage))
		(void)fprintf(stderr, "time is over\n");
	stage_end(sender.stage, EXIT_FAILED);
	stage_leave(sender.stage);
	input_destroy(&sender.input);
	talker_destroy(&sender.talker);
	people_destroy(&sender.people);
	rooms_destroy(&sender.rooms);
	buf_free(&sender.line);
	return stage_stop(&sender.stage);
}

static const struct option_row rows[] = {
	OPTION_URL,
	OPTIONS_WHO("who sends; registered when the name is free"),
	OPTION_TEXT(to, "--to", "NAME", "", NULL, "who gets it"),
	OPTION_TEXT(in, "--in", "WHICH", "", NULL,
                    "instead: a conversation, by its title or number"),
	OPTION_NUMBER(timeout_s, "--timeout", "0", 0, 86400,
                      "gives up after so many seconds, 0: never"),
};

const struct command send_command = {
	.name = "send",
	.words = "[TEXT...]",
	.purpose = "sends a text, or the lines of stdin",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = UINT32_MAX,
	.run = send_run,
};
