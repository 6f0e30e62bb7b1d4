/*
 * identity_stub - stands for identity-service: a small real HTTP server on a
 * thread of the test process.
 *
 * Each user N exists, except those below. The token "tok" and each token that
 * begins with "good" is of user 7; every other token is denied. The response to
 * a token that begins with "good-held" or "held" waits for
 * identity_stub_release().
 */
#ifndef PARLEY_CLIENT_TESTS_IDENTITY_STUB_H
#define PARLEY_CLIENT_TESTS_IDENTITY_STUB_H

#include <stdint.h>

enum identity_stub_user {
	STUB_NO_USER = 404,
	STUB_BROKEN = 500,  /* an HTTP 500 */
	STUB_GARBAGE = 501, /* bytes that are not HTTP */
	STUB_SILENT = 502,  /* no answer */
	STUB_HELD = 503, /* answered when identity_stub_release() is called */
	STUB_OWNER = 7,
};

#define STUB_SESSION "01936f5e-0c1d-7e2f-8a3b-4c5d6e7f8091"
/* Text that clock_parse() reads, and its unix milliseconds. */
#define STUB_TOKEN_END "2100-01-01T00:00:00.000Z"

int identity_stub_start(void **state);
int identity_stub_stop(void **state);
/* "http://127.0.0.1:PORT" */
const char *identity_stub_url(void);
/* Requests since the last reset, which also holds STUB_HELD again. */
unsigned identity_stub_requests(void);
void identity_stub_reset(void);
void identity_stub_release(void);
/* From now on STUB_SESSION has ended. */
void identity_stub_end_session(void);
/* From now on the list of deleted users has this one. */
void identity_stub_delete(uint64_t user);
/* The same with all users from the first to the last one. */
void identity_stub_delete_all(uint64_t first, uint64_t last);

#endif
