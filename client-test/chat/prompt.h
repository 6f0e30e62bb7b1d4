/*
 * prompt - a line being typed at the bottom of a terminal while other lines
 * come in above it.
 *
 * On a terminal it edits by itself (backspace, ^U, ^W, ^D on an empty line);
 * ^C stays a signal. Where stdin or stdout is none, lines are read and written
 * plainly.
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_PROMPT_H
#define PARLEY_CLIENT_TEST_CHAT_PROMPT_H

#include "common/base/span.h"

struct prompt;
struct uv_loop_s;

struct prompt_events {
	void (*line)(void *context, struct span text);
	void (*end)(void *context); /* of the input */
	/* A line is being typed, on a terminal; may be NULL. */
	void (*typed)(void *context);
};

struct prompt *prompt_create(struct uv_loop_s *loop,
                             const struct prompt_events *events, void *context);
/* Gives the terminal back as it was. */
void prompt_destroy(struct prompt **prompt);
/* Prints a line (it may have line breaks) above what is being typed. */
void prompt_print(struct prompt *prompt, struct span line);

#endif
