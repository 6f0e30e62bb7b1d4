/*
 * line - what happens in a conversation, in words: one line for people_put(),
 * with people's marks where names belong. docs/protocol/conversations.md
 *
 * Texts of others are written by show_text(): no control character of theirs
 * gets out.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_LINE_H
#define PARLEY_CLIENT_TEST_CLI_LINE_H

#include "client-test/client/message.h"
#include "common/base/buf.h"

enum { LINE_LONGEST = 128 * 1024 };

struct line_style {
	uint64_t self; /* this user is "you"; 0: nobody is */
	bool numbered; /* "#42" in front: what one replies to */
	bool rooms;    /* "[17]" in front of what is not between two people */
};

/* "12:00:01  bob: hi", or "12:00:01  * bob invited carol" */
void line_entry(struct buf *out, const struct message *message,
                const struct line_style *style);
/* "* bob edited #42: hi!" */
void line_edit(struct buf *out, const struct message_edit *edit,
               const struct line_style *style);

#endif
