/*
 * chat_state - a running chat: what chat.c (the command) and chat_sender.c (the
 * lines typed) share, and how they print.
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_CHAT_STATE_H
#define PARLEY_CLIENT_TEST_CHAT_CHAT_STATE_H

#include "client-test/chat/chat_view.h"
#include "client-test/chat/prompt.h"
#include "client-test/cli/event_loop.h"
#include "client-test/cli/options.h"
#include "client-test/cli/user_names.h"
#include "client-test/client/conversation_finder.h"
#include "client-test/client/user_session.h"

struct held_line;
struct loop_timer;

struct chat_options {
	struct account_options account;
	const char *to; /* either a user's name … */
	const char *in; /* … or a conversation's title or id */
	uint64_t history;
};

struct chat_state {
	const struct chat_options *options;
	struct event_loop *loop;
	struct user_session *session;
	struct user_names *names;
	struct prompt *prompt;
	struct conversation_finder *finder;
	struct chat_view *view;
	struct loop_timer *find_again;
	bool peer_absent; /* the user does not exist yet */
	bool reported_offline;
	bool was_online;
	/* The lines typed (chat_sender). */
	struct held_line *held;
	unsigned held_count;
	bool input_ended;
	unsigned not_done; /* lines that were refused or not sent */
	struct loop_timer *slow;
	struct uuid last_uuid; /* of the last message or edit sent */
	bool slow_shown;       /* its line was shown with "…" */
};

/* Prints a line above the prompt. */
void chat_state_print(struct chat_state *chat, const char *format, ...)
	PRINTF(2, 3);
/* Prints a line that has marks of user names; `context` is the chat. */
void chat_state_print_marked(void *context, struct span line);
/* The user or conversation on the command line. */
const char *chat_state_peer(const struct chat_state *chat);

#endif
