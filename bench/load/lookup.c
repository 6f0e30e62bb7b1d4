#define _GNU_SOURCE /* strcasestr */
#include "bench/load/lookup.h"
#include "bench/load/user_tokens.h"
#include "client-test/cli/command.h"
#include "client-test/cli/histogram.h"
#include "client-test/client/address.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	SECOND_US = 1000000,
	ANSWER_MAX = 16384,
	REQUEST_MAX = 16384,
	EVENTS_MAX = 64
};

struct lookup_connection {
	int fd;
	struct buf request;
	uint64_t sent_us;
	size_t len;
	char answer[ANSWER_MAX];
};

struct lookup {
	const struct address *address;
	bool refreshes;
	int epoll;
	struct lookup_connection *connections;
	unsigned count;
	uint64_t from_us, until_us;
	uint64_t answered, errors;
	struct histogram times;
};

static int open_socket(const struct address *address)
{
	const struct addrinfo hints = {.ai_family = AF_INET,
	                               .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	int one = 1;
	int fd;

	if (getaddrinfo(address->host, address->port, &hints, &found))
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen)) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
		                 sizeof(one));
	return fd;
}

static void write_request(const struct lookup *lookup,
                          struct lookup_connection *connection,
                          struct span token)
{
	static const char body[] = "{\"refresh_token\":\"\"}";
	struct buf *request = &connection->request;

	buf_clear(request);
	if (lookup->refreshes)
		buf_format(request,
		           "POST /auth/refresh HTTP/1.1\r\nHost: %s\r\n"
		           "Content-Type: application/json\r\n"
		           "Content-Length: %zu\r\n\r\n"
		           "{\"refresh_token\":\"%.*s\"}",
		           lookup->address->authority,
		           sizeof(body) - 1 + token.len, (int)token.len,
		           token.data);
	else
		buf_format(request,
		           "GET /auth/getIdByToken HTTP/1.1\r\nHost: %s\r\n"
		           "Authorization: Bearer %.*s\r\n\r\n",
		           lookup->address->authority, (int)token.len,
		           token.data);
}

/* The refresh token of an answer; empty when it has none. */
static struct span next_token(const struct lookup_connection *connection)
{
	static const char name[] = "\"refresh_token\":\"";
	const char *at = strstr(connection->answer, name);

	return at ? span_make(at + sizeof(name) - 1,
	                      strcspn(at + sizeof(name) - 1, "\""))
	          : SPAN_NONE;
}

static bool ask(struct lookup_connection *connection)
{
	struct span request = buf_span(&connection->request);

	connection->len = 0;
	connection->sent_us = clock_mono_us();
	return send(connection->fd, request.data, request.len, MSG_NOSIGNAL) ==
	       (ssize_t)request.len;
}

/* The length of a complete answer; 0 while it is incomplete. */
static size_t answer_len(const struct lookup_connection *connection)
{
	static const char name[] = "\r\ncontent-length:";
	const char *end = strstr(connection->answer, "\r\n\r\n");
	const char *length = strcasestr(connection->answer, name);
	size_t head, body;

	if (!end || !length || length > end)
		return 0;
	head = (size_t)(end + 4 - connection->answer);
	body = strtoul(length + sizeof(name) - 1, NULL, 10);
	return connection->len >= head + body ? head + body : 0;
}

/* False if the connection failed. */
static bool take_answer(struct lookup *lookup,
                        struct lookup_connection *connection)
{
	ssize_t got = recv(connection->fd, connection->answer + connection->len,
	                   sizeof(connection->answer) - 1 - connection->len,
	                   MSG_DONTWAIT);
	uint64_t now_us = clock_mono_us();

	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	connection->len += (size_t)got;
	connection->answer[connection->len] = '\0';
	if (!answer_len(connection))
		return connection->len < ANSWER_MAX - 1;
	if (strncmp(connection->answer, "HTTP/1.1 200 ", 13) != 0)
		lookup->errors++;
	else if (lookup->refreshes)
		write_request(lookup, connection, next_token(connection));
	if (now_us >= lookup->from_us && now_us < lookup->until_us) {
		lookup->answered++;
		histogram_add(&lookup->times, now_us - connection->sent_us);
	}
	return ask(connection);
}

