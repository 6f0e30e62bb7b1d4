/*
 * terminal - text of other users on a terminal, and status lines on stderr.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_TERMINAL_H
#define PARLEY_CLIENT_TEST_CLI_TERMINAL_H

#include "common/base/buf.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdint.h>

/*
 * Appends valid UTF-8 with its control characters (C0, DEL, C1) replaced, so
 * that no text can move the cursor or send commands to the terminal. After a
 * line break it appends `indent` spaces.
 */
void terminal_text(struct buf *out, struct span text, unsigned indent);
/* Appends the local time as HH:MM:SS. */
void terminal_clock(struct buf *out, uint64_t unix_ms);
/*
 * Prints on stderr that there is no connection. Fits struct
 * user_session_events; `context` is not used.
 */
void terminal_offline(void *context, const char *why, uint64_t retry_ms);
/* Prints on stderr that the server refused the sign-in. */
void terminal_denied(enum status status, struct span why);
/* Prints on stderr that a URL is malformed. */
void terminal_bad_url(const char *url);

#endif
