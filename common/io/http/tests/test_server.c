/*
 * Runs a server on a free port and checks the bytes on raw sockets.
 */
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/io/http/server.h"
#include "tests/support/free_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	MAX_BODY = 1000,
	POOL_THREADS = 2,
	POOL_QUEUE = 4,
	CLIENT_MAX = 2,
	CONNECTIONS_MAX = 50,
};

static struct http_server *server;
static uint16_t port;
static atomic_uint observed, observed_http;
static atomic_bool hold;
static atomic_uint held;    /* requests that wait_held() holds now */
static atomic_uint handled; /* by it so far */

static void say_hello(struct http_request *request, void *context)
{
	assert_string_equal(context, "inline");
	http_answer_json(request, 200, SPAN("{\"hello\":1}"));
}

static void say_argument(struct http_request *request, void *context)
{
	CLEANUP(buf_free) struct buf text = BUF(1000);

	(void)context;
	buf_append(&text, http_argument(request, 0));
	buf_byte(&text, ' ');
	buf_append(&text, http_argument(request, 1));
	http_answer(request, 200, "text/plain", buf_span(&text));
}

static void say_query(struct http_request *request, void *context)
{
	struct span name;

	(void)context;
	if (!http_query(request, "name", &name))
		name = SPAN("(none)");
	http_answer(request, 200, "text/plain", name);
}

static void say_bearer(struct http_request *request, void *context)
{
	struct span token = http_bearer(request);

	(void)context;
	if (!token.len)
		http_answer_problem(request, 401, "no \"token\"");
	else
		http_answer(request, 200, "text/plain", token);
}

static void say_cookie(struct http_request *request, void *context)
{
	CLEANUP(buf_free) struct buf text = BUF(100);
	struct span value = SPAN("-");
	unsigned count = http_cookie(request, "t", &value);

	(void)context;
	buf_format(&text, "%u ", count);
	buf_append(&text, value);
	http_answer(request, 200, "text/plain", buf_span(&text));
}

static struct ip_address client_of(const struct http_request *request)
{
	struct ip_networks trusted;

	assert_true(
		ip_networks_parse(SPAN("127.0.0.0/8,10.0.0.0/8"), &trusted));
	return http_client_address(request, &trusted);
}

static void say_client(struct http_request *request, void *context)
{
	CLEANUP(buf_free) struct buf text = BUF(100);
	struct ip_address client = client_of(request);

	(void)context;
	for (unsigned i = 0; i < IP_ADDRESS_LEN; i++)
		buf_format(&text, "%02x", client.byte[i]);
	http_answer(request, 200, "text/plain", buf_span(&text));
}

static void echo(struct http_request *request, void *context)
{
	assert_string_equal(context, "worker");
	http_set_header(request, "X-Kind",
	                http_body_is_json(request) ? "json" : "form");
	http_answer(request, 200, "text/plain", http_body(request));
}

static void wait_held(struct http_request *request, void *context)
{
	(void)context;
	atomic_fetch_add(&handled, 1);
	atomic_fetch_add(&held, 1);
	while (atomic_load(&hold))
		(void)usleep(1000);
	http_answer(request, 200, "text/plain", SPAN("held"));
	atomic_fetch_sub(&held, 1);
}

static void pass_on(struct http_request *request, void *context)
{
	assert_string_equal(context, "inline");
	http_pass(request, 0, echo);
}

/* First on the server's thread, then on that of the pool, and goes on there. */
static void run_again(struct http_request *request, void *context)
{
	if (!strcmp(context, "inline"))
		http_pass_again(request, 0);
	else
		http_pass(request, 1, echo);
}

static void share_held(struct http_request *request, void *context)
{
	struct ip_address client = client_of(request);

	(void)context;
	http_set_client(request, &client);
	http_pass(request, 1, wait_held);
}

static void do_nothing(struct http_request *request, void *context)
{
	(void)context;
	http_answer(request, 204, NULL, SPAN_NONE);
}

static void say_queries(struct http_request *request, void *context)
{
	CLEANUP(buf_free) struct buf text = BUF(8000);
	struct span value;

	(void)context;
	for (char name[] = "a"; name[0] < 'a' + 8; name[0]++) {
		if (http_query(request, name, &value))
			buf_append(&text, value);
	}
	http_answer(request, 200, "text/plain", buf_span(&text));
}

static void forget(struct http_request *request, void *context)
{
	(void)request;
	(void)context;
}

static void *worker(void *context)
{
	assert_string_equal(context, "pool");
	return (void *)(uintptr_t) "worker";
}

static void observe(void *context, const char *path, unsigned http,
                    uint64_t took_us)
{
	(void)context;
	(void)path;
	assert_true(took_us < 60000000);
	atomic_store(&observed_http, http);
	atomic_fetch_add(&observed, 1);
}

