/*
 * typed - a line typed in a chat: a text, or a command that begins with a
 * slash. Two slashes begin a text with one.
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_TYPED_H
#define PARLEY_CLIENT_TEST_CHAT_TYPED_H

#include "common/base/span.h"

enum typed_kind {
	TYPED_NOTHING,
	TYPED_TEXT,
	TYPED_REPLY,
	TYPED_EDIT,
	TYPED_DELETE,
	TYPED_REACT,
	TYPED_UNREACT,
	TYPED_WHO,
	TYPED_HELP,
	TYPED_QUIT,
};

struct typed {
	enum typed_kind kind;
	uint64_t seq;     /* that it is about */
	struct span text; /* or the reaction; part of the line */
};

/* NULL, or what is wrong with the line: a constant text. */
const char *typed_read(struct span line, struct typed *ret_typed);
/* All commands, in one line. */
extern const char *const typed_help;

#endif
