/*
 * chat_room - the conversation on the screen of a chat: what of it was shown,
 * how far the others have read, who is writing, and what we say of ourselves.
 *
 * Until it is known which one it is, lines are kept. Lines come out in order;
 * names are people's marks (people.h).
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_ROOM_H
#define PARLEY_CLIENT_TEST_CHAT_ROOM_H

#include "client-test/client/talker.h"

struct chat_room;
struct uv_loop_s;

/* A line for people_put(). */
typedef void chat_room_line(void *context, struct span line);

struct chat_room *chat_room_create(struct uv_loop_s *loop, chat_room_line *line,
                                   void *context);
void chat_room_destroy(struct chat_room **room);

/* It is with that user, or it is that conversation; 0: the other one. */
void chat_room_is(struct chat_room *room, struct talker *talker, uint64_t user,
                  uint64_t conversation);
bool chat_room_known(const struct chat_room *room);
/* 0: nothing was said in it yet. */
uint64_t chat_room_conversation(const struct chat_room *room);
/* To whom a line goes. */
struct outbox_draft chat_room_draft(const struct chat_room *room);

/* What happens. Of other conversations a word is said, once we are online. */
void chat_room_message(struct chat_room *room, struct talker *talker,
                       const struct message *message, bool own, bool live);
void chat_room_saved(struct chat_room *room, const struct outcome *outcome);
void chat_room_changed(struct chat_room *room, struct talker *talker,
                       const struct message_edit *edit);
void chat_room_receipt(struct chat_room *room, struct talker *talker,
                       const struct talker_receipt *receipt);
void chat_room_typing(struct chat_room *room, struct talker *talker,
                      uint64_t conversation, uint64_t user);
/* A line is being typed. */
void chat_room_typed(struct chat_room *room, struct talker *talker);
/* Connected again: what was shown is said again. */
void chat_room_online(struct chat_room *room, struct talker *talker);

#endif
