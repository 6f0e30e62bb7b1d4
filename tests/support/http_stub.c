#include "tests/support/http_stub.h"
#include "common/base/buf.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 64 * 1024, ANSWER_MAX = 128 * 1024, READ_BYTES = 4096 };

static http_stub_serve *serve_request;
static pthread_t acceptor;
static int listener = -1;
static uint16_t port;
static atomic_uint accepted;

void http_stub_put(int fd, struct span bytes)
{
	while (bytes.len) {
		ssize_t put = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);

		if (put <= 0)
			return;
		bytes.data += put;
		bytes.len -= (size_t)put;
	}
}

void http_stub_answer(int fd, const char *status, struct span body)
{
	struct buf out CLEANUP(buf_free) = BUF(ANSWER_MAX);

	buf_format(&out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status,
	           body.len);
	buf_append(&out, body);
	http_stub_put(fd, buf_span(&out));
}

/* False when the client left. */
static bool read_request(int fd, struct buf *request)
{
	for (;;) {
		const char *text = buf_text(request);
		const char *end = strstr(text, "\r\n\r\n");
		const char *length = strstr(text, "Content-Length: ");
		size_t body = length ? strtoul(length + 16, NULL, 10) : 0;
		char *space;
		ssize_t got;

		if (end && request->len >= (size_t)(end + 4 - text) + body)
			return true;
		space = buf_space(request, READ_BYTES);
		got = space ? recv(fd, space, READ_BYTES, 0) : 0;
		if (got <= 0)
			return false;
		buf_grew(request, (size_t)got);
	}
}

static void *serve(void *context)
{
	int fd = (int)(intptr_t)context;
	struct buf request CLEANUP(buf_free) = BUF(REQUEST_MAX);

	while (read_request(fd, &request)) {
		(void)buf_text(&request);
		serve_request(fd, buf_span(&request));
		buf_clear(&request);
	}
	close(fd);
	return NULL;
}

static void *accept_all(void *context)
{
	pthread_t thread;
	int fd;

	(void)context;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		atomic_fetch_add(&accepted, 1);
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
			abort();
		pthread_detach(thread);
	}
	return NULL;
}

int http_stub_start(http_stub_serve *serve_one)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);

	serve_request = serve_one;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, len) ||
	    listen(listener, 64) ||
	    getsockname(listener, (struct sockaddr *)&address, &len) ||
	    pthread_create(&acceptor, NULL, accept_all, NULL))
		return -1;
	port = ntohs(address.sin_port);
	return 0;
}

int http_stub_stop(void)
{
	shutdown(listener, SHUT_RDWR);
	close(listener);
	return pthread_join(acceptor, NULL);
}

uint16_t http_stub_port(void)
{
	return port;
}

unsigned http_stub_accepted(void)
{
	return atomic_load(&accepted);
}