static const struct http_route routes[] = {
	{"GET", "/hello", say_hello, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/a/{}/b/{}", say_argument, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/query", say_query, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/bearer", say_bearer, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/client", say_client, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/cookie", say_cookie, HTTP_INLINE, HTTP_NO_BODY},
	{"POST", "/echo", echo, 0, HTTP_JSON_OR_FORM},
	{"GET", "/echo", pass_on, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/again", run_again, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/held", wait_held, 1, HTTP_NO_BODY},
	{"GET", "/shared", share_held, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/queries", say_queries, HTTP_INLINE, HTTP_NO_BODY},
	{"PUT", "/thing/{}", echo, 0, HTTP_JSON_OR_FORM},
	{"PATCH", "/thing/{}", echo, 0, HTTP_JSON_OR_FORM},
	{"DELETE", "/thing/{}", do_nothing, HTTP_INLINE, HTTP_NO_BODY},
	{"PUT", "/flag/{}", do_nothing, HTTP_INLINE, HTTP_NO_BODY},
	{"PUT", "/flag/on", do_nothing, HTTP_INLINE, HTTP_NO_BODY},
	{"POST", "/json", echo, 0, HTTP_JSON},
	{"PATCH", "/patch", echo, 0, HTTP_MERGE_PATCH},
	{"GET", "/forget", forget, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/forget/in/pool", forget, 0, HTTP_NO_BODY},
};

static const struct http_worker_pool_options pools[] = {
	{"echo", 1, 100, 0, 503, 1, worker, NULL, (void *)(uintptr_t) "pool"},
	{"held", POOL_THREADS, POOL_QUEUE, CLIENT_MAX, 429, 7, NULL, NULL,
         NULL},
};

static struct http_server_options options_at(const char *address)
{
	return (struct http_server_options){
		.bind_address = address,
		.port = port,
		.routes = routes,
		.route_count = ARRAY_LEN(routes),
		.pools = pools,
		.pool_count = ARRAY_LEN(pools),
		.inline_context = (void *)(uintptr_t) "inline",
		.max_body = MAX_BODY,
		.connection_max = CONNECTIONS_MAX,
		.idle_timeout_s = 120,
		.body_timeout_s = 120,
		.unread_max = 1024 * 1024,
		.unread_user_max = 1024 * 1024,
		.observe = observe,
	};
}

static int start(void **state)
{
	struct http_server_options options;

	(void)state;
	port = free_port();
	options = options_at("127.0.0.1");
	atomic_store(&hold, false);
	assert_int_equal(http_server_start(&options, &server), ST_OK);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	atomic_store(&hold, false);
	http_server_stop(&server);
	assert_null(server);
	return 0;
}

static int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons(port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
	                 strlen(text));
}

/* What comes until the server hangs up, or for five seconds. */
static char *hear(int fd)
{
	static char heard[65536];
	size_t len = 0;
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	while (len < sizeof(heard) - 1 && poll(&wait, 1, 5000) == 1) {
		ssize_t got = recv(fd, heard + len, sizeof(heard) - 1 - len, 0);

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	heard[len] = '\0';
	(void)close(fd);
	return heard;
}

/* The first bytes that come. */
static char *hear_some(int fd)
{
	static char heard[4096];
	ssize_t got = recv(fd, heard, sizeof(heard) - 1, 0);

	assert_true(got > 0);
	heard[got] = '\0';
	return heard;
}

/* Nothing comes for a moment. A slow machine cannot make this fail. */
static bool is_silent(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, 200) == 0;
}

/* One request; "Host" and "Connection: close" are added. */
static char *ask(const char *line, const char *headers, const char *body)
{
	int fd = dial();
	CLEANUP(buf_free) struct buf text = BUF(1 << 20);

	buf_format(&text, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s",
	           line, headers);
	buf_append(&text, SPAN("\r\n"));
	buf_append(&text, span_of(body));
	say(fd, buf_text(&text));
	return hear(fd);
}

static char *get(const char *path)
{
	char line[9000];

	(void)snprintf(line, sizeof(line), "GET %s", path);
	return ask(line, "", "");
}

static void assert_http(const char *answer, unsigned http)
{
	char want[16];

	(void)snprintf(want, sizeof(want), "HTTP/1.1 %u ", http);
	if (strncmp(answer, want, strlen(want)) != 0)
		fail_msg("wanted %u, got: %.400s", http, answer);
}

static void assert_has(const char *answer, const char *text)
{
	if (!strstr(answer, text))
		fail_msg("no '%s' in: %.600s", text, answer);
}

static void assert_problem(const char *answer, unsigned http)
{
	char status[32];

	assert_http(answer, http);
	assert_has(answer, "Content-Type: application/problem+json");
	(void)snprintf(status, sizeof(status), "\"status\":%u", http);
	assert_has(answer, status);
}

static void a_handler_answers(void **state)
{
	const char *answer = get("/hello");

	(void)state;
	assert_http(answer, 200);
	assert_has(answer, "Content-Type: application/json");
	assert_has(answer, "\r\n\r\n{\"hello\":1}");
}

static void head_is_get_without_the_body(void **state)
{
	const char *answer = ask("HEAD /hello", "", "");

	(void)state;
	assert_http(answer, 200);
	assert_has(answer, "Content-Length: 11");
	assert_null(strstr(answer, "hello"));
}

static void arguments_are_segments(void **state)
{
	(void)state;
	assert_has(get("/a/17/b/x.y"), "\r\n\r\n17 x.y");
	assert_problem(get("/a//b/2"), 404);
	assert_problem(get("/a/1/b/"), 404);
	assert_problem(get("/a/1/b/2/"), 404);
	assert_problem(get("/a/1/b/2/3"), 404);
	assert_problem(get("/a/1/b"), 404);
	assert_problem(get("/a/%31/b/2"), 400);
	assert_problem(get("/a/1%00/b/2"), 400);
	assert_problem(get("//hello"), 404);
	assert_problem(get("/hello/"), 404);
	assert_problem(get("/"), 404);
	assert_problem(get("/Hello"), 404);
}

static void query_parameters_are_decoded(void **state)
{
	(void)state;
	assert_has(get("/query?name=Zo%C3%AB+K&x=1"), "\r\n\r\nZo\xc3\xab K");
	assert_has(get("/query?x=1&name=a%26b%3D"), "\r\n\r\na&b=");
	assert_has(get("/query?nam=1"), "\r\n\r\n(none)");
	assert_has(get("/query"), "\r\n\r\n(none)");
	assert_http(get("/query?name="), 200);
}

/* Requests that are refused whatever their route is. */
static void queries_are_strict(void **state)
{
	static const struct {
		const char *query;
		unsigned http;
	} bad[] = {
		{"name=%zz", 422},
		{"name=%4", 422},
		{"%zz=1", 400},
		{"x=%f", 422},
		{"name=%00", 422},
		{"name=a%00b", 422},
		{"%00=1", 400},
		{"name=%ff", 422},
		{"name=%c3", 422},
		{"name=%ed%a0%80", 422},
		{"name=\xff", 422},
		{"%e9=1", 400},
		{"name=1&name=1", 400},
		{"name=1&x&name=2", 400},
		{"x=1&x=2", 400},
		{"name=1&n%61me=2", 400},
		{"x&x", 400},
		{"=1&=2", 400},
		{"name=1&name=1&a=1", 400},
		{"name=%zz&name=1", 400},
	};
	CLEANUP(buf_free) struct buf many = BUF(2000);
	static char path[3000];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(path, sizeof(path), "/query?%s", bad[i].query);
		assert_problem(get(path), bad[i].http);
		/* The path is judged first. */
		(void)snprintf(path, sizeof(path), "/absent?%s", bad[i].query);
		assert_problem(get(path), 404);
	}
	for (unsigned i = 0; i < 64; i++)
		buf_format(&many, "k%u=%u&", i, i);
	(void)snprintf(path, sizeof(path), "/query?%s", buf_text(&many));
	path[strlen(path) - 1] = '\0';
	assert_http(get(path), 200);
	(void)strncat(path, "&k64", sizeof(path) - strlen(path) - 1);
	assert_problem(get(path), 400);
}

static const struct {
	const char *headers;
	const char *body;
	unsigned http;
} strict_headers[] = {
	{"Authorization: Bearer a\r\nAuthorization: Bearer a\r\n", "", 400},
	{"Origin: http://a.example\r\norigin: http://a.example\r\n", "", 400},
	{"authorization: Bearer a\r\nAUTHORIZATION: Basic a\r\n", "", 400},
	{"Host: x\r\n", "", 400}, /* ask() sends one already */
	{"Content-Type: application/json\r\nContent-Type: text/plain\r\n", "",
         400},
	{"Content-Length: 2\r\nContent-Length: 2\r\n", "{}", 400},
	{"Content-Length: 2, 2\r\n", "{}", 400},
	{"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "{}", 400},
	{"Transfer-Encoding: gzip\r\n", "", 501},
	{"Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", 501},
	{"Transfer-Encoding: \xe9\r\n", "", 501},
	{"Content-Encoding: gzip\r\nContent-Length: 2\r\n", "{}", 415},
	{"Content-Encoding: identity\r\nContent-Length: 2\r\n", "{}", 415},
	{"Content-Encoding: \r\nContent-Length: 2\r\n", "{}", 415},
	{"Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n",
         "2\r\n{}\r\n0\r\n\r\n", 415},
	/* A list may come on several lines; there is no body to encode. */
	{"Accept: text/html\r\nAccept: application/json\r\n", "", 204},
	{"X-Forwarded-For: a\r\nX-Forwarded-For: b\r\n", "", 204},
	{"Content-Encoding: gzip\r\n", "", 204},
	{"Content-Encoding: gzip\r\nContent-Length: 0\r\n", "", 204},
};

static void headers_are_strict(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(strict_headers); i++) {
		const char *answer =
			ask("PUT /flag/1", strict_headers[i].headers,
		            strict_headers[i].body);

		/*
		 * The library may refuse it first, without a document; version
		 * 1.0 refuses an unknown transfer coding with 400.
		 */
		if (strict_headers[i].http == 501 &&
		    !strncmp(answer, "HTTP/1.1 400 ", 13))
			continue;
		assert_http(answer, strict_headers[i].http);
	}
}

static void other_methods_get_405_with_allow(void **state)
{
	const char *answer = ask("DELETE /echo", "", "");

	(void)state;
	assert_problem(answer, 405);
	assert_has(answer, "Allow: POST, GET, HEAD\r\n");
	answer = ask("POST /hello", "Content-Length: 2\r\n", "{}");
	assert_problem(answer, 405);
	assert_has(answer, "Allow: GET, HEAD\r\n");
}

static void put_and_patch_bring_bodies(void **state)
{
	static const char *const lines[] = {"PUT /thing/1", "PATCH /thing/1"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		const char *answer = ask(lines[i],
		                         "Content-Type: application/json\r\n"
		                         "Content-Length: 7\r\n",
		                         "{\"a\":1}");

		assert_http(answer, 200);
		assert_has(answer, "\r\n\r\n{\"a\":1}");
		assert_problem(ask(lines[i], "Content-Length: 0\r\n", ""), 415);
		assert_problem(ask(lines[i],
		                   "Content-Type: application/json\r\n"
		                   "Content-Length: 1001\r\n",
		                   ""),
		               413);
	}
}

static void a_route_may_take_json_alone(void **state)
{
	(void)state;
	assert_http(ask("POST /json",
	                "Content-Type: application/json; charset=utf-8\r\n"
	                "Content-Length: 2\r\n",
	                "{}"),
	            200);
	assert_problem(ask("POST /json",
	                   "Content-Type: application/x-www-form-urlencoded\r\n"
	                   "Content-Length: 3\r\n",
	                   "a=1"),
	               415);
}

static void a_body_is_utf_8(void **state)
{
	static const struct {
		const char *parameters;
		unsigned http;
	} rows[] = {
		{"", 200},
		{";charset=UTF-8", 200},
		{"; charset=\"utf-8\"", 200},
		{"; boundary=x; Charset = Utf-8 ;", 200},
		{";;", 200},
		{";charset", 415},
		{";charset=", 415},
		{";charset=\"", 415},
		{";charset=utf8", 415},
		{";charset=utf-16", 415},
		{";charset=iso-8859-1", 415},
		{";charset=utf-8;charset=utf-7", 415},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		char headers[128];

		(void)snprintf(headers, sizeof(headers),
		               "Content-Type: application/json%s\r\n"
		               "Content-Length: 2\r\n",
		               rows[i].parameters);
		assert_http(ask("POST /json", headers, "{}"), rows[i].http);
	}
}

static void put_and_delete_need_no_body(void **state)
{
	static const char *const lines[] = {"PUT /flag/7", "DELETE /thing/7"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		const char *answer = ask(lines[i], "", "");

		assert_http(answer, 204);
		assert_null(strstr(answer, "Content-Type"));
		assert_true(strlen(strstr(answer, "\r\n\r\n")) == 4);
		assert_http(ask(lines[i], "Content-Length: 0\r\n", ""), 204);
		assert_http(ask(lines[i], "Content-Length: 2\r\n", "{}"), 204);
		assert_http(ask(lines[i], "Transfer-Encoding: chunked\r\n",
		                "2\r\n{}\r\n0\r\n\r\n"),
		            204);
	}
}

static void a_connection_goes_on_after_an_answer_without_a_body(void **state)
{
	int fd = dial();
	const char *answers;

	(void)state;
	say(fd, "DELETE /thing/1 HTTP/1.1\r\nHost: x\r\n\r\n"
	        "PUT /flag/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
	        "{}GET /hello HTTP/1.1\r\nHost: x\r\n"
	        "Connection: close\r\n\r\n");
	answers = hear(fd);
	assert_http(answers, 204);
	assert_has(answers, "\r\n\r\nHTTP/1.1 204");
	assert_has(answers, "\r\n\r\nHTTP/1.1 200");
}

static void allow_names_each_method_once(void **state)
{
	const char *answer = ask("POST /thing/1", "", "");

	(void)state;
	assert_problem(answer, 405);
	assert_has(answer, "Allow: PUT, PATCH, DELETE\r\n");
	answer = ask("GET /flag/on", "", "");
	assert_problem(answer, 405);
	assert_has(answer, "Allow: PUT\r\n");
	assert_problem(ask("put /flag/on", "", ""), 405);
	assert_problem(ask("PU /flag/on", "", ""), 405);
}

static void as_many_parameters_as_a_route_has_are_read(void **state)
{
	(void)state;
	assert_has(get("/queries?a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8"),
	           "\r\n\r\n12345678");
}

/* What GET /sync?since= has, beside a token of some KiB. */
static void a_query_of_some_kib_is_read(void **state)
{
	static char line[8000], header[5000];

	(void)state;
	(void)snprintf(line, sizeof(line), "GET /query?name=%06000d", 7);
	(void)snprintf(header, sizeof(header),
	               "Authorization: Bearer %04096d\r\n", 1);
	assert_http(ask(line, header, ""), 200);
	assert_has(get(line + 4), "0000000007");
}

static void the_bearer_is_read_in_any_case_and_shape(void **state)
{
	static const char *const bad[] = {"",
	                                  "Authorization: Bearer\r\n",
	                                  "Authorization: Bearer \r\n",
	                                  "Authorization: Basic abc\r\n",
	                                  "Authorization: abc\r\n",
	                                  "Authorization: Bearer a b\r\n",
	                                  "Authorization: Bearer a,b\r\n",
	                                  "Authorization: Bearerabc\r\n"};
	const char *answer;

	(void)state;
	assert_has(ask("GET /bearer", "Authorization: Bearer a.b-c\r\n", ""),
	           "\r\n\r\na.b-c");
	assert_has(ask("GET /bearer", "authorization: BEARER   abc \r\n", ""),
	           "\r\n\r\nabc");
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		answer = ask("GET /bearer", bad[i], "");
		assert_problem(answer, 401);
		assert_has(answer, "WWW-Authenticate: Bearer\r\n");
		assert_has(answer, "no \\\"token\\\"");
	}
}

