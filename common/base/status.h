/*
 * status - what a caller should do about an outcome.
 *
 * Every function that can fail returns one of these. The text is for logs; the
 * HTTP code is what a REST client sees when nothing more exact is known.
 */
#ifndef PARLEY_BASE_STATUS_H
#define PARLEY_BASE_STATUS_H

#include <stdbool.h>

/*	name         http  text                       the caller should */
#define STATUS_TABLE(X) \
	X(OK, 200, "ok")                   /* go on */ \
	X(INVALID, 400, "invalid")         /* refuse: the input is wrong */ \
	X(DENIED, 401, "denied")           /* refuse: not allowed */ \
	X(NOT_FOUND, 404, "not found")     /* refuse: there is no such */ \
	X(CONFLICT, 409, "conflict")       /* refuse: it is there already */ \
	X(TOO_LARGE, 413, "too large")     /* refuse: over a limit */ \
	X(BUSY, 429, "busy")               /* slow down, then retry */ \
	X(UNAVAILABLE, 503, "unavailable") /* retry later, nothing was done */ \
	X(UNCERTAIN, 503, "uncertain")     /* may have happened: look first */ \
	X(BROKEN, 500, "broken")           /* give up: retrying cannot help */

enum status {
#define STATUS_ENUM(name, http, text) ST_##name,
	STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

const char *status_text(enum status status);
unsigned status_http(enum status status);
/* True where the same call may succeed later. */
bool status_retryable(enum status status);

#endif
