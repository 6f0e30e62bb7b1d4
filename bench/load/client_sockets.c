#define _DEFAULT_SOURCE /* usleep */
#include "bench/load/client_sockets.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/base/websocket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
	INPUT_MAX = 512 * 1024,
	OUT_MAX = 8 * 1024 * 1024,
	FRAME_LONGEST = 256 * 1024,
	EVENTS_MAX = 256,
	FINAL_TEXT = 0x81,
	FINAL_CLOSE = 0x88,
	FINAL_PING = 0x89,
};

struct client_sockets {
	int epoll;
	int timer;
	uint64_t timer_us; /* when it expires */
	struct address address;
	struct sockaddr_storage to;
	socklen_t to_len;
	const struct client_sockets_events *events;
	void *context;
	struct client_socket *dirty;
	uint64_t mask;
	unsigned pause_us;
	char input[INPUT_MAX];
};

static enum status find_host(struct client_sockets *sockets)
{
	const struct addrinfo hints = {.ai_family = AF_INET,
	                               .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;

	if (getaddrinfo(sockets->address.host, sockets->address.port, &hints,
	                &found))
		return ST_UNAVAILABLE;
	memcpy(&sockets->to, found->ai_addr, found->ai_addrlen);
	sockets->to_len = found->ai_addrlen;
	freeaddrinfo(found);
	return ST_OK;
}

enum status client_sockets_create(const struct address *address,
                                  const struct client_sockets_events *events,
                                  void *context,
                                  struct client_sockets **ret_sockets)
{
	struct client_sockets *sockets CLEANUP(client_sockets_destroy) =
		mem_new(sizeof(*sockets));
	struct epoll_event wake = {.events = EPOLLIN};

	sockets->address = *address;
	sockets->events = events;
	sockets->context = context;
	sockets->mask = random_u64();
	sockets->epoll = epoll_create1(EPOLL_CLOEXEC);
	sockets->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	if (sockets->epoll < 0 || sockets->timer < 0 ||
	    epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, sockets->timer, &wake))
		abort();
	if (find_host(sockets) != ST_OK)
		return ST_UNAVAILABLE;
	*ret_sockets = MOVE(sockets);
	return ST_OK;
}

void client_sockets_destroy(struct client_sockets **sockets)
{
	if (!*sockets)
		return;
	close((*sockets)->epoll);
	close((*sockets)->timer);
	mem_free(sockets);
}

static void mark_dirty(struct client_sockets *sockets,
                       struct client_socket *socket)
{
	if (socket->dirty)
		return;
	socket->dirty = true;
	socket->next_dirty = sockets->dirty;
	sockets->dirty = socket;
}

static void lose(struct client_sockets *sockets, struct client_socket *socket,
                 const char *why)
{
	if (socket->state == SOCKET_LOST)
		return;
	socket->state = SOCKET_LOST;
	close(socket->fd);
	buf_free(&socket->out);
	buf_free(&socket->partial);
	if (why)
		sockets->events->lost(sockets->context, socket, why);
}

void client_sockets_close(struct client_sockets *sockets,
                          struct client_socket *socket)
{
	lose(sockets, socket, NULL);
}

/* --- opening ------------------------------------------------------------- */
static int open_socket(struct client_sockets *sockets)
{
	int fd = socket(sockets->to.ss_family,
	                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&sockets->to, sockets->to_len) &&
	    errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

enum status client_sockets_connect(struct client_sockets *sockets,
                                   struct client_socket *socket, unsigned index,
                                   struct span token)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT,
	                            .data.ptr = socket};

	*socket = (struct client_socket){
		.index = index,
		.out = BUF(OUT_MAX),
		.partial = BUF(FRAME_LONGEST),
		.blocked = true, /* until it is connected */
	};
	socket->fd = open_socket(sockets);
	if (socket->fd < 0 ||
	    epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, socket->fd, &event)) {
		socket->state = SOCKET_LOST;
		return ST_UNAVAILABLE;
	}
	upgrade_request(&socket->upgrade, sockets->address.authority, token,
	                &socket->out);
	return ST_OK;
}

/* --- writing ------------------------------------------------------------- */
static void watch(struct client_sockets *sockets, struct client_socket *socket,
                  bool blocked)
{
	struct epoll_event event = {
		.events = EPOLLIN | (blocked ? EPOLLOUT : 0),
		.data.ptr = socket,
	};

	socket->blocked = blocked;
	(void)epoll_ctl(sockets->epoll, EPOLL_CTL_MOD, socket->fd, &event);
}

