/*
 * show - texts of other people on a terminal.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_SHOW_H
#define PARLEY_CLIENT_TEST_CLI_SHOW_H

#include "common/base/buf.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdint.h>

/*
 * Appends valid UTF-8 with its control characters (C0, DEL, C1) replaced, so
 * that no text moves the cursor or asks the terminal anything. A line break
 * becomes one with `indent` blanks behind it.
 */
void show_text(struct buf *out, struct span text, unsigned indent);
/* Appends HH:MM:SS of the local time. */
void show_clock(struct buf *out, uint64_t unix_ms);
/*
 * Lines on stderr: no connection for now (fits struct talker_events, `context`
 * is not used); the sign-in was refused.
 */
void show_offline(void *context, const char *why, uint64_t retry_ms);
void show_denied(enum status status, struct span why);

#endif
