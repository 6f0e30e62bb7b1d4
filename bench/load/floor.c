#define _GNU_SOURCE /* accept4, memmem */
#include "bench/load/floor.h"
#include "bench/load/client_sockets.h"
#include "client-test/cli/command.h"
#include "client-test/cli/open_files.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/websocket.h"
#include "common/io/http/listener.h"
#include "common/io/websocket_handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 4096,
	EVENTS_MAX = 256,
	HEAD_MAX = 16 * 1024,
	LINE_MAX_BYTES = 64 * 1024,
};

struct floor_client {
	int fd;
	bool welcomed;
};

struct floor {
	int epoll;
	int listen_fd;
	struct floor_client *clients; /* by descriptor */
	size_t capacity;
	struct buf welcome; /* framed */
	struct buf line;    /* the part of a line read from stdin */
	bool ended;
};

static void watch(struct floor *floor, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	(void)epoll_ctl(floor->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Waits for a slow reader. */
static void send_all(int fd, struct span bytes)
{
	struct pollfd writable = {.fd = fd, .events = POLLOUT};

	while (bytes.len) {
		ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return; /* closed: the next read reports it */
		if (sent < 0)
			(void)poll(&writable, 1, -1);
		else
			bytes = span_make(bytes.data + sent,
			                  bytes.len - (size_t)sent);
	}
}

/* --- opening ------------------------------------------------------------- */
static void add_client(struct floor *floor, int fd)
{
	if ((size_t)fd >= floor->capacity) {
		size_t capacity = (size_t)fd * 2 + 64;

		floor->clients = mem_resize(floor->clients,
		                            capacity * sizeof(*floor->clients));
		for (size_t i = floor->capacity; i < capacity; i++)
			floor->clients[i].fd = -1;
		floor->capacity = capacity;
	}
	floor->clients[fd] = (struct floor_client){.fd = fd};
	watch(floor, fd);
}

static void accept_all(struct floor *floor)
{
	int fd;

	while ((fd = accept4(floor->listen_fd, NULL, NULL,
	                     SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		add_client(floor, fd);
}

static void close_client(struct floor_client *client)
{
	close(client->fd);
	client->fd = -1;
}

/* Our clients send the request head in one piece. */
static void answer(struct floor *floor, struct floor_client *client,
                   struct span head)
{
	static const char name[] = "Sec-WebSocket-Key: ";
	const char *key = memmem(head.data, head.len, name, sizeof(name) - 1);
	struct buf text CLEANUP(buf_free) = BUF(2048);
	char accept[WEBSOCKET_ACCEPT_LEN + 1];

	if (!key) {
		close_client(client);
		return;
	}
	websocket_accept_make(
		span_make(key + sizeof(name) - 1, WEBSOCKET_KEY_LEN), accept);
	buf_format(&text,
	           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	           "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	           accept);
	buf_append(&text, buf_span(&floor->welcome));
	client->welcomed = true;
	send_all(client->fd, buf_span(&text));
}

static void read_client(struct floor *floor, struct floor_client *client)
{
	char bytes[HEAD_MAX];
	ssize_t got = recv(client->fd, bytes, sizeof(bytes), 0);

	if (got == 0 || (got < 0 && errno != EAGAIN))
		close_client(client);
	else if (got > 0 && !client->welcomed)
		answer(floor, client, span_make(bytes, (size_t)got));
}

/* --- sending ------------------------------------------------------------- */
static void send_to_all(struct floor *floor, struct span text)
{
	struct buf framed CLEANUP(buf_free) = BUF(LINE_MAX_BYTES + 16);

	websocket_write(&framed, WEBSOCKET_TEXT, text, NULL);
	for (size_t i = 0; i < floor->capacity; i++) {
		if (floor->clients[i].fd >= 0 && floor->clients[i].welcomed)
			send_all(floor->clients[i].fd, buf_span(&framed));
	}
}

static void read_lines(struct floor *floor)
{
	char bytes[LINE_MAX_BYTES];
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));
	const char *end;

	floor->ended = got <= 0;
	if (got <= 0)
		return;
	buf_append(&floor->line, span_make(bytes, (size_t)got));
	while ((end = memchr(floor->line.data, '\n', floor->line.len))) {
		size_t len = (size_t)(end - floor->line.data);

		send_to_all(floor, span_make(floor->line.data, len));
		buf_consume(&floor->line, len + 1);
	}
	floor->ended = buf_overflowed(&floor->line);
}

/* --- the mode ------------------------------------------------------------ */
static void serve(struct floor *floor)
{
	struct epoll_event events[EVENTS_MAX];

	while (!floor->ended) {
		int count = epoll_wait(floor->epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == floor->listen_fd)
				accept_all(floor);
			else if (fd == STDIN_FILENO)
				read_lines(floor);
			else if (floor->clients[fd].fd >= 0)
				read_client(floor, &floor->clients[fd]);
		}
	}
}

static bool open_listener(struct floor *floor)
{
	int one = 1;

	floor->listen_fd = listener_open("127.0.0.1", 0, BACKLOG);
	if (floor->listen_fd < 0)
		return false;
	/* Accepted sockets inherit the option. */
	(void)setsockopt(floor->listen_fd, IPPROTO_TCP, TCP_NODELAY, &one,
	                 sizeof(one));
	return true;
}

static void print_port(const struct floor *floor)
{
	struct sockaddr_in address = {0};
	socklen_t len = sizeof(address);

	(void)getsockname(floor->listen_fd, (struct sockaddr *)&address, &len);
	(void)printf("{\"mode\":\"floor\",\"port\":%u}\n",
	             (unsigned)ntohs(address.sin_port));
	(void)fflush(stdout);
}

int floor_run(const struct load_options *options)
{
	struct floor floor = {.welcome = BUF(256),
	                      .line = BUF(2 * LINE_MAX_BYTES)};

	(void)options;
	open_files_raise_limit();
	if (!open_listener(&floor)) {
		perror("listening");
		return EXIT_FAILED;
	}
	websocket_write(&floor.welcome, WEBSOCKET_TEXT,
	                SPAN("{\"type\":\"welcome\"}"), NULL);
	floor.epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(&floor, floor.listen_fd);
	watch(&floor, STDIN_FILENO);
	print_port(&floor);
	serve(&floor);
	close(floor.listen_fd);
	close(floor.epoll);
	mem_free(&floor.clients);
	buf_free(&floor.welcome);
	buf_free(&floor.line);
	return EXIT_DONE;
}
