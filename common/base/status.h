/*
 * status - the result of a function: what the caller should do.
 *
 * Every function that can fail returns one of these. The text is for logs.
 */
#ifndef PARLEY_BASE_STATUS_H
#define PARLEY_BASE_STATUS_H

#include <stdbool.h>

/*	name        text               the caller should */
#define STATUS_TABLE(X) \
	X(OK, "ok")                   /* go on */ \
	X(INVALID, "invalid")         /* refuse: the input is wrong */ \
	X(DENIED, "denied")           /* refuse: not allowed */ \
	X(NOT_FOUND, "not found")     /* refuse: it does not exist */ \
	X(CONFLICT, "conflict")       /* refuse: it exists already */ \
	X(TOO_LARGE, "too large")     /* refuse: over a limit */ \
	X(BUSY, "busy")               /* slow down, then retry */ \
	X(UNAVAILABLE, "unavailable") /* retry later, nothing was done */ \
	X(UNCERTAIN, "uncertain")     /* may be done: check, then retry */ \
	X(BROKEN, "broken")           /* give up: retrying cannot help */

enum status {
#define STATUS_ENUM(name, text) ST_##name,
	STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

const char *status_text(enum status status);
/* True when the same call may succeed later. */
bool status_retryable(enum status status);

#endif
