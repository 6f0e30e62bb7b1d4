#include "client-test/chat/chat_sender.h"
#include "client-test/chat/input_line.h"
#include "client-test/cli/command.h"
#include "client-test/cli/message_line.h"
#include "client-test/cli/roster.h"
#include "client-test/cli/terminal.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

#include <stdio.h>
#include <utlist.h>

enum { SLOW_MS = 1000 };

/* Typed before the conversation was known. */
struct held_line {
	struct held_line *next;
	size_t len;
	char text[];
};

/* "#42  12:00:01  you: hi ✓"; without the number until it is saved. */
static void show(struct chat_state *chat, uint64_t unix_ms, const char *who,
                 uint64_t seq, struct span text, const char *mark)
{
	struct buf line CLEANUP(buf_free) = BUF(MESSAGE_LINE_MAX);

	if (seq)
		buf_format(&line, "#%llu  ", (unsigned long long)seq);
	terminal_clock(&line, unix_ms);
	buf_append(&line, SPAN("  "));
	terminal_text(&line, span_of(who), 0);
	buf_append(&line, SPAN(": "));
	terminal_text(&line, text, 10);
	buf_append(&line, span_of(mark));
	prompt_print(chat->prompt, buf_span(&line));
}

static void end_when_done(struct chat_state *chat, unsigned left)
{
	if (chat->input_ended &&
	    pending_messages_count(user_session_pending(chat->session)) <= left)
		event_loop_end(chat->loop, EXIT_DONE);
}

void chat_sender_show_slow(void *context)
{
	struct chat_state *chat = context;
	const struct pending_message *entry = pending_messages_find(
		user_session_pending(chat->session), &chat->last_uuid);

	if (!entry || entry->draft.kind != DRAFT_MESSAGE)
		return;
	chat->slow_shown = true;
	show(chat, clock_unix_ms(), "you", 0, entry->draft.text, " …");
}

static void send_draft(struct chat_state *chat,
                       const struct message_draft *draft)
{
	struct uuid uuid;

	uuid_make(&uuid);
	if (!utf8_valid(draft->text) ||
	    !user_session_send(chat->session, &uuid, draft)) {
		chat_state_print(
			chat,
			"-- not sent: too many lines wait, or it is no text");
		return;
	}
	chat->last_uuid = uuid;
	chat->slow_shown = false;
	loop_timer_start(chat->slow, SLOW_MS);
}

static void send_text(struct chat_state *chat, const struct input_line *input)
{
	struct message_draft draft = chat_view_draft(chat->view);

	draft.text = input->text;
	draft.seq = input->seq;
	send_draft(chat, &draft);
}

static void send_change(struct chat_state *chat, const struct input_line *input)
{
	static const enum draft_kind kinds[] = {
		[INPUT_LINE_EDIT] = DRAFT_EDIT,
		[INPUT_LINE_DELETE] = DRAFT_DELETE,
		[INPUT_LINE_REACT] = DRAFT_REACT,
		[INPUT_LINE_UNREACT] = DRAFT_REACT,
	};
	const struct message_draft draft = {
		.kind = kinds[input->kind],
		.conversation = chat_view_conversation(chat->view),
		.seq = input->seq,
		.text = input->text,
		.remove = input->kind == INPUT_LINE_UNREACT,
	};

	if (draft.conversation)
		send_draft(chat, &draft);
	else
		chat_state_print(chat, "-- nothing was said yet");
}

static void members_answered(void *context, const struct rest_answer *answer)
{
	struct chat_state *chat = context;
	const struct json *item;
	struct roster_member member;

	if (answer->status != ST_OK) {
		chat_state_print(chat, "-- who is here: %.*s",
		                 (int)answer->why.len,
		                 answer->why.len ? answer->why.data : "");
		return;
	}
	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "members", i)) != NULL; i++) {
		struct buf line CLEANUP(buf_free) = BUF(256);

		if (!roster_member_read(item, &member))
			continue;
		buf_append(&line, SPAN("-- "));
		user_names_mark(&line, member.user);
		buf_format(&line, ", %s, has read up to #%llu", member.role,
		           (unsigned long long)member.read_seq);
		chat_state_print_marked(chat, buf_span(&line));
	}
}

static void ask_members(struct chat_state *chat)
{
	char path[96];

	if (!chat_view_conversation(chat->view)) {
		chat_state_print(chat, "-- nothing was said yet");
		return;
	}
	(void)snprintf(path, sizeof(path), "/conversations/%llu/members",
	               (unsigned long long)chat_view_conversation(chat->view));
	rest_get(event_loop_rest(chat->loop), user_session_token(chat->session),
	         path, members_answered, chat);
}

static void run_line(struct chat_state *chat, struct span text)
{
	struct input_line input;
	const char *why = input_line_parse(text, &input);

	if (why)
		chat_state_print(chat, "-- %s", why);
	else if (input.kind == INPUT_LINE_TEXT ||
	         input.kind == INPUT_LINE_REPLY)
		send_text(chat, &input);
	else if (input.kind == INPUT_LINE_WHO)
		ask_members(chat);
	else if (input.kind == INPUT_LINE_HELP)
		chat_state_print(chat, "-- %s", input_line_help);
	else if (input.kind == INPUT_LINE_QUIT)
		event_loop_end(chat->loop, EXIT_DONE);
	else if (input.kind != INPUT_LINE_NOTHING)
		send_change(chat, &input);
}

static void hold_line(struct chat_state *chat, struct span text)
{
	struct held_line *held = mem_new(sizeof(*held) + text.len);

	held->len = text.len;
	memcpy(held->text, text.data, text.len);
	LL_APPEND(chat->held, held);
	chat_state_print(chat, "-- kept until %s is here",
	                 chat_state_peer(chat));
}

void chat_sender_release_held(struct chat_state *chat, bool send)
{
	while (chat->held) {
		struct held_line *held = chat->held;

		LL_DELETE(chat->held, held);
		if (send)
			run_line(chat, span_make(held->text, held->len));
		mem_free(&held);
	}
}

void chat_sender_line(void *context, struct span text)
{
	struct chat_state *chat = context;

	if (text.len == 0)
		return;
	if (chat_view_known(chat->view) || span_equal(text, SPAN("/quit")))
		run_line(chat, text);
	else
		hold_line(chat, text);
}

void chat_sender_end(void *context)
{
	struct chat_state *chat = context;

	chat->input_ended = true;
	end_when_done(chat, 0);
}

void chat_sender_typing(void *context)
{
	struct chat_state *chat = context;

	chat_view_send_typing(chat->view, chat->session);
}

static void print_refused(struct chat_state *chat,
                          const struct send_result *result)
{
	chat_state_print(chat, "-- not taken: %.*s (%.*s)",
	                 (int)result->detail.len,
	                 result->detail.len ? result->detail.data : "",
	                 (int)result->code.len,
	                 result->code.len ? result->code.data : "");
}

void chat_sender_settled(void *context, const struct send_result *result)
{
	struct chat_state *chat = context;
	bool slow = chat->slow_shown &&
	            !memcmp(&chat->last_uuid, &result->entry->uuid,
	                    sizeof(chat->last_uuid));

	if (!result->saved) {
		print_refused(chat, result);
	} else if (result->entry->draft.kind == DRAFT_MESSAGE) {
		show(chat, result->created_at_ms, slow ? "saved" : "you",
		     result->seq, result->entry->draft.text, " ✓");
		chat_view_saved(chat->view, result);
	} else {
		chat_state_print(chat, "-- #%llu is changed ✓",
		                 (unsigned long long)result->seq);
	}
	end_when_done(chat, 1);
}
