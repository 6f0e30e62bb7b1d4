/*
 * chat_sender - the lines typed in a chat: sends texts, runs commands, shows
 * their results. Every context is a struct chat_state.
 *
 * Lines typed before the conversation is known are held back.
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_CHAT_SENDER_H
#define PARLEY_CLIENT_TEST_CHAT_CHAT_SENDER_H

#include "client-test/chat/chat_state.h"

void chat_sender_line(void *context, struct span text, bool too_long);
/*
 * The input ended: the chat ends when nothing is pending. Its exit code is
 * EXIT_FAILED if a line was refused or not sent.
 */
void chat_sender_end(void *context, int error);
/*
 * The user at the other end does not exist yet: ends a chat whose input has
 * ended.
 */
void chat_sender_peer_absent(struct chat_state *chat);
/* The user is typing a line. */
void chat_sender_typing(void *context);
/* The conversation is known: sends the lines held back. */
void chat_sender_release_held(struct chat_state *chat);
/* At the end of the chat: says what became of the lines that are not settled.
 */
void chat_sender_report(struct chat_state *chat);
/* The server's final answer to a message or edit. */
void chat_sender_settled(void *context, const struct send_result *result);
/* A message takes long: shows its line with "…". */
void chat_sender_show_slow(void *context);

#endif
