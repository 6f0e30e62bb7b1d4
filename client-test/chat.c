/*
 * People at terminals: two of them, or a group or channel.
 *
 * An own line appears when it is saved, with a ✓; one that takes longer than a
 * second appears at once with an … and is ticked off when it is.
 */
#include "client-test/alarm.h"
#include "client-test/chat_room.h"
#include "client-test/commands.h"
#include "client-test/line.h"
#include "client-test/people.h"
#include "client-test/prompt.h"
#include "client-test/rooms.h"
#include "client-test/roster.h"
#include "client-test/show.h"
#include "client-test/stage.h"
#include "client-test/talker.h"
#include "client-test/typed.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

#include <stdio.h>
#include <utlist.h>

enum { LOOK_AGAIN_MS = 2000, SLOW_MS = 1000 };

/* Typed before it was known where to. */
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
	struct rooms *rooms;
	struct chat_room *room;
	struct alarm *look;
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

/* "#42  12:00:01  you: hi ✓"; without a number before it is saved. */
static void show(struct chat *chat, uint64_t unix_ms, const char *who,
                 uint64_t seq, struct span text, const char *mark)
{
	struct buf line CLEANUP(buf_free) = BUF(LINE_LONGEST);

	if (seq)
		buf_format(&line, "#%llu  ", (unsigned long long)seq);
	show_clock(&line, unix_ms);
	buf_append(&line, SPAN("  "));
	show_text(&line, span_of(who), 0);
	buf_append(&line, SPAN(": "));
	show_text(&line, text, 10);
	buf_append(&line, span_of(mark));
	prompt_print(chat->prompt, buf_span(&line));
}

/* Whom or what the command line names. */
static const char *where(const struct chat *chat)
{
	return *chat->options->to ? chat->options->to : chat->options->in;
}

/* --- lines from others --------------------------------------------------- */
static void print_line(void *context, struct span line)
{
	struct chat *chat = context;

	prompt_print(chat->prompt, line);
}

static void name_people(void *context, struct span line)
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

	if (!entry || entry->draft.kind != OUTBOX_MESSAGE)
		return;
	chat->slow_shown = true;
	show(chat, clock_unix_ms(), "you", 0, entry->draft.text, " …");
}

static void send_draft(struct chat *chat, const struct outbox_draft *draft)
{
	struct uuid uuid;

	uuid_make(&uuid);
	if (!utf8_valid(draft->text) ||
	    !talker_send(chat->talker, &uuid, draft)) {
		say(chat, "-- not sent: too many lines wait, or it is no text");
		return;
	}
	chat->slow_uuid = uuid;
	chat->slow_shown = false;
	alarm_set(chat->slow, SLOW_MS);
}

static void send_text(struct chat *chat, const struct typed *typed)
{
	struct outbox_draft draft = chat_room_draft(chat->room);

	draft.text = typed->text;
	draft.seq = typed->seq;
	send_draft(chat, &draft);
}

static void send_change(struct chat *chat, const struct typed *typed)
{
	static const enum outbox_kind kinds[] = {
		[TYPED_EDIT] = OUTBOX_EDIT,
		[TYPED_DELETE] = OUTBOX_DELETE,
		[TYPED_REACT] = OUTBOX_REACT,
		[TYPED_UNREACT] = OUTBOX_REACT,
	};
	const struct outbox_draft draft = {
		.kind = kinds[typed->kind],
		.conversation = chat_room_conversation(chat->room),
		.seq = typed->seq,
		.text = typed->text,
		.remove = typed->kind == TYPED_UNREACT,
	};

	if (draft.conversation)
		send_draft(chat, &draft);
	else
		say(chat, "-- nothing was said yet");
}

static void members_answered(void *context, const struct rest_answer *answer)
{
	struct chat *chat = context;
	const struct json *item;
	struct roster_member member;

	if (answer->status != ST_OK) {
		say(chat, "-- who is here: %.*s", (int)answer->why.len,
		    answer->why.len ? answer->why.data : "");
		return;
	}
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "members", i)) != NULL; i++) {
		struct buf line CLEANUP(buf_free) = BUF(256);

		if (!roster_member_read(item, &member))
			continue;
		buf_append(&line, SPAN("-- "));
		people_mark(&line, member.user);
		buf_format(&line, ", %s, has read up to #%llu", member.role,
		           (unsigned long long)member.read_seq);
		name_people(chat, buf_span(&line));
	}
}

