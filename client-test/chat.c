/*
 * Two people at two terminals.
 *
 * An own line appears when it is saved, with a ✓; one that takes longer than a
 * second appears at once with an … and is ticked off when it is.
 */
#include "client-test/alarm.h"
#include "client-test/commands.h"
#include "client-test/line.h"
#include "client-test/people.h"
#include "client-test/prompt.h"
#include "client-test/show.h"
#include "client-test/stage.h"
#include "client-test/talker.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

#include <stdio.h>
#include <utlist.h>

enum { LOOK_AGAIN_MS = 2000, SLOW_MS = 1000 };

/* Typed before the partner was found. */
struct held {
	struct held *next;
	size_t len;
	char text[];
};

struct chat {
	struct held *held;
	struct stage *stage;
	const struct options *options;
	struct talker *talker;
	struct people *people;
	struct prompt *prompt;
	struct alarm *look;
	uint64_t partner; /* 0: not found yet */
	bool told_waiting;
	bool told_offline;
	bool online_once;
	bool input_ended;
	struct alarm *slow;
	struct uuid slow_uuid; /* the last line that was shown with … */
	bool slow_shown;
};

static void say(struct chat *chat, const char *format, ...) PRINTF(2, 3);

static void say(struct chat *chat, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	prompt_print(chat->prompt, span_of(text));
}

static void show(struct chat *chat, uint64_t unix_ms, const char *who,
                 struct span text, const char *mark)
{
	struct buf line CLEANUP(buf_free) = BUF(LINE_LONGEST);

	show_clock(&line, unix_ms);
	buf_append(&line, SPAN("  "));
	show_text(&line, span_of(who), 0);
	buf_append(&line, SPAN(": "));
	show_text(&line, text, 10);
	buf_append(&line, span_of(mark));
	prompt_print(chat->prompt, buf_span(&line));
}

/* --- lines from others --------------------------------------------------- */
static void print_line(void *context, struct span line)
{
	struct chat *chat = context;

	prompt_print(chat->prompt, line);
}

static void message(void *context, const struct message *message, bool own)
{
	struct chat *chat = context;
	const struct line_style style = {.self = talker_user(chat->talker),
	                                 .numbered = true};
	struct buf line CLEANUP(buf_free) = BUF(LINE_LONGEST);

	if (own)
		return;
	line_entry(&line, message, &style);
	people_put(chat->people, talker_token(chat->talker), buf_span(&line));
}

/* --- own lines ----------------------------------------------------------- */
static void end_when_done(struct chat *chat, unsigned left)
{
	if (chat->input_ended &&
	    outbox_count(talker_outbox(chat->talker)) <= left)
		stage_end(chat->stage, EXIT_DONE);
}

static void show_slow(void *context)
{
	struct chat *chat = context;
	const struct outbox_entry *entry =
		outbox_find(talker_outbox(chat->talker), &chat->slow_uuid);

	if (!entry)
		return;
	chat->slow_shown = true;
	show(chat, clock_unix_ms(), "you", entry->draft.text, " …");
}

static void send_line(struct chat *chat, struct span text)
{
	const struct outbox_draft draft = {
		.user_to = chat->partner,
		.text = text,
	};
	struct uuid uuid;

	uuid_make(&uuid);
	if (!utf8_valid(text) || !talker_send(chat->talker, &uuid, &draft)) {
		say(chat, "-- not sent: too many lines wait, or it is no text");
		return;
	}
	chat->slow_uuid = uuid;
	chat->slow_shown = false;
	alarm_set(chat->slow, SLOW_MS);
}

static void hold_line(struct chat *chat, struct span text)
{
	struct held *held = mem_new(sizeof(*held) + text.len);

	held->len = text.len;
	memcpy(held->text, text.data, text.len);
	LL_APPEND(chat->held, held);
	say(chat, "-- kept until %s is here", chat->options->to);
}

static void drop_held(struct chat *chat, bool send)
{
	while (chat->held) {
		struct held *held = chat->held;

		LL_DELETE(chat->held, held);
		if (send)
			send_line(chat, span_make(held->text, held->len));
		mem_free(&held);
	}
}

static void take_line(void *context, struct span text)
{
	struct chat *chat = context;

	if (text.len == 0)
		return;
	if (span_equal(text, SPAN("/quit")))
		stage_end(chat->stage, EXIT_DONE);
	else if (chat->partner)
		send_line(chat, text);
	else
		hold_line(chat, text);
}

static void take_end(void *context)
{
	struct chat *chat = context;

	chat->input_ended = true;
	end_when_done(chat, 0);
}

static void accepted(void *context, const struct outbox_entry *entry)
{
	(void)context;
	(void)entry;
}

