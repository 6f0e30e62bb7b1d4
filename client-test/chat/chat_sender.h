/*
 * chat_sender - the lines typed in a chat: sends texts, runs commands, shows
 * their results. Every context is a struct chat_state.
 *
 * Lines typed before the conversation is known are held back.
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_CHAT_SENDER_H
#define PARLEY_CLIENT_TEST_CHAT_CHAT_SENDER_H

#include "client-test/chat/chat_state.h"

void chat_sender_line(void *context, struct span text);
/* The input ended: the chat ends when nothing is pending. */
void chat_sender_end(void *context);
/* The user is typing a line. */
void chat_sender_typing(void *context);
/* Sends the lines held back, or only frees them. */
void chat_sender_release_held(struct chat_state *chat, bool send);
/* The server's final answer to a message or edit. */
void chat_sender_settled(void *context, const struct send_result *result);
/* A message takes long: shows its line with "…". */
void chat_sender_show_slow(void *context);

#endif
