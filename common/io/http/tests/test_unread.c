/*
 * Answers that wait for clients that do not read: what they take, and what
 * becomes of them. The clock of the server moves when a test moves it.
 */
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/http/server.h"
#include "common/io/http/unread.h"
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
	LARGE = 512 * 1024,
	ALL_MAX = 4 * LARGE + 100, /* four large answers */
	USER_MAX = 2 * LARGE + 100,
	HANG_MS = 60000, /* a bound on hanging */
	RECEIVE_BUFFER = 4096,
	KERNEL_MAX = 2 * 64 * 1024, /* SEND_BUFFER in server.c, doubled */
};

static struct http_server *server;
static uint16_t port;
static atomic_uint_least64_t ahead_us;

uint64_t __real_clock_mono_us(void);
uint64_t __wrap_clock_mono_us(void);
uint64_t __wrap_clock_mono_us(void)
{
	return __real_clock_mono_us() + atomic_load(&ahead_us);
}

static void move_clock(uint64_t s)
{
	atomic_fetch_add(&ahead_us, s * 1000000);
}

/* --- the server ----------------------------------------------------------- */
/* GET /{bytes}/{user} */
static void answer_bytes(struct http_request *request, void *context)
{
	struct buf json CLEANUP(buf_free) = BUF(HTTP_ANSWER_MAX);
	uint64_t bytes, user;

	(void)context;
	assert_true(span_to_u64(http_argument(request, 0), HTTP_ANSWER_MAX,
	                        &bytes));
	assert_true(span_to_u64(http_argument(request, 1), 1000, &user));
	if (!http_admit_user(request, user))
		return;
	memset(buf_space(&json, bytes), 'x', bytes);
	buf_grew(&json, bytes);
	http_answer_json_buf(request, 200, &json);
	assert_null(json.data);
}

static const struct http_worker_pool_options pools[] = {
	{"answers", 2, 100, 0, 503, 1, NULL, NULL, NULL},
};
static const struct http_route routes[] = {
	{"GET", "/{}/{}", answer_bytes, 0, HTTP_NO_BODY},
};

static int start(void **state)
{
	struct http_server_options options = {
		.bind_address = "127.0.0.1",
		.routes = routes,
		.route_count = ARRAY_LEN(routes),
		.pools = pools,
		.pool_count = ARRAY_LEN(pools),
		.max_body = 100,
		.connection_max = 200,
		.idle_timeout_s = 120,
		.body_timeout_s = 120,
		.unread_max = ALL_MAX,
		.unread_user_max = USER_MAX,
	};

	(void)state;
	options.port = port = free_port();
	assert_int_equal(http_server_start(&options, &server), ST_OK);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_server_stop(&server);
	return 0;
}

/* --- clients -------------------------------------------------------------- */
struct reader {
	int fd;
	unsigned http;
	size_t body; /* its length, by Content-Length */
	size_t got;  /* bytes of the body */
};

static void read_some(struct reader *reader, size_t most, ssize_t *ret_got)
{
	static char bytes[65536];
	struct pollfd wait = {.fd = reader->fd, .events = POLLIN};

	if (most > sizeof(bytes))
		most = sizeof(bytes);
	assert_int_equal(poll(&wait, 1, HANG_MS), 1);
	*ret_got = recv(reader->fd, bytes, most, 0);
	if (*ret_got > 0)
		reader->got += (size_t)*ret_got;
}

/* Sends a request and reads the head of the answer, and no more. */
static struct reader ask(size_t bytes, unsigned user)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons(port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct reader reader = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
	int small = RECEIVE_BUFFER;
	char text[200], head[2000] = "";
	const char *length;
	size_t len = 0;

	assert_int_equal(setsockopt(reader.fd, SOL_SOCKET, SO_RCVBUF, &small,
	                            sizeof(small)),
	                 0);
	assert_int_equal(connect(reader.fd, (struct sockaddr *)&to, sizeof(to)),
	                 0);
	(void)snprintf(text, sizeof(text),
	               "GET /%zu/%u HTTP/1.1\r\nHost: x\r\n\r\n", bytes, user);
	assert_int_equal(send(reader.fd, text, strlen(text), MSG_NOSIGNAL),
	                 strlen(text));
	while (!strstr(head, "\r\n\r\n")) {
		struct pollfd wait = {.fd = reader.fd, .events = POLLIN};

		assert_int_equal(poll(&wait, 1, HANG_MS), 1);
		assert_int_equal(recv(reader.fd, &head[len], 1, 0), 1);
		head[++len] = '\0';
		assert_true(len + 1 < sizeof(head));
	}
	reader.http = (unsigned)strtoul(head + strlen("HTTP/1.1 "), NULL, 10);
	length = strstr(head, "Content-Length: ");
	assert_non_null(length);
	reader.body = strtoul(length + strlen("Content-Length: "), NULL, 10);
	if (reader.http == 503 || reader.http == 429)
		assert_non_null(strstr(head, "Retry-After: "));
	return reader;
}

/* True when all of the answer came; false when the connection was cut. */
static bool read_all(struct reader *reader)
{
	ssize_t got = 1;

	while (reader->got < reader->body && got > 0)
		read_some(reader, reader->body - reader->got, &got);
	(void)close(reader->fd);
	return reader->got == reader->body;
}

/* A healthy client. */
static unsigned fetch(size_t bytes, unsigned user)
{
	struct reader reader = ask(bytes, user);

	assert_true(read_all(&reader));
	return reader.http;
}

/* The server learns of a read answer a moment later. */
static void wait_for_bytes(size_t bytes)
{
	for (unsigned ms = 0; ms < HANG_MS; ms++) {
		if (http_server_unread(server).bytes == bytes)
			return;
		(void)usleep(1000);
	}
	fail_msg("%zu bytes wait", http_server_unread(server).bytes);
}

