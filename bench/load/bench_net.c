#define _DEFAULT_SOURCE /* usleep */
#include "bench/load/bench_net.h"
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

struct bench_net {
	int epoll;
	int timer;
	uint64_t timer_us; /* when it is set to ring */
	struct address address;
	struct sockaddr_storage to;
	socklen_t to_len;
	const struct bench_net_events *events;
	void *context;
	struct bench_peer *dirty;
	uint64_t mask;
	unsigned nap_us;
	char input[INPUT_MAX];
};

static enum status find_host(struct bench_net *net)
{
	const struct addrinfo hints = {.ai_family = AF_INET,
	                               .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;

	if (getaddrinfo(net->address.host, net->address.port, &hints, &found))
		return ST_UNAVAILABLE;
	memcpy(&net->to, found->ai_addr, found->ai_addrlen);
	net->to_len = found->ai_addrlen;
	freeaddrinfo(found);
	return ST_OK;
}

enum status bench_net_create(const struct address *address,
                             const struct bench_net_events *events,
                             void *context, struct bench_net **ret_net)
{
	struct bench_net *net CLEANUP(bench_net_destroy) =
		mem_new(sizeof(*net));
	struct epoll_event wake = {.events = EPOLLIN};

	net->address = *address;
	net->events = events;
	net->context = context;
	net->mask = random_u64();
	net->epoll = epoll_create1(EPOLL_CLOEXEC);
	net->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	if (net->epoll < 0 || net->timer < 0 ||
	    epoll_ctl(net->epoll, EPOLL_CTL_ADD, net->timer, &wake))
		abort();
	if (find_host(net) != ST_OK)
		return ST_UNAVAILABLE;
	*ret_net = MOVE(net);
	return ST_OK;
}

void bench_net_destroy(struct bench_net **net)
{
	if (!*net)
		return;
	close((*net)->epoll);
	close((*net)->timer);
	mem_free(net);
}

static void touch(struct bench_net *net, struct bench_peer *peer)
{
	if (peer->dirty)
		return;
	peer->dirty = true;
	peer->next_dirty = net->dirty;
	net->dirty = peer;
}

static void lose(struct bench_net *net, struct bench_peer *peer,
                 const char *why)
{
	if (peer->state == PEER_LOST)
		return;
	peer->state = PEER_LOST;
	close(peer->fd);
	buf_free(&peer->out);
	buf_free(&peer->partial);
	if (why)
		net->events->lost(net->context, peer, why);
}

void bench_net_close(struct bench_net *net, struct bench_peer *peer)
{
	lose(net, peer, NULL);
}

/* --- opening ------------------------------------------------------------- */
static int open_socket(struct bench_net *net)
{
	int fd = socket(net->to.ss_family,
	                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&net->to, net->to_len) &&
	    errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

enum status bench_net_connect(struct bench_net *net, struct bench_peer *peer,
                              unsigned index, struct span token)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT,
	                            .data.ptr = peer};

	*peer = (struct bench_peer){
		.index = index,
		.out = BUF(OUT_MAX),
		.partial = BUF(FRAME_LONGEST),
		.blocked = true, /* until it is connected */
	};
	peer->fd = open_socket(net);
	if (peer->fd < 0 ||
	    epoll_ctl(net->epoll, EPOLL_CTL_ADD, peer->fd, &event)) {
		peer->state = PEER_LOST;
		return ST_UNAVAILABLE;
	}
	upgrade_request(&peer->upgrade, net->address.authority, token,
	                &peer->out);
	return ST_OK;
}

/* --- writing ------------------------------------------------------------- */
static void watch(struct bench_net *net, struct bench_peer *peer, bool blocked)
{
	struct epoll_event event = {
		.events = EPOLLIN | (blocked ? EPOLLOUT : 0),
		.data.ptr = peer,
	};

	peer->blocked = blocked;
	(void)epoll_ctl(net->epoll, EPOLL_CTL_MOD, peer->fd, &event);
}

static void flush(struct bench_net *net, struct bench_peer *peer)
{
	ssize_t sent;

	if (peer->state == PEER_LOST || peer->blocked || !peer->out.len)
		return;
	sent = send(peer->fd, peer->out.data, peer->out.len, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN) {
		lose(net, peer, strerror(errno));
		return;
	}
	if (sent > 0)
		buf_consume(&peer->out, (size_t)sent);
	if (peer->out.len)
		watch(net, peer, true);
	else if (peer->out.capacity > INPUT_MAX)
		buf_free(&peer->out);
}

static void flush_all(struct bench_net *net)
{
	while (net->dirty) {
		struct bench_peer *peer = net->dirty;

		net->dirty = peer->next_dirty;
		peer->dirty = false;
		flush(net, peer);
	}
}

/* Masks differ from frame to frame, as RFC 6455 wants, without a system call.
 */
