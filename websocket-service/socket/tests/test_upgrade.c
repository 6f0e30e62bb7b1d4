/* A table of request heads: accepted, or refused with an HTTP status. */
#define _GNU_SOURCE /* memmem */
#include "common/base/mem.h"
#include "common/base/status.h"
#include "common/io/json.h"
#include "common/wire/identity.h"
#include "websocket-service/socket/upgrade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REQUEST "GET /ws HTTP/1.1\r\n"
#define HOST    "Host: chat.example\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define GOOD    REQUEST HOST UPGRADE VERSION KEY
#define BEARER  "Authorization: Bearer tok\r\n"
#define OFFERS  "Sec-WebSocket-Protocol: "
#define FOUR    OFFERS "a\r\n" OFFERS "b\r\n" OFFERS "c\r\n" OFFERS "d\r\n"
#define EIGHT   FOUR FOUR
#define COOKIE  "Cookie: a\r\n"
#define END     "\r\n"
#define SITES   "https://a.example,https://b.example"

struct row {
	const char *what;
	struct span head;
	unsigned http;     /* 0: accepted */
	const char *token; /* of an accepted request; NULL: none */
	bool subprotocol;
	const char *origins;
};

#define TAKEN(what_, head_, token_) \
	{ \
		.what = (what_), .head = {head_, sizeof(head_) - 1}, \
		.token = (token_) \
	}
#define REFUSED(what_, http_, head_) \
	{ \
		.what = (what_), .head = {head_, sizeof(head_) - 1}, \
		.http = (http_) \
	}

