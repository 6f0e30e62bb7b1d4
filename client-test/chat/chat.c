/*
 * The chat command: a user at a terminal in a conversation.
 *
 * A line that the user sends appears when it is saved, with a ✓. If that takes
 * longer than a second, the line appears with a … first.
 */
#include "client-test/chat/chat.h"
#include "client-test/chat/chat_sender.h"
#include "client-test/chat/chat_state.h"
#include "client-test/cli/command.h"
#include "client-test/client/loop_timer.h"

#include <stdio.h>

enum { FIND_AGAIN_MS = 2000 };

/* --- events of the session ----------------------------------------------- */
static void print_line(void *context, struct span line)
{
	struct chat_state *chat = context;

	prompt_print(chat->prompt, line);
}

static void message(void *context, const struct message *message, bool own)
{
	struct chat_state *chat = context;

	chat_view_message(chat->view, chat->session, message, own,
	                  chat->was_online);
}

static void changed(void *context, const struct message_edit *edit)
{
	struct chat_state *chat = context;

	chat_view_changed(chat->view, chat->session, edit);
}

static void receipt(void *context, const struct user_session_receipt *receipt)
{
	struct chat_state *chat = context;

	chat_view_receipt(chat->view, chat->session, receipt);
}

static void typing(void *context, uint64_t conversation, uint64_t user)
{
	struct chat_state *chat = context;

	chat_view_typing(chat->view, chat->session, conversation, user);
}

/* --- finding the conversation -------------------------------------------- */
static void begin(struct chat_state *chat, uint64_t user, uint64_t conversation)
{
	chat_view_open(chat->view, chat->session, user, conversation);
	chat_state_print(
		chat,
		"-- you talk with %s now; /help says more, /quit or Ctrl-D "
		"ends",
		chat_state_peer(chat));
	chat_sender_release_held(chat);
}

static void found(void *context, enum status status, uint64_t user,
                  struct span why)
{
	struct chat_state *chat = context;

	if (status == ST_OK) {
		begin(chat, user, 0);
		return;
	}
	if (status == ST_INVALID) {
		chat_state_print(chat, "-- %s can't be a name: %.*s",
		                 chat->options->to, (int)why.len,
		                 why.len ? why.data : "");
		event_loop_end(chat->loop, EXIT_FAILED);
		return;
	}
	if (status == ST_NOT_FOUND) {
		if (!chat->peer_absent)
			chat_state_print(chat, "-- %s is not here yet; waiting",
			                 chat->options->to);
		chat_sender_peer_absent(chat);
	}
	loop_timer_start(chat->find_again, FIND_AGAIN_MS);
}

static void found_conversation(void *context, enum status status,
                               const struct conversation_info *info,
                               struct span why)
{
	struct chat_state *chat = context;

	if (status == ST_OK) {
		begin(chat, 0, info->id);
	} else if (status == ST_UNAVAILABLE || status == ST_BUSY) {
		loop_timer_start(chat->find_again, FIND_AGAIN_MS);
	} else {
		chat_state_print(chat, "-- %s: %.*s", chat->options->in,
		                 (int)why.len, why.len ? why.data : "");
		event_loop_end(chat->loop, EXIT_FAILED);
	}
}

static void find(void *context)
{
	struct chat_state *chat = context;
	struct span token = user_session_token(chat->session);

	if (*chat->options->to)
		user_names_find(chat->names, token, chat->options->to, found,
		                chat);
	else
		conversation_finder_find(chat->finder, token, chat->options->in,
		                         found_conversation, chat);
}

static void online(void *context)
{
	struct chat_state *chat = context;

	if (chat->reported_offline)
		chat_state_print(chat, "-- connected again");
	chat->reported_offline = false;
	chat_view_online(chat->view, chat->session);
	if (!chat->was_online)
		find(chat);
	chat->was_online = true;
}

static void offline(void *context, const char *why, uint64_t retry_ms)
{
	struct chat_state *chat = context;

	(void)retry_ms;
	if (!chat->reported_offline)
		chat_state_print(chat, "-- no connection (%s); trying again",
		                 why);
	chat->reported_offline = true;
}