static void the_cookies_of_all_headers_are_found(void **state)
{
	static const struct {
		const char *headers, *found;
	} rows[] = {
		{"", "0 -"},
		{"Cookie: a=1\r\n", "0 -"},
		{"Cookie: T=1\r\n", "0 -"},
		{"X-Cookie: t=1\r\nCookies: t=2\r\nCookie2: t=3\r\n", "0 -"},
		{"Cookie: a=1; t=2; b=3\r\n", "1 2"},
		{"cookie:t=2\r\n", "1 2"},
		{"Cookie: t=\r\n", "1 "},
		{"Cookie: a=1\r\nX-Y: t=5\r\nCookie: t=2\r\n", "1 2"},
		{"Cookie: t=2\r\nCookie: t=3\r\n", "2 2"},
		{"Cookie: t=2; t=3\r\ncOOKIE: t=4\r\nCookie: t\r\n", "3 2"},
		{"Cookie: t=\"2;3\"\r\n", "1 \"2"},
		{"Cookie:\r\nCookie: ;;=;=;\r\nCookie: t=2\r\n", "1 2"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		const char *body = strstr(
			ask("GET /cookie", rows[i].headers, ""), "\r\n\r\n");

		assert_non_null(body);
		assert_string_equal(body + 4, rows[i].found);
	}
}

/* The test is at 127.0.0.1, which is trusted. */
static void the_client_is_the_last_that_is_not_trusted(void **state)
{
#define IPV4 "\r\n\r\n00000000000000000000ffff"
	static const struct {
		const char *headers, *client;
	} rows[] = {
		{"", IPV4 "7f000001"},
		{"X-Forwarded-For: 203.0.113.9\r\n", IPV4 "cb007109"},
		{"x-forwarded-for:198.51.100.1,203.0.113.9 , 10.0.0.7\r\n",
	         IPV4 "cb007109"},
		/* in several headers, which mean the same */
		{"X-Forwarded-For: 198.51.100.1\r\n"
	         "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.0.0.7"
	         "\r\n",
	         IPV4 "cb007109"},
		{"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: bad\r\n",
	         IPV4 "7f000001"},
		{"X-Forwarded-For: 2001:db8::9\r\n",
	         "\r\n\r\n20010db8000000000000000000000009"},
		{"X-Real-IP: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n",
	         IPV4 "7f000001"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		assert_has(ask("GET /client", rows[i].headers, ""),
		           rows[i].client);
}

/* Its end, which the proxies wrote, is cut off. */
static void a_list_of_clients_that_is_too_long_is_not_believed(void **state)
{
	static char headers[9000];
	size_t len;

	(void)state;
	memcpy(headers, "X-Forwarded-For: ", 17);
	for (len = 17; len < 8300; len += 8)
		memcpy(headers + len, "1.2.3.4,", 8);
	memcpy(headers + len, "1.2.3.4\r\n", 9);
	assert_has(ask("GET /client", headers, ""), IPV4 "7f000001");
}

static void a_token_of_some_kib_still_gets_an_answer(void **state)
{
	static char header[9000];

	(void)state;
	(void)snprintf(header, sizeof(header),
	               "Authorization: Bearer %08192d\r\n", 1);
	assert_http(ask("GET /bearer", header, ""), 200);
}

static void bodies_reach_the_worker_pool(void **state)
{
	const char *answer = ask("POST /echo",
	                         "Content-Type: application/json\r\n"
	                         "Content-Length: 7\r\n",
	                         "{\"a\":1}");

	(void)state;
	assert_http(answer, 200);
	assert_has(answer, "X-Kind: json");
	assert_has(answer, "\r\n\r\n{\"a\":1}");
	answer = ask("POST /echo",
	             "Content-Type: APPLICATION/x-www-form-urlencoded ; "
	             "charset=utf-8\r\nTransfer-Encoding: chunked\r\n",
	             "2\r\na=\r\n1\r\n1\r\n0\r\n\r\n");
	assert_http(answer, 200);
	assert_has(answer, "X-Kind: form");
	assert_has(answer, "\r\n\r\na=1");
}

static void an_inline_handler_passes_on(void **state)
{
	(void)state;
	assert_has(get("/echo"), "X-Kind: form");
	assert_has(get("/again"), "X-Kind: form");
}

static void a_forgotten_answer_is_a_500(void **state)
{
	(void)state;
	assert_problem(get("/forget"), 500);
	assert_problem(get("/forget/in/pool"), 500);
}

static void bodies_over_the_limit_get_413(void **state)
{
	static char body[5000];
	int fd;

	(void)state;
	/* At once: the body is never sent. */
	assert_problem(ask("POST /echo",
	                   "Content-Type: application/json\r\n"
	                   "Content-Length: 1001\r\n",
	                   ""),
	               413);
	/* Version 1.0 of the library says this one itself. */
	assert_http(ask("POST /echo",
	                "Content-Type: application/json\r\n"
	                "Content-Length: 18446744073709551615\r\n",
	                ""),
	            413);
	(void)snprintf(body, sizeof(body), "7d0\r\n%02000d\r\n0\r\n\r\n", 1);
	assert_problem(ask("POST /echo",
	                   "Content-Type: application/json\r\n"
	                   "Transfer-Encoding: chunked\r\n",
	                   body),
	               413);
	fd = dial();
	(void)snprintf(body, sizeof(body),
	               "POST /echo HTTP/1.1\r\nHost: x\r\n"
	               "Content-Type: application/json\r\n"
	               "Connection: close\r\n"
	               "Content-Length: 1000\r\n\r\n%01000d",
	               1);
	say(fd, body);
	assert_http(hear(fd), 200);
}

/* How a client sends the next bytes of a body that never ends. */
static const struct {
	const char *head, *piece;
} trickles[] = {
	{"POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json"
         "\r\nContent-Length: 90\r\n\r\n",
         " "},
	{"POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json"
         "\r\nTransfer-Encoding: chunked\r\n\r\n",
         "1\r\n \r\n"},
	/* One that is refused. */
	{"POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain"
         "\r\nContent-Length: 90\r\n\r\n",
         " "},
	/* One that no handler reads. */
	{"PUT /flag/on HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n", " "},
};

/* True when the server has hung up. */
static bool trickle(int fd, const char *piece)
{
	struct pollfd end = {.fd = fd, .events = POLLIN};
	char byte;

	if (send(fd, piece, strlen(piece), MSG_NOSIGNAL) < 0)
		return true;
	return poll(&end, 1, 50) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

/* The pieces of a body would last for 4.5 s. */
static void a_body_that_trickles_is_cut(void **state)
{
	struct http_server_options options = options_at("127.0.0.1");
	struct http_server *other = NULL;
	uint16_t before = port;

	(void)state;
	options.port = port = free_port();
	options.body_timeout_s = 1;
	assert_int_equal(http_server_start(&options, &other), ST_OK);
	for (unsigned i = 0; i < ARRAY_LEN(trickles); i++) {
		int fd = dial();
		unsigned pieces = 0;

		say(fd, trickles[i].head);
		while (!trickle(fd, trickles[i].piece)) {
			assert_http(get("/hello"), 200);
			assert_true(++pieces < 90);
		}
		(void)close(fd);
	}
	http_server_stop(&other);
	port = before;
}

static void a_merge_patch_has_two_types(void **state)
{
	static const char *const good[] = {"application/json",
	                                   "application/merge-patch+json",
	                                   "Application/Merge-Patch+JSON; a=b"};
	static const char *const bad[] = {
		"application/json-patch+json", "application/merge-patch",
		"application/x-www-form-urlencoded", "text/json"};
	char headers[200];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(good); i++) {
		const char *answer;

		(void)snprintf(headers, sizeof(headers),
		               "Content-Length: 2\r\nContent-Type: %s\r\n",
		               good[i]);
		answer = ask("PATCH /patch", headers, "{}");
		assert_has(answer, "HTTP/1.1 200 ");
		assert_has(answer, "X-Kind: json");
	}
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(headers, sizeof(headers),
		               "Content-Length: 2\r\nContent-Type: %s\r\n",
		               bad[i]);
		assert_problem(ask("PATCH /patch", headers, "{}"), 415);
	}
	assert_problem(ask("POST /json",
	                   "Content-Length: 2\r\nContent-Type: "
	                   "application/merge-patch+json\r\n",
	                   "{}"),
	               415);
}

static void other_content_types_get_415(void **state)
{
	static const char *const bad[] = {
		"", "Content-Type: text/plain\r\n",
		"Content-Type: multipart/form-data; boundary=x\r\n",
		"Content-Type: application/jsonx\r\n", "Content-Type: \r\n"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		char headers[200];

		(void)snprintf(headers, sizeof(headers),
		               "Content-Length: 2\r\n%s", bad[i]);
		assert_problem(ask("POST /echo", headers, "{}"), 415);
	}
}

static void heads_that_say_two_things_get_400(void **state)
{
	static const char *const bad[] = {
		"Content-Length: 2\r\nContent-Length: 2\r\n",
		"Content-Length: 2\r\nContent-Length: 3\r\n",
		"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
		"Content-Length: -1\r\n",
		"Content-Length: +2\r\n",
		"Content-Length: 0x2\r\n",
		"Content-Length: 2, 2\r\n",
		"Content-Length: two\r\n",
		"Content-Type: application/json\r\n",
		"Authorization: Bearer a\r\nauthorization: Bearer b\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		char headers[300];

		(void)snprintf(headers, sizeof(headers),
		               "Content-Type: application/json\r\n%s", bad[i]);
		assert_http(ask("POST /echo", headers, "{}"), 400);
	}
}

static void connections_are_kept(void **state)
{
	int fd = dial();
	const char *answers;

	(void)state;
	say(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
	        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
	        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
	        "Content-Type: application/json\r\n\r\n[]"
	        "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	answers = hear(fd);
	assert_has(answers, "{\"hello\":1}HTTP/1.1 415 ");
	assert_has(answers, "\r\n\r\n[]HTTP/1.1 200 ");
}

static void wait_for_held(unsigned count)
{
	for (unsigned i = 0; i < 5000 && atomic_load(&held) != count; i++)
		(void)usleep(1000);
	assert_int_equal(atomic_load(&held), count);
}

static void wait_for_waiting(unsigned count)
{
	for (unsigned i = 0; i < 5000 && http_server_queued(server, 1) != count;
	     i++)
		(void)usleep(1000);
	assert_int_equal(http_server_queued(server, 1), count);
}

/* Fills the pool: its threads are at work, its queue is full. */
static void fill(int fds[POOL_THREADS + POOL_QUEUE])
{
	atomic_store(&hold, true);
	for (unsigned i = 0; i < POOL_THREADS + POOL_QUEUE; i++) {
		fds[i] = dial();
		say(fds[i], "GET /held HTTP/1.1\r\nHost: x\r\n"
		            "Connection: close\r\n\r\n");
	}
	wait_for_held(POOL_THREADS);
	wait_for_waiting(POOL_QUEUE);
}

/* The kernel keeps them until another connection ends. */
static void connections_beyond_the_maximum_wait(void **state)
{
	int idle[CONNECTIONS_MAX], extra;

	(void)state;
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		idle[i] = dial();
		say(idle[i], "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
		assert_http(hear_some(idle[i]), 200);
	}
	extra = dial();
	say(extra, "GET /hello HTTP/1.1\r\nHost: x\r\n"
	           "Connection: close\r\n\r\n");
	assert_true(is_silent(extra));
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		(void)close(idle[i]);
	assert_http(hear(extra), 200);
}

static void a_full_pool_refuses_at_once_and_the_others_go_on(void **state)
{
	int fds[POOL_THREADS + POOL_QUEUE];
	const char *answer;

	(void)state;
	fill(fds);
	answer = get("/held");
	assert_problem(answer, 429);
	assert_has(answer, "Retry-After: 7\r\n");
	assert_http(get("/hello"), 200);
	assert_http(get("/echo"), 200);
	atomic_store(&hold, false);
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++)
		assert_has(hear(fds[i]), "\r\n\r\nheld");
	assert_http(get("/held"), 200);
}

static int ask_shared(const char *client)
{
	char text[200];
	int fd = dial();

	(void)snprintf(text, sizeof(text),
	               "GET /shared HTTP/1.1\r\nHost: x\r\n"
	               "X-Forwarded-For: %s\r\nConnection: close\r\n\r\n",
	               client);
	say(fd, text);
	return fd;
}

/* Each row is one more request; the ones before it still wait or run. */
static void a_client_waits_in_its_share_of_the_queue_only(void **state)
{
	static const struct {
		const char *client;
		unsigned running, waiting; /* afterwards */
		bool refused;
	} rows[] = {
		{"203.0.113.1", 1, 0, false}, {"203.0.113.1", 2, 0, false},
		{"203.0.113.1", 2, 1, false}, {"203.0.113.1", 2, 2, false},
		{"203.0.113.1", 2, 2, true},  {"203.0.113.1", 2, 2, true},
		{"203.0.113.2", 2, 3, false}, {"2001:db8::1", 2, 4, false},
		{"203.0.113.3", 2, 4, true}, /* the whole queue is full */
	};
	int fds[ARRAY_LEN(rows)];

	(void)state;
	atomic_store(&hold, true);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		fds[i] = ask_shared(rows[i].client);
		wait_for_held(rows[i].running);
		wait_for_waiting(rows[i].waiting);
		if (!rows[i].refused)
			continue;
		assert_problem(hear(fds[i]), 429);
	}
	atomic_store(&hold, false);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].refused)
			assert_has(hear(fds[i]), "\r\n\r\nheld");
	}
	wait_for_held(0);
	assert_has(hear(ask_shared("203.0.113.1")), "\r\n\r\nheld");
}

