/*
 * People at terminals: two of them, or a group or channel.
 *
 * An own line appears when it is saved, with a ✓; one that takes longer than a
 * second appears at once with an … and is ticked off when it is.
 */
#include "client-test/chat/chat.h"
#include "client-test/chat/chat_private.h"
#include "client-test/cli/command.h"
#include "client-test/client/alarm.h"

#include <stdarg.h>
#include <stdio.h>

enum { LOOK_AGAIN_MS = 2000 };

void chat_say(struct chat *chat, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	prompt_print(chat->prompt, span_of(text));
}

const char *chat_where(const struct chat *chat)
{
	return *chat->options->to ? chat->options->to : chat->options->in;
}

/* --- lines from others --------------------------------------------------- */
static void print_line(void *context, struct span line)
{
	struct chat *chat = context;

	prompt_print(chat->prompt, line);
}

void chat_name_people(void *context, struct span line)
{
	struct chat *chat = context;

	people_put(chat->people, talker_token(chat->talker), line);
}

static void message(void *context, const struct message *message, bool own)
{
	struct chat *chat = context;

	chat_room_message(chat->room, chat->talker, message, own,
	                  chat->online_once);
}

static void changed(void *context, const struct message_edit *edit)
{
	struct chat *chat = context;

	chat_room_changed(chat->room, chat->talker, edit);
}

static void receipt(void *context, const struct talker_receipt *receipt)
{
	struct chat *chat = context;

	chat_room_receipt(chat->room, chat->talker, receipt);
}

static void typing(void *context, uint64_t conversation, uint64_t user)
{
	struct chat *chat = context;

	chat_room_typing(chat->room, chat->talker, conversation, user);
}

static void accepted(void *context, const struct outbox_entry *entry)
{
	(void)context;
	(void)entry;
}

/* --- being there --------------------------------------------------------- */
static void begin(struct chat *chat, uint64_t user, uint64_t conversation)
{
	chat_room_is(chat->room, chat->talker, user, conversation);
	chat_say(chat,
	         "-- you talk with %s now; /help says more, /quit or Ctrl-D "
	         "ends",
	         chat_where(chat));
	chat_drop_held(chat, true);
}

static void found(void *context, enum status status, uint64_t user,
                  struct span why)
{
	struct chat *chat = context;

	if (status == ST_OK) {
		begin(chat, user, 0);
		return;
	}
	if (status == ST_INVALID) {
		chat_say(chat, "-- %s can't be a name: %.*s", chat->options->to,
		         (int)why.len, why.len ? why.data : "");
		stage_end(chat->stage, EXIT_FAILED);
		return;
	}
	if (status == ST_NOT_FOUND && !chat->told_waiting) {
		chat->told_waiting = true;
		chat_say(chat, "-- %s is not here yet; waiting",
		         chat->options->to);
	}
	alarm_set(chat->look, LOOK_AGAIN_MS);
}

static void found_room(void *context, enum status status,
                       const struct room *room, struct span why)
{
	struct chat *chat = context;

	if (status == ST_OK) {
		begin(chat, 0, room->id);
	} else if (status == ST_UNAVAILABLE || status == ST_BUSY) {
		alarm_set(chat->look, LOOK_AGAIN_MS);
	} else {
		chat_say(chat, "-- %s: %.*s", chat->options->in, (int)why.len,
		         why.len ? why.data : "");
		stage_end(chat->stage, EXIT_FAILED);
	}
}

static void look(void *context)
{
	struct chat *chat = context;
	struct span token = talker_token(chat->talker);

	if (*chat->options->to)
		people_find(chat->people, token, chat->options->to, found,
		            chat);
	else
		rooms_find(chat->rooms, token, chat->options->in, found_room,
		           chat);
}

static void online(void *context)
{
	struct chat *chat = context;

	if (chat->told_offline)
		chat_say(chat, "-- connected again");
	chat->told_offline = false;
	chat_room_online(chat->room, chat->talker);
	if (!chat->online_once)
		look(chat);
	chat->online_once = true;
}

static void offline(void *context, const char *why, uint64_t retry_ms)
{
	struct chat *chat = context;

	(void)retry_ms;
	if (!chat->told_offline)
		chat_say(chat, "-- no connection (%s); trying again", why);
	chat->told_offline = true;
}

static void denied(void *context, enum status status, struct span why)
{
	struct chat *chat = context;

	chat_say(chat, "-- can't sign in as %s: %s: %.*s", chat->options->name,
	         status_text(status), (int)why.len, why.len ? why.data : "");
	stage_end(chat->stage, EXIT_FAILED);
}

static const struct talker_events talker_events = {
	.online = online,
	.offline = offline,
	.denied = denied,
	.message = message,
	.accepted = accepted,
	.settled = chat_settled,
	.changed = changed,
	.receipt = receipt,
	.typing = typing,
};

static const struct prompt_events prompt_events = {
	.line = chat_take_line,
	.end = chat_take_end,
	.typed = chat_take_typing,
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
	chat->rooms = rooms_create(stage_rest(chat->stage));
	chat->room = chat_room_create(loop, chat_name_people, chat);
	chat->look = alarm_create(loop, look, chat);
	chat->slow = alarm_create(loop, chat_show_slow, chat);
	chat->prompt = prompt_create(loop, &prompt_events, chat);
	chat->talker = talker_create(&setup);
	if (!chat->talker) {
		chat_say(chat, "%s is no http://host:port", options->url);
		stage_end(chat->stage, EXIT_USAGE);
	}
}

static int chat_run(const struct options *options)
{
	static struct chat chat;

	if (!*options->to == !*options->in) {
		(void)fprintf(stderr,
		              "client-test chat: either --to or --in is "
		              "needed\n");
		return EXIT_USAGE;
	}
	chat.options = options;
	chat.stage = stage_create(options->url);
	start(&chat, options);
	stage_run(chat.stage, NULL, UINT32_MAX);
	stage_leave(chat.stage);
	prompt_destroy(&chat.prompt);
	talker_destroy(&chat.talker);
	people_destroy(&chat.people);
	rooms_destroy(&chat.rooms);
	chat_room_destroy(&chat.room);
	alarm_destroy(&chat.look);
	alarm_destroy(&chat.slow);
	chat_drop_held(&chat, false);
	return stage_stop(&chat.stage);
}

static const struct option_row rows[] = {
	OPTION_URL,
	OPTIONS_WHO("you; registered when the name is free"),
	OPTION_TEXT(to, "--to", "NAME", "", NULL,
                    "whom you talk with; may come later"),
	OPTION_TEXT(in, "--in", "WHICH", "", NULL,
                    "instead: a conversation, by its title or number"),
	OPTION_NUMBER(history, "--history", "20", 0, 200,
                      "messages shown at the start"),
};

const struct command chat_command = {
	.name = "chat",
	.words = "",
	.purpose = "talk with somebody, or in a group, at this terminal",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.run = chat_run,
};
