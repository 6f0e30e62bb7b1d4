/*
 * input_line - a line typed in a chat: a text, or a command that begins with a
 * slash. A text that begins with a slash is typed with two.
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_INPUT_LINE_H
#define PARLEY_CLIENT_TEST_CHAT_INPUT_LINE_H

#include "common/base/span.h"

enum input_line_kind {
	INPUT_LINE_NOTHING,
	INPUT_LINE_TEXT,
	INPUT_LINE_REPLY,
	INPUT_LINE_EDIT,
	INPUT_LINE_DELETE,
	INPUT_LINE_REACT,
	INPUT_LINE_UNREACT,
	INPUT_LINE_WHO,
	INPUT_LINE_HELP,
	INPUT_LINE_QUIT,
};

struct input_line {
	enum input_line_kind kind;
	uint64_t seq;     /* the target of the command */
	struct span text; /* or the reaction; points into the line */
};

/* Returns NULL, or a constant text that says what is wrong with the line. */
const char *input_line_parse(struct span line, struct input_line *ret_input);
/* All commands on one line. */
extern const char *const input_line_help;

#endif