/* Bytes that the kernel has not sent, of connections to the server's port. */
static unsigned long unsent_in_kernel(void)
{
	FILE *table = fopen("/proc/net/tcp", "r");
	unsigned long most = 0;
	char line[512];

	assert_non_null(table);
	while (fgets(line, sizeof(line), table)) {
		unsigned long at, unsent;

		if (sscanf(line, " %*d: %*8X:%4lX %*8X:%*4X %*2X %8lX:", &at,
		           &unsent) == 2 &&
		    at == port && unsent > most)
			most = unsent;
	}
	(void)fclose(table);
	return most;
}

/* --- tests ---------------------------------------------------------------- */
static void an_answer_is_held_once_and_only_until_it_is_read(void **state)
{
	struct reader reader = ask(LARGE, 1);

	(void)state;
	assert_int_equal(reader.http, 200);
	assert_int_equal(http_server_unread(server).bytes, LARGE + 1);
	assert_true(read_all(&reader));
	wait_for_bytes(0);
	reader = ask(LARGE, 1);
	(void)close(reader.fd);
	wait_for_bytes(0);
}

static void the_kernel_holds_little_of_an_unread_answer(void **state)
{
	struct reader reader = ask(ALL_MAX - LARGE, 1);
	unsigned long unsent = 0;

	(void)state;
	assert_int_equal(reader.http, 200);
	/* It grows until the kernel takes no more. */
	for (unsigned ms = 0; ms < HANG_MS; ms++) {
		unsigned long before = unsent;

		(void)usleep(10000);
		unsent = unsent_in_kernel();
		if (unsent && unsent == before)
			break;
	}
	assert_in_range(unsent, 1, KERNEL_MAX);
	(void)close(reader.fd);
	wait_for_bytes(0);
}

static void a_user_with_too_many_unread_answers_is_refused(void **state)
{
	struct reader first = ask(LARGE, 1), second = ask(LARGE, 1);

	(void)state;
	assert_int_equal(second.http, 200);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fetch(LARGE, 1), 429);
	assert_int_equal(fetch(LARGE, 2), 200);
	/* A small answer still fits. */
	assert_int_equal(fetch(100, 1), 200);
	assert_true(read_all(&first));
	wait_for_bytes(LARGE + 1);
	assert_int_equal(fetch(LARGE, 1), 200);
	assert_true(read_all(&second));
	wait_for_bytes(0);
}

static void one_answer_may_exceed_the_bound_of_a_user(void **state)
{
	struct reader reader = ask(USER_MAX + LARGE, 1);

	(void)state;
	assert_int_equal(reader.http, 200);
	/* The next request is refused before its answer is made. */
	assert_int_equal(fetch(100, 1), 429);
	assert_int_equal(fetch(100, 2), 200);
	assert_true(read_all(&reader));
	wait_for_bytes(0);
	assert_int_equal(fetch(100, 1), 200);
}

static void old_answers_are_cut_for_new_ones(void **state)
{
	uint64_t cut = http_server_unread(server).cut;
	struct reader slow[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		slow[i] = ask(LARGE, 1 + i);
		assert_int_equal(slow[i].http, 200);
	}
	/* All are young. A small answer needs no room. */
	assert_int_equal(fetch(LARGE, 9), 503);
	assert_int_equal(fetch(HTTP_SMALL_ANSWER, 9), 200);
	move_clock(2);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fetch(LARGE, 9), 200);
	assert_int_equal(http_server_unread(server).cut, cut + 1);
	assert_false(read_all(&slow[0]));
	for (unsigned i = 1; i < 4; i++)
		assert_true(read_all(&slow[i]));
	wait_for_bytes(0);
}

static void many_slow_readers_stay_within_the_bound(void **state)
{
	struct reader slow[60];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(slow); i++) {
		move_clock(2);
		slow[i] = ask(LARGE, 1 + i);
		assert_int_equal(slow[i].http, 200);
		assert_true(http_server_unread(server).bytes <= ALL_MAX);
		assert_int_equal(fetch(100, 999), 200);
	}
	for (unsigned i = 0; i < ARRAY_LEN(slow); i++)
		(void)close(slow[i].fd);
	wait_for_bytes(0);
}

static void a_reader_below_the_least_rate_is_cut(void **state)
{
	struct reader reader = ask(LARGE, 1);
	ssize_t got = 1;

	(void)state;
	assert_int_equal(reader.http, 200);
	while (reader.got < LARGE / 4)
		read_some(&reader, 1000, &got);
	move_clock(UNREAD_GRACE_US / 1000000 + LARGE / UNREAD_BYTES_PER_S + 1);
	assert_false(read_all(&reader));
	assert_true(reader.got < LARGE);
	wait_for_bytes(0);
}

static void a_stopping_server_waits_for_no_slow_reader(void **state)
{
	struct reader reader = ask(LARGE, 1);

	assert_int_equal(reader.http, 200);
	assert_int_equal(stop(state), 0);
	assert_false(read_all(&reader));
	assert_int_equal(start(state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_answer_is_held_once_and_only_until_it_is_read),
		cmocka_unit_test(the_kernel_holds_little_of_an_unread_answer),
		cmocka_unit_test(
			a_user_with_too_many_unread_answers_is_refused),
		cmocka_unit_test(one_answer_may_exceed_the_bound_of_a_user),
		cmocka_unit_test(old_answers_are_cut_for_new_ones),
		cmocka_unit_test(many_slow_readers_stay_within_the_bound),
		cmocka_unit_test(a_reader_below_the_least_rate_is_cut),
		cmocka_unit_test(a_stopping_server_waits_for_no_slow_reader),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