static void denied(void *context, enum status status, struct span why)
{
	struct chat_state *chat = context;

	chat_state_print(chat, "-- can't sign in as %s: %s: %.*s",
	                 chat->options->account.name, status_text(status),
	                 (int)why.len, why.len ? why.data : "");
	event_loop_end(chat->loop, EXIT_FAILED);
}

static void unreadable(void *context, struct span why)
{
	struct chat_state *chat = context;

	chat_state_print(chat, "-- the server cannot read a message: %.*s",
	                 (int)why.len, why.len ? why.data : "");
	event_loop_end(chat->loop, EXIT_FAILED);
}

static void renewed(void *context)
{
	struct chat_state *chat = context;

	user_names_set_token(chat->names, user_session_token(chat->session));
}

static const struct user_session_events user_session_events = {
	.renewed = renewed,
	.online = online,
	.offline = offline,
	.denied = denied,
	.unreadable = unreadable,
	.message = message,
	.settled = chat_sender_settled,
	.changed = changed,
	.receipt = receipt,
	.typing = typing,
};

static const struct prompt_events prompt_events = {
	.line = chat_sender_line,
	.end = chat_sender_end,
	.typing = chat_sender_typing,
};

static void start(struct chat_state *chat, const struct chat_options *options)
{
	struct uv_loop_s *loop = event_loop_uv(chat->loop);
	const struct user_session_config config = {
		.loop = loop,
		.rest = event_loop_rest(chat->loop),
		.url = options->account.url,
		.session = options->account.session,
		.name = options->account.name,
		.password = options->account.password,
		.history = options->history,
		.events = &user_session_events,
		.context = chat,
	};

	chat->names = user_names_create(loop, event_loop_rest(chat->loop),
	                                print_line, chat);
	chat->finder = conversation_finder_create(event_loop_rest(chat->loop));
	chat->view = chat_view_create(loop, chat_state_print_marked, chat);
	chat->find_again = loop_timer_create(loop, find, chat);
	chat->slow = loop_timer_create(loop, chat_sender_show_slow, chat);
	chat->prompt = prompt_create(loop, &prompt_events, chat);
	chat->session = user_session_create(&config);
	if (!chat->session) {
		chat_state_print(chat, "%s is no http://host:port",
		                 options->account.url);
		event_loop_end(chat->loop, EXIT_USAGE);
	}
}

static int chat_run(const void *context)
{
	static struct chat_state chat;
	const struct chat_options *options = context;

	if (!*options->to == !*options->in) {
		(void)fprintf(stderr,
		              "client-test chat: either --to or --in is "
		              "needed\n");
		return EXIT_USAGE;
	}
	chat.options = options;
	chat.loop = event_loop_create(options->account.url);
	start(&chat, options);
	event_loop_run(chat.loop, NULL, UINT32_MAX);
	chat_sender_report(&chat);
	event_loop_cancel_calls(chat.loop);
	prompt_destroy(&chat.prompt);
	user_session_destroy(&chat.session);
	user_names_destroy(&chat.names);
	conversation_finder_destroy(&chat.finder);
	chat_view_destroy(&chat.view);
	loop_timer_destroy(&chat.find_again);
	loop_timer_destroy(&chat.slow);
	return event_loop_close(&chat.loop);
}

static const struct option_row rows[] = {
	OPTIONS_ACCOUNT("you; registered if the name is free"),
	OPTION_TEXT(struct chat_options, to, "--to", "NAME", "", NULL,
                    "the other user, who may register later"),
	OPTION_TEXT(struct chat_options, in, "--in", "WHICH", "", NULL,
                    "or a conversation, by its title or number"),
	OPTION_NUMBER(struct chat_options, history, "--history", "20", 0, 200,
                      "messages shown at the start"),
};

const struct command chat_command = {
	.name = "chat",
	.words = "",
	.purpose =
		"chats with a user, or in a group or channel, at this terminal "
		"or with the lines of stdin",
	.exits = "0 if all lines were sent and saved; 1 if a line was refused, "
		 "not sent or not answered; 128 + N after signal N; 100 for "
		 "wrong arguments.",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.signs_in = true,
	.options_size = sizeof(struct chat_options),
	.run = chat_run,
};
