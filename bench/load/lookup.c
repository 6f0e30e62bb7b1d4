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
	char *request; /* the same each time */
	size_t request_len;
	uint64_t sent_us;
	size_t len;
	char answer[ANSWER_MAX];
};

struct lookup {
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

static bool ask(struct lookup_connection *connection)
{
	connection->len = 0;
	connection->sent_us = clock_mono_us();
	return send(connection->fd, connection->request,
	            connection->request_len,
	            MSG_NOSIGNAL) == (ssize_t)connection->request_len;
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
	if (now_us >= lookup->from_us && now_us < lookup->until_us) {
		lookup->answered++;
		histogram_add(&lookup->times, now_us - connection->sent_us);
	}
	return ask(connection);
}

static bool start(struct lookup *lookup, const struct address *address,
                  const struct user_tokens *users)
{
	for (unsigned i = 0; i < lookup->count; i++) {
		struct lookup_connection *connection = &lookup->connections[i];
		struct epoll_event event = {.events = EPOLLIN,
		                            .data.ptr = connection};
		struct buf request CLEANUP(buf_free) = BUF(REQUEST_MAX);

		buf_format(&request,
		           "GET /auth/getIdByToken HTTP/1.1\r\nHost: %s\r\n"
		           "Authorization: Bearer %s\r\n\r\n",
		           address->authority,
		           users->users[i % users->count].token);
		connection->request = mem_text(request.data, request.len);
		connection->request_len = request.len;
		connection->fd = open_socket(address);
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
	struct buf text CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "mode", SPAN("lookup"));
	json_number(&w, "connections", lookup->count);
	json_number(&w, "seconds", seconds);
	json_double(&w, "lookups_per_s",
	            (double)lookup->answered / (double)seconds);
	json_number(&w, "p50_us", histogram_at(&lookup->times, 50));
	json_number(&w, "p99_us", histogram_at(&lookup->times, 99));
	json_number(&w, "answered", lookup->answered);
	json_number(&w, "errors", lookup->errors);
	json_close(&w);
	(void)puts(buf_text(&text));
}

int lookup_run(const struct load_options *options)
{
	static struct lookup lookup;
	struct user_tokens users;
	struct address address;
	bool ran;

	if (!address_parse(options->url, &address) ||
	    user_tokens_read(options->tokens, 1, &users) != ST_OK)
		return EXIT_USAGE;
	lookup.count = (unsigned)options->connections;
	lookup.connections =
		mem_new(lookup.count * sizeof(*lookup.connections));
	lookup.epoll = epoll_create1(EPOLL_CLOEXEC);
	lookup.from_us = clock_mono_us() + options->warm_up_s * SECOND_US;
	lookup.until_us = lookup.from_us + options->seconds * SECOND_US;
	ran = start(&lookup, &address, &users) && run(&lookup);
	report(&lookup, options->seconds);
	for (unsigned i = 0; i < lookup.count; i++) {
		if (lookup.connections[i].fd > 0)
			close(lookup.connections[i].fd);
		mem_free(&lookup.connections[i].request);
	}
	close(lookup.epoll);
	mem_free(&lookup.connections);
	user_tokens_free(&users);
	return ran && !lookup.errors ? EXIT_DONE : EXIT_FAILED;
}
