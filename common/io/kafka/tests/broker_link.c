#define _DEFAULT_SOURCE  /* syscall(); _GNU_SOURCE declares connect() otherwise \
                          */
#include "common/io/kafka/tests/broker_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	/* Before the pairs: the orders of the test, and the listener. */
	FIRST = 2,
	FDS_MAX = FIRST + 2 * 256,
	LIST_OFFSETS = 2, /* Kafka's number of the request */
};

/* An order of the test; the relay answers it with its state. */
struct order {
	bool set;
	enum link_state state;
};

struct answer {
	enum link_state state;
	bool holds; /* bytes wait in the relay */
	unsigned opened;
};

static struct pollfd fds[FDS_MAX]; /* pairs: a client, the broker */
static unsigned count;
static struct answer now; /* of the relay's thread */
static struct sockaddr_in broker, relay;
static atomic_bool redirects;
static int orders = -1;
static pthread_t thread;

/*
 * In place of the C library's, also for librdkafka: the broker tells its
 * clients its own address, so no setting leads them to the relay.
 */
int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	if (atomic_load(&redirects) && len == sizeof(broker) &&
	    to->sa_family == AF_INET &&
	    ((const struct sockaddr_in *)to)->sin_port == broker.sin_port)
		to = (const struct sockaddr *)&relay;
	return (int)syscall(SYS_connect, fd, to, len);
}

static void add(int fd)
{
	if (count == FDS_MAX)
		abort();
	fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void close_pair(unsigned at)
{
	static const struct linger reset = {.l_onoff = 1};

	for (unsigned i = at & ~1U; i <= (at | 1U); i++) {
		if (fds[i].fd >= 0) {
			(void)setsockopt(fds[i].fd, SOL_SOCKET, SO_LINGER,
			                 &reset, sizeof(reset));
			(void)close(fds[i].fd);
		}
		fds[i].fd = -1;
	}
}

static void accept_one(void)
{
	int client = accept(fds[1].fd, NULL, NULL);
	int server = socket(AF_INET, SOCK_STREAM, 0);

	if (client < 0 || server < 0 ||
	    syscall(SYS_connect, server, &broker, sizeof(broker)) < 0)
		abort();
	now.opened++;
	add(client);
	add(server);
	if (now.state == LINK_CUT)
		close_pair(count - 1);
}

/* A client that waits for an answer sends one request at a time. */
static bool asks_for_an_end(unsigned at)
{
	unsigned char head[6]; /* the size, and the number of the request */

	return at % 2 == 0 &&
	       recv(fds[at].fd, head, sizeof(head), MSG_PEEK) == sizeof(head) &&
	       head[4] == 0 && head[5] == LIST_OFFSETS;
}

static void pass_on(unsigned at)
{
	char bytes[65536];
	ssize_t len;

	if (now.state == LINK_SILENT_AT_QUESTION && asks_for_an_end(at))
		now.state = LINK_SILENT;
	if (now.state == LINK_SILENT)
		return;
	len = read(fds[at].fd, bytes, sizeof(bytes));
	if (len <= 0 ||
	    send(fds[at ^ 1].fd, bytes, (size_t)len, MSG_NOSIGNAL) != len)
		close_pair(at);
}

/* False: the test has stopped the link. */
static bool obey(void)
{
	struct order order;

	if (recv(fds[0].fd, &order, sizeof(order), 0) != sizeof(order))
		return false;
	if (order.set)
		now.state = order.state;
	for (unsigned i = FIRST; now.state == LINK_CUT && i < count; i += 2)
		close_pair(i);
	now.holds = poll(fds + FIRST, count - FIRST, 0) > 0;
	return send(fds[0].fd, &now, sizeof(now), MSG_NOSIGNAL) == sizeof(now);
}

static void *pass(void *context)
{
	bool goes_on = true;

	(void)context;
	while (goes_on) {
		unsigned polled = now.state == LINK_SILENT ? FIRST : count;

		if (poll(fds, polled, -1) < 0)
			abort();
		for (unsigned i = FIRST; i < polled; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				pass_on(i);
		if (fds[1].revents)
			accept_one();
		if (fds[0].revents)
			goes_on = obey();
	}
	for (unsigned i = 0; i < count; i++)
		if (fds[i].fd >= 0)
			(void)close(fds[i].fd);
	return NULL;
}

void broker_link_start(const char *address)
{
	static const char host[] = "127.0.0.1:";
	socklen_t len = sizeof(relay);
	int listener = socket(AF_INET, SOCK_STREAM, 0), ends[2];

	assert_int_equal(strncmp(address, host, strlen(host)), 0);
	broker = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(
			(uint16_t)strtoul(address + strlen(host), NULL, 10))};
	relay = broker;
	relay.sin_port = 0;
	assert_int_equal(bind(listener, (struct sockaddr *)&relay, len), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&relay, &len),
	                 0);
	assert_int_equal(listen(listener, 64), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	count = 0;
	now = (struct answer){.state = LINK_WHOLE};
	add(ends[0]);
	add(listener);
	orders = ends[1];
	assert_int_equal(pthread_create(&thread, NULL, pass, NULL), 0);
	atomic_store(&redirects, true);
}

void broker_link_stop(void)
{
	if (orders < 0)
		return;
	atomic_store(&redirects, false);
	(void)close(orders);
	orders = -1;
	(void)pthread_join(thread, NULL);
}

static struct answer give(struct order order)
{
	struct answer answer;

	assert_int_equal(send(orders, &order, sizeof(order), MSG_NOSIGNAL),
	                 sizeof(order));
	assert_int_equal(recv(orders, &answer, sizeof(answer), 0),
	                 sizeof(answer));
	return answer;
}

void broker_link_set(enum link_state state)
{
	(void)give((struct order){.set = true, .state = state});
}

bool broker_link_holds_back(void)
{
	struct answer answer = give((struct order){0});

	return answer.state == LINK_SILENT && answer.holds;
}

unsigned broker_link_opened(void)
{
	return give((struct order){0}).opened;
}
