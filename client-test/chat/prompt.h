/*
 * prompt - a line being typed at the bottom of a terminal while other lines
 * appear above it.
 *
 * On a terminal it edits the line itself (backspace, ^U, ^W, ^D on an empty
 * line); ^C stays a signal. If stdin or stdout is not a terminal, it reads and
 * writes plain lines.
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_PROMPT_H
#define PARLEY_CLIENT_TEST_CHAT_PROMPT_H

#include "common/base/span.h"

#include <stdbool.h>

struct prompt;
struct uv_loop_s;

struct prompt_events {
	/* `too_long`: the line was cut. */
	void (*line)(void *context, struct span text, bool too_long);
	/* The input ended; `error` is an errno if it cannot be read, or 0. */
	void (*end)(void *context, int error);
	/* A key changed the line, on a terminal; may be NULL. */
	void (*typing)(void *context);
};

struct prompt *prompt_create(struct uv_loop_s *loop,
                             const struct prompt_events *events, void *context);
/* Restores the terminal. */
void prompt_destroy(struct prompt **prompt);
bool prompt_is_terminal(const struct prompt *prompt);
/*
 * Holds back the lines of an input that is not a terminal, also from within
 * `line`, or lets them go on.
 */
void prompt_hold(struct prompt *prompt, bool hold);
/* Prints a line, which may have line breaks, above the line being typed. */
void prompt_print(struct prompt *prompt, struct span line);

#endif
