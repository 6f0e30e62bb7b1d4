/*
 * Bytes sent to a real http_server over loopback: each reply is an HTTP answer,
 * refusals are problem documents, and handlers see only what
 * common/io/http/server.h promises.
 */
#define _GNU_SOURCE /* memmem */
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/io/http/server.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BODY_MAX = 1024,
	ANSWER_MAX = 65536,
	PATIENCE_US = 3000,
	PORT_FIRST = 27000,
	PORTS = 1000
};

/* --- the server ------------------------------------------------------------
 */
static void see(struct http_request *request, void *context)
{
	static const char *const names[] = {"a", "limit", "before", "after"};
	struct span token = http_bearer(request);
	struct span text;

	(void)context;
	for (size_t i = 0; i < token.len; i++)
		must(token.data[i] > ' ' && token.data[i] <= '~');
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		(void)http_query(request, names[i], &text);
	must(http_body(request).len <= BODY_MAX);
	http_answer_json(request, 200, SPAN("{}"));
}

static void see_argument(struct http_request *request, void *context)
{
	struct span argument = http_argument(request, 0);

	must(argument.len > 0);
	must(!memchr(argument.data, '/', argument.len));
	must(!memchr(argument.data, '%', argument.len));
	see(request, context);
}

static const struct http_route routes[] = {
	{"GET", "/a", see, HTTP_INLINE, HTTP_NO_BODY},
	{"POST", "/a", see, HTTP_INLINE, HTTP_JSON_OR_FORM},
	{"GET", "/a/{}", see_argument, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/a/{}/b", see_argument, HTTP_INLINE, HTTP_NO_BODY},
};
static struct http_server *server;
static uint16_t port;

static void start(void)
{
	struct http_server_options options = {
		.bind_address = "127.0.0.1",
		.routes = routes,
		.route_count = ARRAY_LEN(routes),
		.max_body = BODY_MAX,
		.connection_max = 64,
		.idle_timeout_s = 5,
		.body_timeout_s = 5,
	};

	for (unsigned i = 0; !server && i < PORTS; i++) {
		port = (uint16_t)(PORT_FIRST +
		                  ((unsigned)getpid() + i) % PORTS);
		options.port = port;
		if (http_server_start(&options, &server) != ST_OK)
			server = NULL;
	}
	must(server != NULL);
}

/* --- the client ------------------------------------------------------------
 */
/* -1 when the machine has no free port or no time. */
static int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons(port),
	                         .sin_addr = {htonl(INADDR_LOOPBACK)}};
	/* A reset at the end: no port waits for two minutes. */
	struct linger reset = {1, 0};
	struct timeval patience = {0, PATIENCE_US};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	                 sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	must(errno != ECONNREFUSED);
	(void)close(fd);
	return -1;
}

/*
 * Reads the first bytes of the reply. An incomplete request gets no reply, and
 * a complete one keeps its connection: the harness waits for neither.
 */
static void talk(struct span bytes, struct buf *answer)
{
	int fd = dial();
	char *space = buf_space(answer, ANSWER_MAX);
	ssize_t len;

	must(space != NULL);
	if (fd < 0)
		return;
	if (bytes.len)
		(void)!send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
	len = recv(fd, space, ANSWER_MAX, 0);
	if (len > 0)
		buf_grew(answer, (size_t)len);
	(void)close(fd);
}

/* --- what came back --------------------------------------------------------
 */
static bool head_of(struct span bytes, struct span *ret_head)
{
	const char *end = memmem(bytes.data, bytes.len, "\r\n\r\n", 4);

	if (!end)
		return false;
	*ret_head = span_make(bytes.data, (size_t)(end - bytes.data) + 4);
	return true;
}

static bool has(struct span text, const char *part)
{
	return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* The library refuses bytes that are not HTTP by itself, in HTML. */
static void check(struct span bytes)
{
	struct span head;

	if (!head_of(bytes, &head))
		return; /* the peer closed early, or sent nothing */
	must(span_starts(head, SPAN("HTTP/1.")));
	must(!has(head, " 500 "));
	if (!has(head, "application/problem+json"))
		return;
	must(has(head, "HTTP/1.1 4") || has(head, "HTTP/1.1 501 "));
	if (has(head, "HTTP/1.1 405"))
		must(has(head, "Allow: "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf answer CLEANUP(buf_free) = BUF(ANSWER_MAX);

	start();
	talk(span_make(data, size), &answer);
	if (answer.len)
		check(buf_span(&answer));
	return 0;
}
