#include "persistence-service/save/tests/late_broker.h"

#include "tests/support/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* fds[0] ends the thread, fds[1] accepts; then pairs: a client, the broker. */
enum { FIRST = 2, FDS_MAX = FIRST + 2 * 16 };

static uint16_t port;
static struct sockaddr_in broker;
static struct pollfd fds[FDS_MAX];
static unsigned count;
static int stop_fd = -1;
static pthread_t thread;

const char *late_broker_address(void)
{
	static char address[32];

	port = free_port();
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	return address;
}

static void add(int fd)
{
	fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void accept_one(int listener)
{
	int client = accept(listener, NULL, NULL);
	int server = socket(AF_INET, SOCK_STREAM, 0);

	if (client < 0 || server < 0 || count + 2 > FDS_MAX ||
	    connect(server, (struct sockaddr *)&broker, sizeof(broker)) < 0)
		abort();
	add(client);
	add(server);
}

/* Either end closes both; their places stay. */
static void pass_on(unsigned at)
{
	unsigned other = FIRST + ((at - FIRST) ^ 1);
	char bytes[65536];
	ssize_t len = read(fds[at].fd, bytes, sizeof(bytes));

	if (len > 0 &&
	    send(fds[other].fd, bytes, (size_t)len, MSG_NOSIGNAL) == len)
		return;
	(void)close(fds[at].fd);
	(void)close(fds[other].fd);
	fds[at].fd = fds[other].fd = -1;
}

static void *relay(void *context)
{
	(void)context;
	while (poll(fds, count, -1) > 0 && !fds[0].revents) {
		unsigned polled = count;

		if (fds[1].revents)
			accept_one(fds[1].fd);
		for (unsigned i = FIRST; i < polled; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				pass_on(i);
	}
	for (unsigned i = 0; i < count; i++)
		if (fds[i].fd >= 0)
			(void)close(fds[i].fd);
	return NULL;
}

void late_broker_open(const char *address)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	                         .sin_port = htons(port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const char *colon = strrchr(address, ':');
	int listener = socket(AF_INET, SOCK_STREAM, 0), ends[2];
	char host[64];

	assert_non_null(colon);
	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address),
	               address);
	broker = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
	assert_int_equal(inet_pton(AF_INET, host, &broker.sin_addr), 1);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(pipe(ends), 0);
	count = 0;
	add(ends[0]);
	add(listener);
	stop_fd = ends[1];
	assert_int_equal(pthread_create(&thread, NULL, relay, NULL), 0);
}

void late_broker_close(void)
{
	if (stop_fd < 0)
		return;
	(void)close(stop_fd);
	stop_fd = -1;
	(void)pthread_join(thread, NULL);
}