/* What the threads have begun is done; what waits for them is dropped. */
static void requests_of_clients_that_left_are_dropped(void **state)
{
	int fds[POOL_THREADS + POOL_QUEUE];
	unsigned before = atomic_load(&handled);

	(void)state;
	fill(fds);
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	atomic_store(&hold, false);
	wait_for_held(0);
	wait_for_waiting(0);
	assert_http(get("/held"), 200);
	assert_int_equal(atomic_load(&handled) - before, POOL_THREADS + 1);
}

static void *release_soon(void *context)
{
	(void)context;
	(void)usleep(100000);
	atomic_store(&hold, false);
	return NULL;
}

static void stopping_answers_what_runs_and_refuses_what_waits(void **state)
{
	int fds[POOL_THREADS + POOL_QUEUE];
	unsigned done = 0, refused = 0;
	pthread_t thread;

	(void)state;
	fill(fds);
	assert_int_equal(pthread_create(&thread, NULL, release_soon, NULL), 0);
	http_server_stop(&server);
	(void)pthread_join(thread, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++) {
		const char *answer = hear(fds[i]);

		done += !strncmp(answer, "HTTP/1.1 200", 12);
		refused += !strncmp(answer, "HTTP/1.1 503", 12);
	}
	assert_int_equal(done, POOL_THREADS);
	assert_int_equal(refused, POOL_QUEUE);
}