static void flush(struct client_sockets *sockets, struct client_socket *socket)
{
	ssize_t sent;

	if (socket->state == SOCKET_LOST || socket->blocked || !socket->out.len)
		return;
	sent = send(socket->fd, socket->out.data, socket->out.len,
	            MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN) {
		lose(sockets, socket, strerror(errno));
		return;
	}
	if (sent > 0)
		buf_consume(&socket->out, (size_t)sent);
	if (socket->out.len)
		watch(sockets, socket, true);
	else if (socket->out.capacity > INPUT_MAX)
		buf_free(&socket->out);
}

static void flush_all(struct client_sockets *sockets)
{
	while (sockets->dirty) {
		struct client_socket *socket = sockets->dirty;

		sockets->dirty = socket->next_dirty;
		socket->dirty = false;
		flush(sockets, socket);
	}
}

/* Each frame has another mask, as RFC 6455 requires, without a system call. */
static uint32_t next_mask(struct client_sockets *sockets)
{
	sockets->mask ^= sockets->mask << 13;
	sockets->mask ^= sockets->mask >> 7;
	sockets->mask ^= sockets->mask << 17;
	return (uint32_t)sockets->mask;
}

static void xor_copy(char *to, const char *from, size_t len, uint32_t mask)
{
	uint64_t wide = (uint64_t)mask << 32 | mask;
	size_t i = 0;

	for (; len - i >= sizeof(wide); i += sizeof(wide)) {
		uint64_t word;

		memcpy(&word, from + i, sizeof(word));
		word ^= wide;
		memcpy(to + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		to[i] = (char)(from[i] ^ ((const char *)&wide)[i % 8]);
}

void client_sockets_send(struct client_sockets *sockets,
                         struct client_socket *socket, struct span text)
{
	uint32_t mask = next_mask(sockets);
	size_t head = text.len < 126 ? 2 : 4;
	char *to = buf_space(&socket->out, head + 4 + text.len);

	if (!to || text.len > UINT16_MAX || socket->state != SOCKET_OPEN)
		return;
	to[0] = (char)FINAL_TEXT;
	to[1] = (char)(0x80 | (head == 2 ? text.len : 126));
	if (head == 4) {
		to[2] = (char)(text.len >> 8);
		to[3] = (char)(text.len & 0xff);
	}
	memcpy(to + head, &mask, 4);
	xor_copy(to + head + 4, text.data, text.len, mask);
	buf_grew(&socket->out, head + 4 + text.len);
	mark_dirty(sockets, socket);
}

/* --- reading ------------------------------------------------------------- */
static void take_frame(struct client_sockets *sockets,
                       struct client_socket *socket, uint8_t first,
                       struct span payload, uint64_t now_us)
{
	uint32_t mask = next_mask(sockets);

	switch (first) {
	case FINAL_TEXT:
		sockets->events->text(sockets->context, socket, payload,
		                      now_us);
		break;
	case FINAL_PING:
		websocket_write(&socket->out, WEBSOCKET_PONG, payload,
		                (const uint8_t *)&mask);
		mark_dirty(sockets, socket);
		break;
	case FINAL_CLOSE:
		lose(sockets, socket, "closed by the server");
		break;
	default:
		lose(sockets, socket, "an unexpected frame");
	}
}

/* The lengths of head and payload; 0 while the head is incomplete. */
static size_t read_head(const uint8_t *at, size_t len, uint64_t *ret_payload)
{
	uint64_t payload;

	if (len < 2)
		return 0;
	payload = at[1] & 0x7f;
	if (payload == 126) {
		if (len < 4)
			return 0;
		*ret_payload = (uint64_t)at[2] << 8 | at[3];
		return 4;
	}
	if (payload == 127) {
		if (len < 10)
			return 0;
		*ret_payload = (uint64_t)at[6] << 24 | (uint64_t)at[7] << 16 |
		               (uint64_t)at[8] << 8 | at[9];
		return 10;
	}
	*ret_payload = payload;
	return 2;
}

/* Handles complete frames and returns how many bytes they had. */
static size_t take_frames(struct client_sockets *sockets,
                          struct client_socket *socket, struct span bytes,
                          uint64_t now_us)
{
	size_t at = 0;

	while (socket->state == SOCKET_OPEN) {
		const uint8_t *frame = (const uint8_t *)bytes.data + at;
		uint64_t payload;
		size_t head = read_head(frame, bytes.len - at, &payload);

		if (!head || bytes.len - at - head < payload)
			break;
		at += head + (size_t)payload;
		take_frame(sockets, socket, frame[0],
		           span_make(frame + head, (size_t)payload), now_us);
	}
	return at;
}

static size_t take_answer(struct client_sockets *sockets,
                          struct client_socket *socket, struct span bytes,
                          uint64_t now_us)
{
	unsigned http = 0;
	size_t head = 0;

	switch (upgrade_read(&socket->upgrade, bytes, &head, &http)) {
	case UPGRADE_MORE:
		return 0;
	case UPGRADE_OPEN:
		socket->state = SOCKET_OPEN;
		return head + take_frames(sockets, socket,
		                          span_make(bytes.data + head,
		                                    bytes.len - head),
		                          now_us);
	case UPGRADE_REFUSED:
		lose(sockets, socket,
		     http == 401 ? "refused with 401" : "refused");
		return 0;
	case UPGRADE_BROKEN:
		break;
	}
	lose(sockets, socket, "a broken answer to the upgrade");
	return 0;
}

static size_t take_bytes(struct client_sockets *sockets,
                         struct client_socket *socket, struct span bytes,
                         uint64_t now_us)
{
	if (socket->state == SOCKET_UPGRADING)
		return take_answer(sockets, socket, bytes, now_us);
	return take_frames(sockets, socket, bytes, now_us);
}

static void take_input(struct client_sockets *sockets,
                       struct client_socket *socket, size_t len)
{
	struct span bytes = span_make(sockets->input, len);
	uint64_t now_us = clock_mono_us();
	size_t taken;

	if (socket->partial.len) {
		buf_append(&socket->partial, bytes);
		if (buf_overflowed(&socket->partial)) {
			lose(sockets, socket, "a frame that is too long");
			return;
		}
		taken = take_bytes(sockets, socket, buf_span(&socket->partial),
		                   now_us);
		if (socket->state == SOCKET_LOST)
			return;
		buf_consume(&socket->partial, taken);
		if (!socket->partial.len)
			buf_free(&socket->partial);
		return;
	}
	taken = take_bytes(sockets, socket, bytes, now_us);
	if (socket->state != SOCKET_LOST)
		buf_append(&socket->partial,
		           span_make(bytes.data + taken, len - taken));
}

static void on_readable(struct client_sockets *sockets,
                        struct client_socket *socket)
{
	ssize_t got = recv(socket->fd, sockets->input, FRAME_LONGEST / 2, 0);

	if (got > 0)
		take_input(sockets, socket, (size_t)got);
	else if (got == 0)
		lose(sockets, socket, "hung up by the server");
	else if (errno != EAGAIN && errno != EINTR)
		lose(sockets, socket, strerror(errno));
}

static void on_event(struct client_sockets *sockets,
                     struct client_socket *socket, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP)) {
		on_readable(sockets, socket);
		return;
	}
	if (events & EPOLLOUT) {
		watch(sockets, socket, false);
		mark_dirty(sockets, socket);
	}
	if (events & EPOLLIN)
		on_readable(sockets, socket);
}

static void set_timer(struct client_sockets *sockets, uint64_t until_us)
{
	struct itimerspec when = {
		.it_value = {(time_t)(until_us / 1000000),
	                     (long)(until_us % 1000000) * 1000},
	};

	if (until_us == sockets->timer_us)
		return;
	sockets->timer_us = until_us;
	(void)timerfd_settime(sockets->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void client_sockets_poll(struct client_sockets *sockets, uint64_t until_us)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t expirations;
	int count;

	flush_all(sockets);
	set_timer(sockets, until_us);
	count = epoll_wait(sockets->epoll, events, EVENTS_MAX, -1);
	for (int i = 0; i < count; i++) {
		struct client_socket *socket = events[i].data.ptr;

		if (!socket) {
			(void)!read(sockets->timer, &expirations,
			            sizeof(expirations));
			sockets->timer_us = 0;
		} else if (socket->state != SOCKET_LOST) {
			on_event(sockets, socket, events[i].events);
		}
	}
	flush_all(sockets);
	if (sockets->pause_us)
		usleep(sockets->pause_us);
}

void client_sockets_pause(struct client_sockets *sockets, unsigned pause_us)
{
	sockets->pause_us = pause_us;
}
