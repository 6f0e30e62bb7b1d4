/*
 * chat_private - a chat: chat.c is there and shows what comes, chat_own.c takes
 * what is typed.
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_PRIVATE_H
#define PARLEY_CLIENT_TEST_CHAT_PRIVATE_H

#include "client-test/chat/chat_room.h"
#include "client-test/chat/prompt.h"
#include "client-test/cli/options.h"
#include "client-test/cli/people.h"
#include "client-test/client/rooms.h"
#include "client-test/client/stage.h"
#include "client-test/client/talker.h"

struct alarm;
struct held;

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

void chat_say(struct chat *chat, const char *format, ...) PRINTF(2, 3);
/* Prints a line that has people's marks. */
void chat_name_people(void *context, struct span line);
/* Whom or what the command line names. */
const char *chat_where(const struct chat *chat);

/* --- what is typed; contexts are chats ------------------------------------ */
void chat_take_line(void *context, struct span text);
void chat_take_end(void *context);
void chat_take_typing(void *context);
/* What was typed before it was known where to is sent, or not. */
void chat_drop_held(struct chat *chat, bool send);
void chat_settled(void *context, const struct outcome *outcome);
void chat_show_slow(void *context);

#endif