static void ask_members(struct chat *chat)
{
	char path[96];

	if (!chat_room_conversation(chat->room)) {
		say(chat, "-- nothing was said yet");
		return;
	}
	(void)snprintf(path, sizeof(path), "/conversations/%llu/members",
	               (unsigned long long)chat_room_conversation(chat->room));
	rest_get(stage_rest(chat->stage), talker_token(chat->talker), path,
	         members_answered, chat);
}

static void obey(struct chat *chat, struct span text)
{
	struct typed typed;
	const char *why = typed_read(text, &typed);

	if (why)
		say(chat, "-- %s", why);
	else if (typed.kind == TYPED_TEXT || typed.kind == TYPED_REPLY)
		send_text(chat, &typed);
	else if (typed.kind == TYPED_WHO)
		ask_members(chat);
	else if (typed.kind == TYPED_HELP)
		say(chat, "-- %s", typed_help);
	else if (typed.kind == TYPED_QUIT)
		stage_end(chat->stage, EXIT_DONE);
	else if (typed.kind != TYPED_NOTHING)
		send_change(chat, &typed);
}

static void hold_line(struct chat *chat, struct span text)
{
	struct held *held = mem_new(sizeof(*held) + text.len);

	held->len = text.len;
	memcpy(held->text, text.data, text.len);
	LL_APPEND(chat->held, held);
	say(chat, "-- kept until %s is here", where(chat));
}

static void drop_held(struct chat *chat, bool send)
{
	while (chat->held) {
		struct held *held = chat->held;

		LL_DELETE(chat->held, held);
		if (send)
			obey(chat, span_make(held->text, held->len));
		mem_free(&held);
	}
}

static void take_line(void *context, struct span text)
{
	struct chat *chat = context;

	if (text.len == 0)
		return;
	if (chat_room_known(chat->room) || span_equal(text, SPAN("/quit")))
		obey(chat, text);
	else
		hold_line(chat, text);
}

static void take_end(void *context)
{
	struct chat *chat = context;

	chat->input_ended = true;
	end_when_done(chat, 0);
}

static void take_typing(void *context)
{
	struct chat *chat = context;

	chat_room_typed(chat->room, chat->talker);
}

static void accepted(void *context, const struct outbox_entry *entry)
{
	(void)context;
	(void)entry;
}

static void say_refused(struct chat *chat, const struct outcome *outcome)
{
	say(chat, "-- not taken: %.*s (%.*s)", (int)outcome->detail.len,
	    outcome->detail.len ? outcome->detail.data : "",
	    (int)outcome->code.len,
	    outcome->code.len ? outcome->code.data : "");
}

static void settled(void *context, const struct outcome *outcome)
{
	struct chat *chat = context;
	bool slow = chat->slow_shown &&
	            !memcmp(&chat->slow_uuid, &outcome->entry->uuid,
	                    sizeof(chat->slow_uuid));

	if (!outcome->saved) {
		say_refused(chat, outcome);
	} else if (outcome->entry->draft.kind == OUTBOX_MESSAGE) {
		show(chat, outcome->created_at_ms, slow ? "saved" : "you",
		     outcome->seq, outcome->entry->draft.text, " ✓");
		chat_room_saved(chat->room, outcome);
	} else {
		say(chat, "-- #%llu is changed ✓",
		    (unsigned long long)outcome->seq);
	}
	end_when_done(chat, 1);
}

/* --- being there --------------------------------------------------------- */
static void begin(struct chat *chat, uint64_t user, uint64_t conversation)
{
	chat_room_is(chat->room, chat->talker, user, conversation);
	say(chat,
	    "-- you talk with %s now; /help says more, /quit or Ctrl-D "
	    "ends",
	    where(chat));
	drop_held(chat, true);
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

static void found_room(void *context, enum status status,
                       const struct room *room, struct span why)
{
	struct chat *chat = context;

	if (status == ST_OK) {
		begin(chat, 0, room->id);
	} else if (status == ST_UNAVAILABLE || status == ST_BUSY) {
		alarm_set(chat->look, LOOK_AGAIN_MS);
	} else {
		say(chat, "-- %s: %.*s", chat->options->in, (int)why.len,
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
		say(chat, "-- connected again");
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
	.changed = changed,
	.receipt = receipt,
	.typing = typing,
};

static const struct prompt_events prompt_events = {
	.line = take_line,
	.end = take_end,
	.typed = take_typing,
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
	chat->room = chat_room_create(loop, name_people, chat);
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
	drop_held(&chat, false);
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
