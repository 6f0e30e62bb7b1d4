/*
 * What is typed in a chat: texts, commands, and what became of them.
 */
#include "client-test/chat/chat_private.h"
#include "client-test/chat/typed.h"
#include "client-test/cli/command.h"
#include "client-test/cli/line.h"
#include "client-test/cli/roster.h"
#include "client-test/cli/show.h"
#include "client-test/client/alarm.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

#include <stdio.h>
#include <utlist.h>

enum { SLOW_MS = 1000 };

/* Typed before it was known where to. */
struct held {
	struct held *next;
	size_t len;
	char text[];
};

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

static void end_when_done(struct chat *chat, unsigned left)
{
	if (chat->input_ended &&
	    outbox_count(talker_outbox(chat->talker)) <= left)
		stage_end(chat->stage, EXIT_DONE);
}

void chat_show_slow(void *context)
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
		chat_say(chat,
		         "-- not sent: too many lines wait, or it is no text");
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
		chat_say(chat, "-- nothing was said yet");
}

static void members_answered(void *context, const struct rest_answer *answer)
{
	struct chat *chat = context;
	const struct json *item;
	struct roster_member member;

	if (answer->status != ST_OK) {
		chat_say(chat, "-- who is here: %.*s", (int)answer->why.len,
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
		chat_name_people(chat, buf_span(&line));
	}
}

static void ask_members(struct chat *chat)
{
	char path[96];

	if (!chat_room_conversation(chat->room)) {
		chat_say(chat, "-- nothing was said yet");
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
		chat_say(chat, "-- %s", why);
	else if (typed.kind == TYPED_TEXT || typed.kind == TYPED_REPLY)
		send_text(chat, &typed);
	else if (typed.kind == TYPED_WHO)
		ask_members(chat);
	else if (typed.kind == TYPED_HELP)
		chat_say(chat, "-- %s", typed_help);
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
	chat_say(chat, "-- kept until %s is here", chat_where(chat));
}

void chat_drop_held(struct chat *chat, bool send)
{
	while (chat->held) {
		struct held *held = chat->held;

		LL_DELETE(chat->held, held);
		if (send)
			obey(chat, span_make(held->text, held->len));
		mem_free(&held);
	}
}

void chat_take_line(void *context, struct span text)
{
	struct chat *chat = context;

	if (text.len == 0)
		return;
	if (chat_room_known(chat->room) || span_equal(text, SPAN("/quit")))
		obey(chat, text);
	else
		hold_line(chat, text);
}

void chat_take_end(void *context)
{
	struct chat *chat = context;

	chat->input_ended = true;
	end_when_done(chat, 0);
}

void chat_take_typing(void *context)
{
	struct chat *chat = context;

	chat_room_typed(chat->room, chat->talker);
}

static void say_refused(struct chat *chat, const struct outcome *outcome)
{
	chat_say(chat, "-- not taken: %.*s (%.*s)", (int)outcome->detail.len,
	         outcome->detail.len ? outcome->detail.data : "",
	         (int)outcome->code.len,
	         outcome->code.len ? outcome->code.data : "");
}

void chat_settled(void *context, const struct outcome *outcome)
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
		chat_say(chat, "-- #%llu is changed ✓",
		         (unsigned long long)outcome->seq);
	}
	end_when_done(chat, 1);
}
