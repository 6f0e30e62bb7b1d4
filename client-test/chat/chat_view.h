/*
 * chat_view - the conversation on the screen of a chat: which entries were
 * shown, how far other members have read, who is typing, and the receipts and
 * typing frames that this user sends.
 *
 * Until the conversation is known, the view keeps the lines. Lines come out in
 * order, with marks of user names (user_names.h).
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_CHAT_VIEW_H
#define PARLEY_CLIENT_TEST_CHAT_CHAT_VIEW_H

#include "client-test/client/user_session.h"

struct chat_view;
struct uv_loop_s;

/* Prints a line that has marks of user names. */
typedef void chat_view_line(void *context, struct span line);

struct chat_view *chat_view_create(struct uv_loop_s *loop, chat_view_line *line,
                                   void *context);
void chat_view_destroy(struct chat_view **view);

/*
 * The conversation is the one with `user`, or `conversation`; the other is 0.
 */
void chat_view_open(struct chat_view *view, struct user_session *session,
                    uint64_t user, uint64_t conversation);
bool chat_view_known(const struct chat_view *view);
/* 0: nothing was written in it yet. */
uint64_t chat_view_conversation(const struct chat_view *view);
/* A draft of a line to this conversation. */
struct message_draft chat_view_draft(const struct chat_view *view);

/*
 * Events of the session. `own`: this session sent the message. `live`: the chat
 * was online, so a message in another conversation is announced.
 */
void chat_view_message(struct chat_view *view, struct user_session *session,
                       const struct message *message, bool own, bool live);
void chat_view_saved(struct chat_view *view, const struct send_result *result);
void chat_view_changed(struct chat_view *view, struct user_session *session,
                       const struct message_edit *edit);
void chat_view_receipt(struct chat_view *view, struct user_session *session,
                       const struct user_session_receipt *receipt);
void chat_view_typing(struct chat_view *view, struct user_session *session,
                      uint64_t conversation, uint64_t user);
/* The user is typing a line. */
void chat_view_send_typing(struct chat_view *view,
                           struct user_session *session);
/* Connected again: sends the receipts again. */
void chat_view_online(struct chat_view *view, struct user_session *session);

#endif