static uint32_t next_mask(struct bench_net *net)
{
	net->mask ^= net->mask << 13;
	net->mask ^= net->mask >> 7;
	net->mask ^= net->mask << 17;
	return (uint32_t)net->mask;
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

void bench_net_send(struct bench_net *net, struct bench_peer *peer,
                    struct span text)
{
	uint32_t mask = next_mask(net);
	size_t head = text.len < 126 ? 2 : 4;
	char *to = buf_space(&peer->out, head + 4 + text.len);

	if (!to || text.len > UINT16_MAX || peer->state != PEER_OPEN)
		return;
	to[0] = (char)FINAL_TEXT;
	to[1] = (char)(0x80 | (head == 2 ? text.len : 126));
	if (head == 4) {
		to[2] = (char)(text.len >> 8);
		to[3] = (char)(text.len & 0xff);
	}
	memcpy(to + head, &mask, 4);
	xor_copy(to + head + 4, text.data, text.len, mask);
	buf_grew(&peer->out, head + 4 + text.len);
	touch(net, peer);
}

/* --- reading ------------------------------------------------------------- */
static void take_frame(struct bench_net *net, struct bench_peer *peer,
                       uint8_t first, struct span payload, uint64_t now_us)
{
	uint32_t mask = next_mask(net);

	switch (first) {
	case FINAL_TEXT:
		net->events->text(net->context, peer, payload, now_us);
		break;
	case FINAL_PING:
		websocket_write(&peer->out, WEBSOCKET_PONG, payload,
		                (const uint8_t *)&mask);
		touch(net, peer);
		break;
	case FINAL_CLOSE:
		lose(net, peer, "closed by the server");
		break;
	default:
		lose(net, peer, "an unexpected frame");
	}
}

/* The head's length and the payload's; 0 while the head is not whole. */
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

/* Takes whole frames; gives back how many bytes they were. */
static size_t take_frames(struct bench_net *net, struct bench_peer *peer,
                          struct span bytes, uint64_t now_us)
{
	size_t at = 0;

	while (peer->state == PEER_OPEN) {
		const uint8_t *frame = (const uint8_t *)bytes.data + at;
		uint64_t payload;
		size_t head = read_head(frame, bytes.len - at, &payload);

		if (!head || bytes.len - at - head < payload)
			break;
		at += head + (size_t)payload;
		take_frame(net, peer, frame[0],
		           span_make(frame + head, (size_t)payload), now_us);
	}
	return at;
}

static size_t take_answer(struct bench_net *net, struct bench_peer *peer,
                          struct span bytes, uint64_t now_us)
{
	unsigned http = 0;
	size_t head = 0;

	switch (upgrade_read(&peer->upgrade, bytes, &head, &http)) {
	case UPGRADE_MORE:
		return 0;
	case UPGRADE_OPEN:
		peer->state = PEER_OPEN;
		return head + take_frames(net, peer,
		                          span_make(bytes.data + head,
		                                    bytes.len - head),
		                          now_us);
	case UPGRADE_REFUSED:
		lose(net, peer, http == 401 ? "refused with 401" : "refused");
		return 0;
	case UPGRADE_BROKEN:
		break;
	}
	lose(net, peer, "a broken answer to the upgrade");
	return 0;
}

static size_t take_bytes(struct bench_net *net, struct bench_peer *peer,
                         struct span bytes, uint64_t now_us)
{
	if (peer->state == PEER_UPGRADING)
		return take_answer(net, peer, bytes, now_us);
	return take_frames(net, peer, bytes, now_us);
}

static void take_input(struct bench_net *net, struct bench_peer *peer,
                       size_t len)
{
	struct span bytes = span_make(net->input, len);
	uint64_t now_us = clock_mono_us();
	size_t taken;

	if (peer->partial.len) {
		buf_append(&peer->partial, bytes);
		if (buf_overflowed(&peer->partial)) {
			lose(net, peer, "a frame that is too long");
			return;
		}
		taken = take_bytes(net, peer, buf_span(&peer->partial), now_us);
		if (peer->state == PEER_LOST)
			return;
		buf_consume(&peer->partial, taken);
		if (!peer->partial.len)
			buf_free(&peer->partial);
		return;
	}
	taken = take_bytes(net, peer, bytes, now_us);
	if (peer->state != PEER_LOST)
		buf_append(&peer->partial,
		           span_make(bytes.data + taken, len - taken));
}

static void on_readable(struct bench_net *net, struct bench_peer *peer)
{
	ssize_t got = recv(peer->fd, net->input, FRAME_LONGEST / 2, 0);

	if (got > 0)
		take_input(net, peer, (size_t)got);
	else if (got == 0)
		lose(net, peer, "hung up by the server");
	else if (errno != EAGAIN && errno != EINTR)
		lose(net, peer, strerror(errno));
}

static void on_event(struct bench_net *net, struct bench_peer *peer,
                     uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP)) {
		on_readable(net, peer);
		return;
	}
	if (events & EPOLLOUT) {
		watch(net, peer, false);
		touch(net, peer);
	}
	if (events & EPOLLIN)
		on_readable(net, peer);
}

static void set_timer(struct bench_net *net, uint64_t until_us)
{
	struct itimerspec when = {
		.it_value = {(time_t)(until_us / 1000000),
	                     (long)(until_us % 1000000) * 1000},
	};

	if (until_us == net->timer_us)
		return;
	net->timer_us = until_us;
	(void)timerfd_settime(net->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void bench_net_turn(struct bench_net *net, uint64_t until_us)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t rings;
	int count;

	flush_all(net);
	set_timer(net, until_us);
	count = epoll_wait(net->epoll, events, EVENTS_MAX, -1);
	for (int i = 0; i < count; i++) {
		struct bench_peer *peer = events[i].data.ptr;

		if (!peer) {
			(void)!read(net->timer, &rings, sizeof(rings));
			net->timer_us = 0;
		} else if (peer->state != PEER_LOST) {
			on_event(net, peer, events[i].events);
		}
	}
	flush_all(net);
	if (net->nap_us)
		usleep(net->nap_us);
}

void bench_net_nap(struct bench_net *net, unsigned nap_us)
{
	net->nap_us = nap_us;
}
