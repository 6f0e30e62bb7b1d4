#include "client-test/chat/chat_sender.h"
#include "client-test/chat/input_line.h"
#include "client-test/cli/command.h"
#include "client-test/cli/message_line.h"
#include "client-test/cli/roster.h"
#include "client-test/cli/terminal.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

/* Lines of an input that is not a terminal wait beyond these numbers. */
enum { SLOW_MS = 1000, UNSAVED_MAX = 64, HELD_MAX = 1000 };

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

static unsigned pending_count(const struct chat_state *chat)
{
	return pending_messages_count(user_session_pending(chat->session));
}

/* `unsettled`: how many of the pending messages are not settled. */
static void end_when_done(struct chat_state *chat, unsigned unsettled)
{
	bool in_vain = chat->held && chat->peer_absent;

	if (in_vain && (chat->input_ended || chat->held_count == HELD_MAX))
		event_loop_end(chat->loop, EXIT_FAILED);
	else if (chat->input_ended && !chat->held && unsettled == 0)
		event_loop_end(chat->loop,
		               chat->not_done ? EXIT_FAILED : EXIT_DONE);
}

static void not_sent(struct chat_state *chat, const char *why)
{
	chat->not_done++;
	chat_state_print(chat, "-- not sent: %s", why);
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
	const char *fault = message_draft_fault(draft);
	struct uuid uuid;

	uuid_make(&uuid);
	if (fault) {
		not_sent(chat, fault);
		return;
	}
	if (!user_session_send(chat->session, &uuid, draft)) {
		not_sent(chat, "too many lines wait");
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
		not_sent(chat, "nothing was said yet");
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
		not_sent(chat, why);
	else if (input.kind == INPUT_LINE_TEXT ||
	         input.kind == INPUT_LINE_REPLY)
		send_text(chat, &input);
	else if (input.kind == INPUT_LINE_WHO)
		ask_members(chat);
	else if (input.kind == INPUT_LINE_HELP)
		chat_state_print(chat, "-- %s", input_line_help);
	else if (input.kind == INPUT_LINE_QUIT)
		chat_sender_end(chat, 0);
	else if (input.kind != INPUT_LINE_NOTHING)
		send_change(chat, &input);
}

/* --- lines held back ------------------------------------------------------ */
static void hold_line(struct chat_state *chat, struct span text)
{
	struct held_line *held;

	if (chat->held_count == HELD_MAX) {
		not_sent(chat, "too many lines wait");
		return;
	}
	held = mem_new(sizeof(*held) + text.len);
	held->len = text.len;
	memcpy(held->text, text.data, text.len);
	LL_APPEND(chat->held, held);
	if (chat->held_count++ == 0 || prompt_is_terminal(chat->prompt))
		chat_state_print(chat, "-- kept until %s is here",
		                 chat_state_peer(chat));
	if (chat->held_count < HELD_MAX)
		return;
	prompt_hold(chat->prompt, true);
	end_when_done(chat, pending_count(chat));
}

static void drop_held(struct chat_state *chat, struct held_line *held)
{
	LL_DELETE(chat->held, held);
	chat->held_count--;
	mem_free(&held);
}

void chat_sender_release_held(struct chat_state *chat)
{
	bool ended = chat->input_ended;

	while (chat->held) {
		struct held_line *held = chat->held;

		run_line(chat, span_make(held->text, held->len));
		drop_held(chat, held);
	}
	if (ended)
		end_when_done(chat, pending_count(chat));
	else
		prompt_hold(chat->prompt, pending_count(chat) >= UNSAVED_MAX);
}

void chat_sender_peer_absent(struct chat_state *chat)
{
	chat->peer_absent = true;
	end_when_done(chat, pending_count(chat));
}

/* --- input --------------------------------------------------------------- */
void chat_sender_line(void *context, struct span text, bool too_long)
{
	struct chat_state *chat = context;

	if (too_long)
		not_sent(chat, "the line is too long");
	else if (text.len == 0 && prompt_is_terminal(chat->prompt))
		return;
	else if (text.len == 0)
		not_sent(chat, "the line is empty");
	else if (chat_view_known(chat->view))
		run_line(chat, text);
	else if (span_equal(text, SPAN("/quit")))
		chat_sender_end(chat, 0);
	else
		hold_line(chat, text);
	if (pending_count(chat) >= UNSAVED_MAX)
		prompt_hold(chat->prompt, true);
}

void chat_sender_end(void *context, int error)
{
	struct chat_state *chat = context;
	unsigned pending = pending_count(chat);

	if (error) {
		chat->not_done++;
		chat_state_print(chat, "-- stdin cannot be read: %s",
		                 strerror(error));
	}
	if (pending && prompt_is_terminal(chat->prompt))
		chat_state_print(chat,
		                 "-- waiting until %u lines are saved; Ctrl-C "
		                 "ends at once",
		                 pending);
	chat->input_ended = true;
	/* Lines after /quit are not read. */
	prompt_hold(chat->prompt, true);
	end_when_done(chat, pending);
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
		chat->not_done++;
		print_refused(chat, result);
	} else if (result->entry->draft.kind == DRAFT_MESSAGE) {
		show(chat, result->created_at_ms, slow ? "saved" : "you",
		     result->seq, result->entry->draft.text, " ✓");
		chat_view_saved(chat->view, result);
	} else {
		chat_state_print(chat, "-- #%llu is changed ✓",
		                 (unsigned long long)result->seq);
	}
	/* This message is still counted as pending. */
	if (!chat->input_ended && pending_count(chat) - 1 < UNSAVED_MAX)
		prompt_hold(chat->prompt, false);
	end_when_done(chat, pending_count(chat) - 1);
}

/* --- the end ------------------------------------------------------------- */
static void print_unsettled(void *context,
                            const struct pending_message *message)
{
	struct chat_state *chat = context;
	struct buf line CLEANUP(buf_free) = BUF(MESSAGE_LINE_MAX);

	buf_append(&line, message->sent
	                          ? SPAN("-- sent, but not known to be saved: ")
	                          : SPAN("-- not sent: "));
	terminal_text(&line, message->draft.text, 3);
	prompt_print(chat->prompt, buf_span(&line));
}

void chat_sender_report(struct chat_state *chat)
{
	if (chat->session)
		pending_messages_each(user_session_pending(chat->session),
		                      print_unsettled, chat);
	if (chat->held)
		chat_state_print(chat, "-- not sent: %u lines kept for %s",
		                 chat->held_count, chat_state_peer(chat));
	if (!chat->input_ended && !prompt_is_terminal(chat->prompt))
		chat_state_print(chat, "-- the input was not read to its end");
	while (chat->held)
		drop_held(chat, chat->held);
}
