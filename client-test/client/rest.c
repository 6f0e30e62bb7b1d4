#include "client-test/client/rest.h"
#include "common/base/buf.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/io/http/client.h"

#include <utlist.h>

enum {
	CONNECTION_MAX = 4,
	TIMEOUT_MS = 10000,
	ANSWER_MAX = 24 << 20, /* 200 texts of escape sequences only */
	URL_MAX = 4096,
	BODY_MAX = 16384,
};

struct call {
	struct rest *rest;
	rest_done *done;
	void *context;
	struct call *prev, *next;
};

struct rest {
	struct http_poller *poller;
	char *base;
	struct call *calls; /* under way */
};

struct rest *rest_create(struct uv_loop_s *loop, const char *url)
{
	struct rest *rest = mem_new(sizeof(*rest));
	size_t len = strlen(url);

	rest->poller = http_poller_create(loop, url, CONNECTION_MAX);
	if (len && url[len - 1] == '/')
		len--;
	rest->base = mem_text(url, len);
	return rest;
}

void rest_destroy(struct rest **rest)
{
	struct call *call;

	if (!*rest)
		return;
	http_poller_destroy(&(*rest)->poller);
	while ((call = (*rest)->calls)) {
		DL_DELETE((*rest)->calls, call);
		mem_free(&call);
	}
	mem_free(&(*rest)->base);
	mem_free(rest);
}

static enum status status_of(unsigned http)
{
	if (http >= 200 && http <= 299)
		return ST_OK;
	if (http == 401)
		return ST_DENIED;
	if (http == 404)
		return ST_NOT_FOUND;
	if (http == 409)
		return ST_CONFLICT;
	if (http == 429)
		return ST_BUSY;
	return http >= 400 && http <= 499 ? ST_INVALID : ST_UNAVAILABLE;
}

static void read_answer(const struct http_answer *http, struct json **json,
                        struct rest_answer *answer)
{
	const char *why = "";
	enum status parsed = ST_INVALID;

	answer->http = http->http;
	answer->status = status_of(http->http);
	if (http->body.len)
		parsed = json_parse_long(http->body, json, &why);
	if (parsed == ST_OK)
		answer->json = *json;
	if (answer->status == ST_OK && parsed != ST_OK && http->http != 204) {
		answer->status = ST_UNAVAILABLE;
		answer->why = SPAN("the answer is not JSON");
		return;
	}
	if (answer->json &&
	    !json_get_text(answer->json, "detail", &answer->why))
		(void)json_get_text(answer->json, "title", &answer->why);
}

static void answered(void *context, enum status status,
                     const struct http_answer *http)
{
	struct call *call = context;
	struct json *json CLEANUP(json_destroy) = NULL;
	struct rest_answer answer = {
		.status = ST_UNAVAILABLE,
		.why = SPAN("the server is not reachable"),
	};

	if (status == ST_OK) {
		answer.why = span_of(status_text(status_of(http->http)));
		read_answer(http, &json, &answer);
	} else if (status == ST_INVALID) {
		answer.status = ST_INVALID;
		answer.why = SPAN("the request cannot be written");
	}
	DL_DELETE(call->rest->calls, call);
	call->done(call->context, &answer);
	mem_free(&call);
}

static void ask(struct rest *rest, const char *path, struct http_ask *ask,
                rest_done *done, void *context)
{
	struct call *call = mem_new(sizeof(*call));
	struct buf url CLEANUP(buf_free) = BUF(URL_MAX);

	DL_APPEND(rest->calls, call);
	call->rest = rest;
	call->done = done;
	call->context = context;
	buf_format(&url, "%s%s", rest->base, path);
	ask->url = buf_text(&url);
	ask->timeout_ms = TIMEOUT_MS;
	ask->answer_max = ANSWER_MAX;
	http_poller_ask(rest->poller, ask, answered, call);
}

void rest_get(struct rest *rest, struct span token, const char *path,
              rest_done *done, void *context)
{
	struct http_ask get = {.bearer = token};

	ask(rest, path, &get, done, context);
}

void rest_call(struct rest *rest, struct span token, const char *method,
               const char *path, struct span body, rest_done *done,
               void *context)
{
	struct http_ask call = {
		.method = method,
		.bearer = token,
		.content_type = body.len ? "application/json" : NULL,
		.body = body,
	};

	ask(rest, path, &call, done, context);
}

void rest_post_credentials(struct rest *rest, const char *path,
                           const char *name, const char *password,
                           rest_done *done, void *context)
{
	struct buf body CLEANUP(buf_free) = BUF(BODY_MAX);
	struct json_writer w = json_writer(&body);
	struct http_ask post = {.content_type = "application/json"};

	json_open(&w);
	json_text(&w, "name", span_of(name));
	json_text(&w, "password", span_of(password));
	json_close(&w);
	post.body = buf_span(&body);
	ask(rest, path, &post, done, context);
}

void rest_escape(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
		    c == '_' || c == '~')
			buf_byte(out, (char)c);
		else
			buf_format(out, "%%%02X", c);
	}
}

bool rest_next_page(const struct json *page, struct buf *out)
{
	struct span text;
	uint64_t number;

	if (json_get_id(page, "next", &number))
		buf_number(out, number);
	else if (json_get_text(page, "next", &text))
		rest_escape(out, text);
	else
		return false;
	return true;
}