static void settled(void *context, const struct outcome *outcome)
{
	struct chat *chat = context;
	bool slow = chat->slow_shown &&
	            !memcmp(&chat->slow_uuid, &outcome->entry->uuid,
	                    sizeof(chat->slow_uuid));

	if (outcome->saved)
		show(chat, outcome->created_at_ms, slow ? "saved" : "you",
		     outcome->entry->draft.text, " ✓");
	else
		say(chat, "-- not taken: %.*s (%.*s)", (int)outcome->detail.len,
		    outcome->detail.len ? outcome->detail.data : "",
		    (int)outcome->code.len,
		    outcome->code.len ? outcome->code.data : "");
	end_when_done(chat, 1);
}

/* --- being there --------------------------------------------------------- */
static void found(void *context, enum status status, uint64_t user,
                  struct span why)
{
	struct chat *chat = context;

	if (status == ST_OK) {
		chat->partner = user;
		say(chat, "-- you talk with %s now; /quit or Ctrl-D ends",
		    chat->options->to);
		drop_held(chat, true);
		return;
	}
	if (status == ST_INVALID) {
		say(chat, "-- %s can't be a name: %.*s", chat->options->to,
		    (int)why.len, why.len ? why.data : "");
		stage_end(chat->stage, EXIT_FAILED);
		return;
	}
	if (status == ST_NOT_FOUND && !chat->told_waiting) {
		chat->told_waiting = true;
		say(chat, "-- %s is not here yet; waiting", chat->options->to);
	}
	alarm_set(chat->look, LOOK_AGAIN_MS);
}

static void look(void *context)
{
	struct chat *chat = context;

	people_find(chat->people, talker_token(chat->talker), chat->options->to,
	            found, chat);
}

static void online(void *context)
{
	struct chat *chat = context;

	if (chat->told_offline)
		say(chat, "-- connected again");
	chat->told_offline = false;
	if (!chat->online_once)
		look(chat);
	chat->online_once = true;
}

static void offline(void *context, const char *why, uint64_t retry_ms)
{
	struct chat *chat = context;

	(void)retry_ms;
	if (!chat->told_offline)
		say(chat, "-- no connection (%s); trying again", why);
	chat->told_offline = true;
}

static void denied(void *context, enum status status, struct span why)
{
	struct chat *chat = context;

	say(chat, "-- can't sign in as %s: %s: %.*s", chat->options->name,
	    status_text(status), (int)why.len, why.len ? why.data : "");
	stage_end(chat->stage, EXIT_FAILED);
}

static const struct talker_events talker_events = {
	.online = online,
	.offline = offline,
	.denied = denied,
	.message = message,
	.accepted = accepted,
	.settled = settled,
};

static const struct prompt_events prompt_events = {
	.line = take_line,
	.end = take_end,
};

static void start(struct chat *chat, const struct options *options)
{
	struct uv_loop_s *loop = stage_loop(chat->stage);
	const struct talker_setup setup = {
		.loop = loop,
		.rest = stage_rest(chat->stage),
		.url = options->url,
		.name = options->name,
		.password = options->password,
		.history = options->history,
		.events = &talker_events,
		.context = chat,
	};

	chat->people =
		people_create(loop, stage_rest(chat->stage), print_line, chat);
	chat->look = alarm_create(loop, look, chat);
	chat->slow = alarm_create(loop, show_slow, chat);
	chat->prompt = prompt_create(loop, &prompt_events, chat);
	chat->talker = talker_create(&setup);
	if (!chat->talker) {
		say(chat, "%s is no http://host:port", options->url);
		stage_end(chat->stage, EXIT_USAGE);
	}
}

static int chat_run(const struct options *options)
{
	static struct chat chat;

	chat.options = options;
	chat.stage = stage_create(options->url);
	start(&chat, options);
	stage_run(chat.stage, NULL, UINT32_MAX);
	stage_leave(chat.stage);
	prompt_destroy(&chat.prompt);
	talker_destroy(&chat.talker);
	people_destroy(&chat.people);
	alarm_destroy(&chat.look);
	alarm_destroy(&chat.slow);
	drop_held(&chat, false);
	return stage_stop(&chat.stage);
}

static const struct option_row rows[] = {
	OPTION_URL,
	OPTIONS_WHO("you; registered when the name is free"),
	OPTION_TEXT(to, "--to", "NAME", NULL, NULL,
                    "whom you talk with; may come later"),
	OPTION_NUMBER(history, "--history", "20", 0, 200,
                      "messages shown at the start"),
};

const struct command chat_command = {
	.name = "chat",
	.words = "",
	.purpose = "talk with somebody at this terminal",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.run = chat_run,
};