static bool start(struct lookup *lookup, const struct user_tokens *users)
{
	for (unsigned i = 0; i < lookup->count; i++) {
		struct lookup_connection *connection = &lookup->connections[i];
		struct epoll_event event = {.events = EPOLLIN,
		                            .data.ptr = connection};

		connection->request = BUF(REQUEST_MAX);
		write_request(lookup, connection,
		              span_of(users->users[i % users->count].token));
		connection->fd = open_socket(lookup->address);
		if (connection->fd < 0 ||
		    epoll_ctl(lookup->epoll, EPOLL_CTL_ADD, connection->fd,
		              &event)) {
			perror("connecting");
			return false;
		}
	}
	for (unsigned i = 0; i < lookup->count; i++) {
		if (!ask(&lookup->connections[i]))
			return false;
	}
	return true;
}

static bool run(struct lookup *lookup)
{
	while (clock_mono_us() < lookup->until_us) {
		struct epoll_event events[EVENTS_MAX];
		int count = epoll_wait(lookup->epoll, events, EVENTS_MAX, 100);

		for (int i = 0; i < count; i++) {
			if (!take_answer(lookup, events[i].data.ptr)) {
				(void)fprintf(stderr, "a connection ended\n");
				return false;
			}
		}
	}
	return true;
}

static void report(const struct lookup *lookup, uint64_t seconds)
{
	const char *mode = lookup->refreshes ? "refresh" : "lookup";
	const char *rate =
		lookup->refreshes ? "refreshes_per_s" : "lookups_per_s";

	struct buf text CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "mode", span_of(mode));
	json_number(&w, "connections", lookup->count);
	json_number(&w, "seconds", seconds);
	json_double(&w, rate, (double)lookup->answered / (double)seconds);
	json_number(&w, "p50_us", histogram_at(&lookup->times, 50));
	json_number(&w, "p99_us", histogram_at(&lookup->times, 99));
	json_number(&w, "answered", lookup->answered);
	json_number(&w, "errors", lookup->errors);
	json_close(&w);
	(void)puts(buf_text(&text));
}

static int run_requests(const struct load_options *options, bool refreshes)
{
	static struct lookup lookup;
	struct user_tokens users;
	struct address address;
	bool ran;

	if (!address_parse(options->url, &address) ||
	    user_tokens_read(options->tokens,
	                     refreshes ? (unsigned)options->connections : 1,
	                     &users) != ST_OK)
		return EXIT_USAGE;
	lookup.address = &address;
	lookup.refreshes = refreshes;
	lookup.count = (unsigned)options->connections;
	lookup.connections =
		mem_new(lookup.count * sizeof(*lookup.connections));
	lookup.epoll = epoll_create1(EPOLL_CLOEXEC);
	lookup.from_us = clock_mono_us() + options->warm_up_s * SECOND_US;
	lookup.until_us = lookup.from_us + options->seconds * SECOND_US;
	ran = start(&lookup, &users) && run(&lookup);
	report(&lookup, options->seconds);
	for (unsigned i = 0; i < lookup.count; i++) {
		if (lookup.connections[i].fd > 0)
			close(lookup.connections[i].fd);
		buf_free(&lookup.connections[i].request);
	}
	close(lookup.epoll);
	mem_free(&lookup.connections);
	user_tokens_free(&users);
	return ran && !lookup.errors ? EXIT_DONE : EXIT_FAILED;
}

int lookup_run(const struct load_options *options)
{
	return run_requests(options, false);
}

int refresh_run(const struct load_options *options)
{
	return run_requests(options, true);
}
