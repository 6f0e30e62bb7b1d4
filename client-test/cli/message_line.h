/*
 * message_line - an entry of a conversation as a line of text, for
 * user_names_print(). docs/protocol/conversations.md
 *
 * The line has marks in place of user names (user_names.h). Text of other users
 * is written by terminal_text(), without control characters.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_MESSAGE_LINE_H
#define PARLEY_CLIENT_TEST_CLI_MESSAGE_LINE_H

#include "client-test/client/message.h"
#include "common/base/buf.h"

enum { MESSAGE_LINE_MAX = 128 * 1024 };

struct message_line_style {
	uint64_t self;      /* this user is written as "you"; 0: no user is */
	bool numbered;      /* "#42" in front, the seq to reply to */
	bool conversations; /* "[17]" in front, unless it is a direct one */
};

/* "12:00:01  bob: hi", or "12:00:01  * bob invited carol" */
void message_line_entry(struct buf *out, const struct message *message,
                        const struct message_line_style *style);
/* "* bob edited #42: hi!" */
void message_line_edit(struct buf *out, const struct message_edit *edit,
                       const struct message_line_style *style);

#endif