static void stopping_does_not_wait_for_idle_connections(void **state)
{
	int fd = dial();
	uint64_t began_ms = clock_mono_ms();

	(void)state;
	say(fd, "GET /hello HTTP/1.1\r\nHo");
	http_server_stop(&server);
	/* Far from the idle timeout of 120 s. */
	assert_true(clock_mono_ms() - began_ms < 60000);
	(void)close(fd);
}

static void a_port_in_use_is_unavailable(void **state)
{
	struct http_server_options options = options_at("127.0.0.1");
	struct http_server *second = NULL;

	(void)state;
	assert_int_equal(http_server_start(&options, &second), ST_UNAVAILABLE);
	assert_int_equal(errno, EADDRINUSE);
	options.bind_address = "no address";
	assert_int_equal(http_server_start(&options, &second), ST_UNAVAILABLE);
	assert_null(second);
}

static void it_listens_on_ipv6_too(void **state)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
	                          .sin6_port = htons(port),
	                          .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct http_server_options options = options_at("::1");
	struct http_server *second = NULL;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	enum status status = http_server_start(&options, &second);

	(void)state;
	if (status != ST_OK &&
	    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		skip();
	assert_int_equal(status, ST_OK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	say(fd, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	assert_http(hear(fd), 200);
	http_server_stop(&second);
}

static void every_answer_is_observed(void **state)
{
	unsigned before = atomic_load(&observed);

	(void)state;
	(void)get("/hello");
	(void)get("/nothing");
	assert_int_equal(atomic_load(&observed) - before, 2);
	assert_int_equal(atomic_load(&observed_http), 404);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(a_handler_answers),
		TEST(head_is_get_without_the_body),
		TEST(arguments_are_segments),
		TEST(query_parameters_are_decoded),
		TEST(queries_are_strict),
		TEST(headers_are_strict),
		TEST(other_methods_get_405_with_allow),
		TEST(put_and_patch_bring_bodies),
		TEST(a_route_may_take_json_alone),
		TEST(a_body_is_utf_8),
		TEST(put_and_delete_need_no_body),
		TEST(a_connection_goes_on_after_an_answer_without_a_body),
		TEST(allow_names_each_method_once),
		TEST(as_many_parameters_as_a_route_has_are_read),
		TEST(a_query_of_some_kib_is_read),
		TEST(the_bearer_is_read_in_any_case_and_shape),
		TEST(the_cookies_of_all_headers_are_found),
		TEST(the_client_is_the_last_that_is_not_trusted),
		TEST(a_list_of_clients_that_is_too_long_is_not_believed),
		TEST(a_token_of_some_kib_still_gets_an_answer),
		TEST(bodies_reach_the_worker_pool),
		TEST(an_inline_handler_passes_on),
		TEST(a_forgotten_answer_is_a_500),
		TEST(bodies_over_the_limit_get_413),
		TEST(a_body_that_trickles_is_cut),
		TEST(a_merge_patch_has_two_types),
		TEST(other_content_types_get_415),
		TEST(heads_that_say_two_things_get_400),
		TEST(connections_are_kept),
		TEST(connections_beyond_the_maximum_wait),
		TEST(a_full_pool_refuses_at_once_and_the_others_go_on),
		TEST(a_client_waits_in_its_share_of_the_queue_only),
		TEST(requests_of_clients_that_left_are_dropped),
		TEST(stopping_answers_what_runs_and_refuses_what_waits),
		TEST(stopping_does_not_wait_for_idle_connections),
		TEST(a_port_in_use_is_unavailable),
		TEST(it_listens_on_ipv6_too),
		TEST(every_answer_is_observed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
