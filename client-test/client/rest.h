/*
 * rest - HTTP calls of Parley's REST endpoints, on an event loop.
 *
 * Ownership  the answer is valid until the rest_done callback returns.
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
	 * By HTTP code: OK 2xx, DENIED 401, NOT_FOUND 404, CONFLICT 409, BUSY
	 * 429, INVALID other 4xx. UNAVAILABLE: any other code, no answer, or an
	 * answer that is not JSON. A GET with ST_OK has JSON.
	 */
	enum status status;
	unsigned http;           /* 0: no answer */
	const struct json *json; /* the body, also of an error; NULL: none */
	struct span why;         /* the reason, unless ST_OK */
};

typedef void rest_done(void *context, const struct rest_answer *answer);

struct rest *rest_create(struct uv_loop_s *loop, const char *url);
/* Drops the calls under way. The loop must run once more. */
void rest_destroy(struct rest **rest);

/* `path` includes the query. */
void rest_get(struct rest *rest, struct span token, const char *path,
              rest_done *done, void *context);
/* `method` is a constant text; `body` is JSON, or empty for none. */
void rest_call(struct rest *rest, struct span token, const char *method,
               const char *path, struct span body, rest_done *done,
               void *context);
/* POST of {"name":…,"password":…}. */
void rest_post_credentials(struct rest *rest, const char *path,
                           const char *name, const char *password,
                           rest_done *done, void *context);

struct buf;
/* Appends `text`, percent-encoded for a query. */
void rest_escape(struct buf *out, struct span text);
/*
 * Appends the page's `next` (a number or a text), percent-encoded for a query.
 * False if the page is the last one.
 */
bool rest_next_page(const struct json *page, struct buf *out);

#endif