static const struct row rows[] = {
	/* --- accepted --- */
	TAKEN("the plain form", GOOD BEARER END, "tok"),
	TAKEN("no token", GOOD END, NULL),
	TAKEN("names in capitals",
              REQUEST "HOST: h\r\nUPGRADE: WebSocket\r\nCONNECTION: UPGRADE\r\n"
                      "SEC-WEBSOCKET-VERSION: 13\r\n" KEY BEARER END,
              "tok"),
	TAKEN("Connection is a list",
              REQUEST HOST
              "Upgrade: websocket\r\n"
              "Connection: keep-alive , Upgrade\r\n" VERSION KEY BEARER END,
              "tok"),
	TAKEN("a query",
              "GET /ws?access_token=no HTTP/1.1\r\n" HOST UPGRADE VERSION KEY
                      END,
              NULL),
	TAKEN("other headers, some twice",
              GOOD "Cookie: a\r\nCookie: b\r\nX-Y: \r\n" BEARER END, "tok"),
	TAKEN("bytes beyond ASCII in a value",
              GOOD "X-Y: \xc3\xa9\r\n" BEARER END, "tok"),
	TAKEN("no blank after the colon",
              GOOD "Authorization:Bearer tok\r\n" END, "tok"),
	TAKEN("an empty body announced",
              GOOD "Content-Length: 0\r\n" BEARER END, "tok"),
	TAKEN("an empty Host",
              REQUEST "Host:\r\n" UPGRADE VERSION KEY BEARER END, "tok"),
	TAKEN("extensions are not ours",
              GOOD
              "Sec-WebSocket-Extensions: permessage-deflate\r\n" BEARER END,
              "tok"),

	/* --- forms of the token --- */
	TAKEN("scheme in small letters",
              GOOD "Authorization: bearer tok\r\n" END, "tok"),
	TAKEN("scheme in capitals", GOOD "Authorization: BEARER tok\r\n" END,
              "tok"),
	TAKEN("two blanks", GOOD "Authorization: Bearer  tok \r\n" END, "tok"),
	TAKEN("another scheme", GOOD "Authorization: Basic dTpw\r\n" END, NULL),
	TAKEN("a scheme that only begins so",
              GOOD "Authorization: Bearerx tok\r\n" END, NULL),
	TAKEN("no token behind the scheme",
              GOOD "Authorization: Bearer\r\n" END, NULL),
	TAKEN("a blank behind the scheme",
              GOOD "Authorization: Bearer \r\n" END, NULL),
	TAKEN("an empty header", GOOD "Authorization:\r\n" END, NULL),
	TAKEN("a tab for the blank", GOOD "Authorization: Bearer\ttok\r\n" END,
              NULL),
	TAKEN("a token with a blank", GOOD "Authorization: Bearer a b\r\n" END,
              NULL),
	TAKEN("a token with a tab", GOOD "Authorization: Bearer a\tb\r\n" END,
              NULL),
	TAKEN("a token beyond ASCII",
              GOOD "Authorization: Bearer \xc3\xa9\r\n" END, NULL),

	/* --- subprotocols --- */
	{"the form for browsers",
         {GOOD OFFERS "parley, bearer.tok\r\n" END,
          sizeof(GOOD OFFERS "parley, bearer.tok\r\n" END) - 1},
         0,
         "tok",
         true,
         NULL},
	{"without blanks, other order",
         {GOOD OFFERS "bearer.tok,parley\r\n" END,
          sizeof(GOOD OFFERS "bearer.tok,parley\r\n" END) - 1},
         0,
         "tok",
         true,
         NULL},
	{"only our name",
         {GOOD OFFERS "parley\r\n" BEARER END,
          sizeof(GOOD OFFERS "parley\r\n" BEARER END) - 1},
         0,
         "tok",
         true,
         NULL},
	{"the first of two tokens",
         {GOOD OFFERS "parley,bearer.tok,bearer.b\r\n" END,
          sizeof(GOOD OFFERS "parley,bearer.tok,bearer.b\r\n" END) - 1},
         0,
         "tok",
         true,
         NULL},
	{"Authorization goes first",
         {GOOD OFFERS "parley, bearer.other\r\n" BEARER END,
          sizeof(GOOD OFFERS "parley, bearer.other\r\n" BEARER END) - 1},
         0,
         "tok",
         true,
         NULL},
	{"and hides the other, even when unfit",
         {GOOD OFFERS "parley, bearer.a\r\nAuthorization: Basic b\r\n" END,
          sizeof(GOOD OFFERS
                 "parley, bearer.a\r\nAuthorization: Basic b\r\n" END) -
                  1},
         0,
         NULL,
         true,
         NULL},
	{"a token of no bytes",
         {GOOD OFFERS "parley, bearer.\r\n" END,
          sizeof(GOOD OFFERS "parley, bearer.\r\n" END) - 1},
         0,
         NULL,
         true,
         NULL},
	{"a list on two lines",
         {GOOD OFFERS "parley\r\n" OFFERS "bearer.tok\r\n" END,
          sizeof(GOOD OFFERS "parley\r\n" OFFERS "bearer.tok\r\n" END) - 1},
         0,
         "tok",
         true,
         NULL},
	{"on three lines, other order, with others between",
         {GOOD OFFERS "bearer.tok\r\n" COOKIE OFFERS "mqtt\r\n" OFFERS
                      "x, parley\r\n" END,
          sizeof(GOOD OFFERS "bearer.tok\r\n" COOKIE OFFERS "mqtt\r\n" OFFERS
                             "x, parley\r\n" END) -
                  1},
         0,
         "tok",
         true,
         NULL},
	{"the first of two tokens on two lines",
         {GOOD OFFERS "parley,bearer.tok\r\n" OFFERS "bearer.b\r\n" END,
          sizeof(GOOD OFFERS "parley,bearer.tok\r\n" OFFERS
                             "bearer.b\r\n" END) -
                  1},
         0,
         "tok",
         true,
         NULL},
	TAKEN("tokens on two lines without our name",
              GOOD OFFERS "bearer.tok\r\n" OFFERS "mqtt\r\n" END, NULL),
	TAKEN("Connection on two lines",
              REQUEST HOST "Upgrade: websocket\r\nConnection: keep-alive\r\n"
                           "Connection: Upgrade\r\n" VERSION KEY BEARER END,
              "tok"),
	TAKEN("sixteen lines", GOOD EIGHT EIGHT BEARER END, "tok"),
	REFUSED("seventeen lines", 400, GOOD EIGHT EIGHT OFFERS "\r\n" END),
	REFUSED("Connection on two lines without the word", 426,
                REQUEST HOST "Upgrade: websocket\r\nConnection: keep-alive\r\n"
                             "Connection: close\r\n" VERSION KEY BEARER END),
	TAKEN("a token without our name", GOOD OFFERS "bearer.tok\r\n" END,
              NULL),
	TAKEN("our name in capitals", GOOD OFFERS "PARLEY, bearer.tok\r\n" END,
              NULL),
	TAKEN("others only", GOOD OFFERS "mqtt, wamp\r\n" BEARER END, "tok"),
	TAKEN("an empty list", GOOD OFFERS "\r\n" BEARER END, "tok"),
	TAKEN("commas only", GOOD OFFERS ",,,\r\n" BEARER END, "tok"),

	/* --- the request line --- */
	REFUSED("no request line", 400, END),
	REFUSED("an empty line first", 400, "\r\n" GOOD BEARER END),
	REFUSED("not HTTP", 400, "hello\r\n\r\n"),
	REFUSED("no version", 400, "GET /ws\r\n" HOST UPGRADE VERSION KEY END),
	REFUSED("HTTP/1.0", 400,
                "GET /ws HTTP/1.0\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("the preface of HTTP/2", 400,
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	REFUSED("a small http", 400,
                "GET /ws http/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("something behind the version", 400,
                "GET /ws HTTP/1.1 x\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("two blanks", 400,
                "GET  /ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("a blank first", 400,
                " GET /ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("an absolute URI", 400,
                "GET http://chat.example/ws HTTP/1.1\r\n" HOST UPGRADE VERSION
                        KEY BEARER END),
	REFUSED("NUL in the target", 400,
                "GET /ws\0 HTTP/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("a method that is no word", 400,
                "G(T /ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("another path", 404,
                "GET / HTTP/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("a longer path", 404,
                "GET /ws/ HTTP/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("two slashes", 404,
                "GET //ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("a path in capitals", 404,
                "GET /WS HTTP/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("POST", 405,
                "POST /ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("a small get", 405,
                "get /ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("CONNECT", 400,
                "CONNECT h:80 HTTP/1.1\r\n" HOST UPGRADE VERSION KEY END),

	/* --- the form of headers --- */
	REFUSED("no Host", 400, REQUEST UPGRADE VERSION KEY BEARER END),
	REFUSED("two Hosts", 400, GOOD HOST BEARER END),
	REFUSED("two Hosts, one empty", 400,
                REQUEST "Host:\r\n" HOST UPGRADE VERSION KEY BEARER END),
	REFUSED("two tokens", 400, GOOD BEARER BEARER END),
	REFUSED("two tokens, one empty", 400,
                GOOD "Authorization:\r\n" BEARER END),
	REFUSED("two keys", 400, GOOD KEY BEARER END),
	REFUSED("two versions", 400, GOOD VERSION BEARER END),
	REFUSED("two upgrades", 400, GOOD "Upgrade: h2c\r\n" BEARER END),
	REFUSED("two origins", 400,
                GOOD "Origin: https://a.example\r\nOrigin: x\r\n" BEARER END),
	REFUSED("a folded line", 400, GOOD "X-Y: a\r\n b\r\n" BEARER END),
	REFUSED("a folded line with a colon", 400,
                GOOD "X-Y: a\r\n\tb: c\r\n" BEARER END),
	REFUSED("no empty line at the end", 400, GOOD BEARER),
	REFUSED("a line without a colon", 400, GOOD "hello\r\n" BEARER END),
	REFUSED("a header without a name", 400, GOOD ": a\r\n" BEARER END),
	REFUSED("a blank before the colon", 400,
                REQUEST "Host : h\r\n" UPGRADE VERSION KEY BEARER END),
	REFUSED("a name that is no word", 400, GOOD "X(Y): a\r\n" BEARER END),
	REFUSED("a bare LF", 400, GOOD "X-Y: a\nX-Z: b\r\n" BEARER END),
	REFUSED("a bare CR", 400, GOOD "X-Y: a\rX-Z: b\r\n" BEARER END),
	REFUSED("NUL in a value", 400, GOOD "X-Y: a\0b\r\n" BEARER END),
	REFUSED("NUL in a name", 400, GOOD "X\0Y: a\r\n" BEARER END),
	REFUSED("DEL in a value", 400, GOOD "X-Y: a\x7f\r\n" BEARER END),
	REFUSED("ESC in a value", 400, GOOD "X-Y: \x1b[2J\r\n" BEARER END),
	REFUSED("a body", 400, GOOD "Content-Length: 5\r\n" BEARER END),
	REFUSED("a length that is no number", 400,
                GOOD "Content-Length: +0\r\n" BEARER END),
	REFUSED("two lengths", 400,
                GOOD "Content-Length: 0\r\nContent-Length: 0\r\n" BEARER END),
	REFUSED("chunks", 400,
                GOOD "Transfer-Encoding: chunked\r\n" BEARER END),
	REFUSED("chunks and a length", 400,
                GOOD "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n" END),

	/* --- the upgrade --- */
	REFUSED("a plain GET", 426, REQUEST HOST BEARER END),
	REFUSED("h2c", 426,
                REQUEST HOST
                "Upgrade: h2c\r\nConnection: Upgrade\r\n" VERSION KEY BEARER
                        END),
	REFUSED("h2c as its RFC has it", 426,
                REQUEST HOST
                "Upgrade: h2c\r\nConnection: Upgrade, "
                "HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n" END),
	REFUSED("websocket among others", 426,
                REQUEST HOST "Upgrade: websocket, h2c\r\n"
                             "Connection: Upgrade\r\n" VERSION KEY BEARER END),
	REFUSED("websocket with a version", 426,
                REQUEST HOST "Upgrade: websocket/13\r\n"
                             "Connection: Upgrade\r\n" VERSION KEY BEARER END),
	REFUSED("TLS", 426,
                REQUEST HOST "Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n" END),
	REFUSED("no Connection", 426,
                REQUEST HOST "Upgrade: websocket\r\n" VERSION KEY BEARER END),
	REFUSED("another Connection", 426,
                REQUEST HOST
                "Upgrade: websocket\r\nConnection: close\r\n" VERSION KEY BEARER
                        END),
	REFUSED("a Connection that only begins so", 426,
                REQUEST HOST
                "Upgrade: websocket\r\nConnection: Upgraded\r\n" VERSION KEY
                        BEARER END),
	REFUSED("no version", 426, REQUEST HOST UPGRADE KEY BEARER END),
	REFUSED("version 8", 426,
                REQUEST HOST UPGRADE
                "Sec-WebSocket-Version: 8\r\n" KEY BEARER END),
	REFUSED("version 013", 426,
                REQUEST HOST UPGRADE
                "Sec-WebSocket-Version: 013\r\n" KEY BEARER END),
	REFUSED("two versions in one", 426,
                REQUEST HOST UPGRADE
                "Sec-WebSocket-Version: 13, 8\r\n" KEY BEARER END),
	REFUSED("no key", 400, REQUEST HOST UPGRADE VERSION BEARER END),
	REFUSED("a short key", 400,
                REQUEST HOST UPGRADE VERSION
                "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n" BEARER END),
	REFUSED("a long key", 400,
                REQUEST HOST UPGRADE VERSION
                "Sec-WebSocket-Key: "
                "dGhlIHNhbXBsZSBub25jZSBsb25n\r\n" BEARER END),
	REFUSED("a key that is not base64", 400,
                REQUEST HOST UPGRADE VERSION
                "Sec-WebSocket-Key: "
                "dGhlIHNhbXBsZSBub25j*Q==\r\n" BEARER END),
	REFUSED("a key without padding", 400,
                REQUEST HOST UPGRADE VERSION
                "Sec-WebSocket-Key: "
                "dGhlIHNhbXBsZSBub25jZQAA\r\n" BEARER END),
};

static void check(const struct row *row)
{
	/* On the heap, so that ASan finds a read past the end. */
	char *copy = mem_new(row->head.len);
	struct span head = span_make(copy, row->head.len);
	struct upgrade upgrade = {0};
	struct upgrade_fault fault = {0};
	bool taken;

	memcpy(copy, row->head.data, row->head.len);
	taken = upgrade_read(head, row->origins ? row->origins : "", &upgrade,
	                     &fault);
	if (taken == (row->http != 0) || fault.http != row->http)
		fail_msg("%s: %u, not %u", row->what, fault.http, row->http);
	if (taken && (!span_equal(upgrade.token, span_of(row->token)) ||
	              upgrade.subprotocol != row->subprotocol))
		fail_msg("%s: token '%.*s', subprotocol %d", row->what,
		         (int)upgrade.token.len, upgrade.token.data,
		         upgrade.subprotocol);
	mem_free(&copy);
}

static void each_head_is_accepted_or_refused_as_in_the_table(void **state)
{
	(void)state;
	assert_true(ARRAY_LEN(rows) >= 50);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

#define FROM(origin) GOOD "Origin: " origin "\r\n" BEARER END

static void a_list_of_origins_allows_only_its_members(void **state)
{
	static const struct row origins[] = {
		TAKEN("the first", FROM("https://a.example"), "tok"),
		TAKEN("the second", FROM("https://b.example"), "tok"),
		TAKEN("in capitals", FROM("HTTPS://A.example"), "tok"),
		TAKEN("no browser", GOOD BEARER END, "tok"),
		REFUSED("another", 403, FROM("https://c.example")),
		REFUSED("another scheme", 403, FROM("http://a.example")),
		REFUSED("another port", 403, FROM("https://a.example:8443")),
		REFUSED("longer", 403, FROM("https://a.example.evil")),
		REFUSED("shorter", 403, FROM("https://a.exampl")),
		REFUSED("null", 403, FROM("null")),
		REFUSED("the whole list", 403, FROM(SITES)),
		REFUSED("empty", 403, FROM("")),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
		struct row row = origins[i];

		row.origins = SITES;
		check(&row);
	}
}

static void without_a_list_any_origin_is_allowed(void **state)
{
	static const struct row row =
		TAKEN("any", FROM("https://c.example"), "tok");

	(void)state;
	check(&row);
}

static void token_of(size_t len, const char *expected)
{
	struct buf head CLEANUP(buf_free) = BUF(UPGRADE_HEAD_MAX);
	struct upgrade upgrade;
	struct upgrade_fault fault;

	buf_append(&head, SPAN(GOOD "Authorization: Bearer "));
	for (size_t i = 0; i < len; i++)
		buf_byte(&head, 'a');
	buf_append(&head, SPAN("\r\n\r\n"));
	assert_false(buf_overflowed(&head));
	assert_true(upgrade_read(buf_span(&head), "", &upgrade, &fault));
	assert_int_equal(upgrade.token.len, expected ? len : 0);
}

static void a_token_that_is_too_long_is_ignored(void **state)
{
	(void)state;
	token_of(TOKEN_MAX, "kept");
	token_of(TOKEN_MAX + 1, NULL);
}

static void a_head_ends_with_its_first_empty_line(void **state)
{
	static const char text[] = GOOD END "more\r\n\r\n";
	size_t len = sizeof(GOOD END) - 1;

	(void)state;
	for (size_t i = 0; i < len; i++)
		assert_int_equal(upgrade_head_len(span_make(text, i)), 0);
	assert_int_equal(upgrade_head_len(span_make(text, len)), len);
	assert_int_equal(upgrade_head_len(SPAN(GOOD END "more\r\n\r\n")), len);
	assert_int_equal(upgrade_head_len(SPAN_NONE), 0);
}

static bool has(const struct buf *text, const char *part)
{
	return memmem(text->data, text->len, part, strlen(part));
}

static void answer_of(bool subprotocol, struct buf *out)
{
	const struct upgrade upgrade = {.key = SPAN("dGhlIHNhbXBsZSBub25jZQ=="),
	                                .subprotocol = subprotocol};

	upgrade_accept(out, &upgrade);
}

static void the_response_is_that_of_the_rfc(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(1024);

	(void)state;
	answer_of(false, &out);
	assert_true(has(&out, "HTTP/1.1 101 "));
	assert_true(has(&out, "\r\nSec-WebSocket-Accept: "
	                      "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_false(has(&out, "Sec-WebSocket-Protocol"));
	assert_int_equal(upgrade_head_len(buf_span(&out)), out.len);
}

static void the_response_names_a_subprotocol_only_when_offered(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(1024);

	(void)state;
	answer_of(true, &out);
	assert_true(has(&out, "\r\nSec-WebSocket-Protocol: parley\r\n"));
}

static void refuse(const char *head, struct buf *out)
{
	struct upgrade upgrade;
	struct upgrade_fault fault;

	assert_false(upgrade_read(span_of(head), "", &upgrade, &fault));
	upgrade_refuse(out, &fault);
}

/* Content-Length is right and the body is a problem document. */
static void is_problem(const struct buf *out, uint64_t http)
{
	size_t head = upgrade_head_len(buf_span(out));
	struct span body = span_make(out->data + head, out->len - head);
	struct json *json CLEANUP(json_destroy) = NULL;
	const char *why;
	char length[64];
	uint64_t status;

	(void)snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n",
	               body.len);
	assert_true(has(out, length));
	assert_true(has(out, "\r\nContent-Type: application/problem+json\r\n"));
	assert_int_equal(json_parse(body, &json, &why), ST_OK);
	assert_true(json_get_id(json, "status", &status));
	assert_int_equal(status, http);
}

static void a_refusal_is_a_problem_document(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(2048);

	(void)state;
	refuse("POST /ws HTTP/1.1\r\n" HOST END, &out);
	is_problem(&out, 405);
	assert_true(has(&out, "\r\nAllow: GET\r\n"));
}

static void a_refused_version_gets_the_supported_one(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(2048);

	(void)state;
	refuse(REQUEST HOST UPGRADE "Sec-WebSocket-Version: 7\r\n" KEY END,
	       &out);
	is_problem(&out, 426);
	assert_true(has(&out, "\r\nSec-WebSocket-Version: 13\r\n"));
	assert_true(has(&out, "\r\nUpgrade: websocket\r\n"));
}

static void an_unauthorized_request_gets_the_scheme(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(2048);

	(void)state;
	upgrade_refuse(&out, &upgrade_unauthorized);
	is_problem(&out, 401);
	assert_true(has(&out, "\r\nWWW-Authenticate: Bearer\r\n"));
}

static void an_unavailable_gateway_sends_retry_after(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(2048);

	(void)state;
	upgrade_refuse(&out, &upgrade_unavailable);
	is_problem(&out, 503);
	assert_true(has(&out, "\r\nRetry-After: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_head_is_accepted_or_refused_as_in_the_table),
		cmocka_unit_test(a_list_of_origins_allows_only_its_members),
		cmocka_unit_test(without_a_list_any_origin_is_allowed),
		cmocka_unit_test(a_token_that_is_too_long_is_ignored),
		cmocka_unit_test(a_head_ends_with_its_first_empty_line),
		cmocka_unit_test(the_response_is_that_of_the_rfc),
		cmocka_unit_test(
			the_response_names_a_subprotocol_only_when_offered),
		cmocka_unit_test(a_refusal_is_a_problem_document),
		cmocka_unit_test(a_refused_version_gets_the_supported_one),
		cmocka_unit_test(an_unauthorized_request_gets_the_scheme),
		cmocka_unit_test(an_unavailable_gateway_sends_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
