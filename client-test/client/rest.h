/*
 * rest - Parley's HTTP calls, on a loop.
 *
 * Ownership  what a rest_done gets lives until it returns.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_REST_H
#define PARLEY_CLIENT_TEST_CLIENT_REST_H

#include "common/base/span.h"
#include "common/base/status.h"
#include "common/io/json.h"

#include <stdint.h>

struct rest;
struct uv_loop_s;

struct rest_answer {
	/*
	 * By the HTTP code: OK 2xx, DENIED 401, NOT_FOUND 404, CONFLICT 409,
	 * BUSY 429, INVALID other 4xx; UNAVAILABLE all else, also no answer
	 * and one that is not JSON. A GET that is ST_OK has JSON.
	 */
	enum status status;
	unsigned http;           /* 0: no answer */
	const struct json *json; /* NULL: none, as with 204, or an error's */
	struct span why;         /* words for anything but ST_OK */
};

typedef void rest_done(void *context, const struct rest_answer *answer);

struct rest *rest_create(struct uv_loop_s *loop, const char *url);
/* Calls under way are dropped; the loop must turn once more. */
void rest_destroy(struct rest **rest);

/* `path` with its query. */
void rest_get(struct rest *rest, struct span token, const char *path,
              rest_done *done, void *context);
/* `method` is a constant text; `body` is JSON, or empty: none. */
void rest_call(struct rest *rest, struct span token, const char *method,
               const char *path, struct span body, rest_done *done,
               void *context);
/* POST of {"name":…,"password":…}. */
void rest_post_credentials(struct rest *rest, const char *path,
                           const char *name, const char *password,
                           rest_done *done, void *context);

/* Appends `text` percent-encoded for a query. */
struct buf;
void rest_escape(struct buf *out, struct span text);

#endif
