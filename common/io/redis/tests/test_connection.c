/*
 * A Redis that misbehaves, in each way: what the client says of it, and that it
 * works again by itself. A fake Redis on the loop of the test plays all of them
 * at the same time.
 */
#include "common/base/mem.h"
#include "common/base/scope.h"
#include "common/io/redis/loop.h"
#include "common/io/redis/redis.h"
#include "tests/support/name_server.h"
#include "tests/support/test_loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>
#include <utlist.h>
#include <uv.h>

enum { READ_MAX = 64 * 1024, WHY_MAX = 256, BIG = 4 * 1024 * 1024 };

#define OK     "+OK\r\n"
#define PONG   "+PONG\r\n"
#define ADDED  ":1\r\n"
#define NOAUTH "-NOAUTH Authentication required.\r\n"

/* After PING, which comes first. */
static const struct redis_check checks[] = {
	{{"ZADD", "presence:0", "1", "check"}, REDIS_KIND(REDIS_NUMBER)},
};

struct fault {
	const char *name;
	const char *ping, *zadd, *auth; /* the replies; NULL: none */
	bool closes;                    /* after the first reply */
	bool refuses;                   /* nothing listens */
	bool big;                       /* the reply has no end */
	size_t get_len;                 /* of the reply to GET; 0: none */
	const char *why;                /* a part of the reason */
};

static const struct fault faults[] = {
	{"refused", .refuses = true, .why = "Connection refused"},
	{"hangs", .why = "no answer"},
	{"hangs after a reply", .ping = PONG, .why = "no answer"},
	{"out of memory", .auth = OK, .ping = PONG,
         .zadd = "-OOM command not allowed\r\n",
         .why = "OOM command not allowed"},
	{"cannot save", .auth = OK,
         .ping = "-MISCONF Redis is configured to save\r\n",
         .zadd = "-MISCONF Redis is configured to save\r\n", .why = "MISCONF"},
	{"no permission", .auth = OK, .ping = PONG,
         .zadd = "-NOPERM this user has no permissions\r\n", .why = "NOPERM"},
	{"loading", .auth = OK, .ping = "-LOADING Redis is loading\r\n",
         .zadd = "-LOADING Redis is loading\r\n", .why = "LOADING"},
	{"a replica", .auth = OK, .ping = PONG,
         .zadd = "-READONLY You can't write\r\n", .why = "READONLY"},
	{"of a cluster", .auth = OK, .ping = PONG,
         .zadd = "-MOVED 7 10.0.0.1:6379\r\n", .why = "MOVED"},
	{"wrong password", .auth = "-WRONGPASS invalid pair\r\n",
         .ping = NOAUTH, .zadd = NOAUTH, .why = "WRONGPASS"},
	{"too many clients", .auth = "-ERR max number of clients\r\n",
         .closes = true, .why = "max number of clients"},
	{"closes", .auth = OK, .closes = true, .why = "closed"},
	{"not a Redis", .auth = "HTTP/1.1 400 Bad Request\r\n\r\n",
         .why = "Protocol error"},
	{"another kind of reply", .auth = OK, .ping = PONG, .zadd = OK,
         .why = "not the reply of a Redis"},
	{"never ends", .big = true, .why = "too long"},
};

enum { HANGS = 1, IS_REPLICA = 7 };

/* --- a fake Redis -------------------------------------------------------- */

struct server {
	uv_tcp_t tcp;              /* first: its address is the server */
	const struct fault *fault; /* NULL: none */
	bool listening;
	struct peer *peers;
};

struct peer {
	uv_tcp_t tcp; /* first: its address is the peer */
	struct server *server;
	struct peer *prev, *next;
	char in[READ_MAX];
};

/* The handles of a server close after its test. */
static struct server only, old_host, new_host;
static char big_reply[BIG];

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void close_peer(struct peer *peer)
{
	if (uv_is_closing((uv_handle_t *)&peer->tcp))
		return;
	DL_DELETE(peer->server->peers, peer);
	uv_close((uv_handle_t *)&peer->tcp, free_handle);
}

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	free(write);
}

static void put(struct peer *peer, const char *bytes, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)len);

	if (!uv_is_closing((uv_handle_t *)&peer->tcp))
		(void)uv_write(mem_new(sizeof(uv_write_t)),
		               (uv_stream_t *)&peer->tcp, &buf, 1, on_written);
}

static void reply(struct peer *peer, const char *text)
{
	if (text)
		put(peer, text, strlen(text));
}

static void reply_long(struct peer *peer, size_t len)
{
	char head[32];

	(void)snprintf(head, sizeof(head), "$%zu\r\n", len);
	reply(peer, head);
	put(peer, big_reply, len);
	reply(peer, "\r\n");
}

static void on_command(struct peer *peer, const char *command)
{
	static const struct fault none = {
		.ping = PONG, .zadd = ADDED, .auth = OK};
	const struct fault *fault =
		peer->server->fault ? peer->server->fault : &none;

	if (fault->big) {
		put(peer, big_reply, sizeof(big_reply));
		return;
	}
	if (!strncmp(command, "AUTH", 4))
		reply(peer, fault->auth);
	else if (!strncmp(command, "PING", 4))
		reply(peer, fault->ping);
	else if (!strncmp(command, "ZADD", 4))
		reply(peer, fault->zadd);
	else if (!strncmp(command, "GET", 3) && fault->get_len)
		reply_long(peer, fault->get_len);
}

/* The client's commands arrive whole. */
static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct peer *peer = (struct peer *)stream;
	const struct fault *fault = peer->server->fault;

	if (count < 0) {
		close_peer(peer);
		return;
	}
	buf->base[count] = '\0';
	for (const char *at = buf->base; (at = strchr(at, '$')); at++)
		on_command(peer, strchr(at, '\n') + 1);
	if (fault && fault->closes)
		close_peer(peer);
}

static void give_room(uv_handle_t *handle, size_t wanted, uv_buf_t *ret_buf)
{
	struct peer *peer = (struct peer *)handle;

	(void)wanted;
	*ret_buf = uv_buf_init(peer->in, sizeof(peer->in) - 1);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct server *server = (struct server *)stream;
	struct peer *peer = mem_new(sizeof(*peer));

	assert_int_equal(status, 0);
	peer->server = server;
	DL_APPEND(server->peers, peer);
	(void)uv_tcp_init(test_loop, &peer->tcp);
	assert_int_equal(uv_accept(stream, (uv_stream_t *)&peer->tcp), 0);
	(void)uv_read_start((uv_stream_t *)&peer->tcp, give_room, on_read);
}

/* Port 0: a free one. Returns the port. */
static uint16_t server_listen(struct server *server, const char *address,
                              uint16_t port)
{
	struct sockaddr_in at;
	int len = sizeof(at);

	(void)uv_tcp_init(test_loop, &server->tcp);
	(void)uv_ip4_addr(address, port, &at);
	assert_int_equal(uv_tcp_bind(&server->tcp, (struct sockaddr *)&at, 0),
	                 0);
	assert_int_equal(
		uv_listen((uv_stream_t *)&server->tcp, 16, on_connection), 0);
	(void)uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&at, &len);
	server->listening = true;
	return ntohs(at.sin_port);
}

static void server_drop_peers(struct server *server)
{
	while (server->peers)
		close_peer(server->peers);
}

static void server_close(struct server *server)
{
	server_drop_peers(server);
	if (server->listening)
		uv_close((uv_handle_t *)&server->tcp, NULL);
	server->listening = false;
}

/* --- the client ---------------------------------------------------------- */

struct client {
	struct redis *redis;
	bool up;
	unsigned reports;
	unsigned ups;        /* reports of up, since its server broke */
	unsigned refusals;   /* reports of a refused connection */
	unsigned unanswered; /* GET commands that got REDIS_NO_REPLY */
	char why[WHY_MAX];
};

static void on_change(void *context, bool up, const char *why)
{
	struct client *client = context;

	assert_int_equal(up, !why);
	/* Each report says something new. */
	assert_true(!client->reports || up != client->up ||
	            strcmp(why ? why : "", client->why) != 0);
	client->up = up;
	client->reports++;
	client->ups += up;
	client->refusals += why && strstr(why, "refused");
	(void)snprintf(client->why, sizeof(client->why), "%s", why ? why : "");
}

static void client_start(struct client *client, const char *host, uint16_t port)
{
	client->redis = redis_create(test_loop, &(struct redis_options){
							.host = host,
							.port = port,
							.password = "secret",
							.pending_max = 10,
							.checks = checks,
							.check_count = 1,
							.check_ms = 100,
							.changed = on_change,
							.context = client,
						});
}

static void on_reply(void *context, uint64_t tag,
                     const struct redis_reply *answer)
{
	struct client *client = context;

	assert_int_equal(tag, 7);
	assert_int_equal(answer->kind, REDIS_NO_REPLY);
	client->unanswered++;
	/* A caller may go on at once; nothing can be sent now. */
	assert_false(redis_command(client->redis,
	                           (const struct span[]){SPAN("GET")}, 1, NULL,
	                           NULL, 0));
}

static bool client_get(struct client *client)
{
	const struct span words[] = {SPAN("GET"), SPAN("key")};

	return redis_command(client->redis, words, 2, on_reply, client, 7);
}

/* --- tests --------------------------------------------------------------- */

static struct server servers[ARRAY_LEN(faults)];
static struct client clients[ARRAY_LEN(faults)];
static uint16_t ports[ARRAY_LEN(faults)];
/* Keeps the port of a server that refuses: no other process may listen there.
 */
static int reserved = -1;

static bool all_say_why(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
		if (clients[i].up || !strstr(clients[i].why, faults[i].why))
			return false;
	}
	return true;
}

static bool all_are_up(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
		if (!clients[i].up)
			return false;
	}
	return true;
}

static int reserve(uint16_t port)
{
	struct sockaddr_in at;
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)uv_ip4_addr("127.0.0.1", port, &at);
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void break_server(unsigned i)
{
	servers[i].fault = &faults[i];
	if (!faults[i].refuses)
		return;
	server_close(&servers[i]);
	reserved = reserve(ports[i]);
}

static void mend_server(unsigned i)
{
	servers[i].fault = NULL;
	if (servers[i].listening)
		return;
	(void)server_listen(&servers[i], "127.0.0.1", ports[i]);
	(void)close(reserved);
}

static void wait_for_reasons(void)
{
	while (!all_say_why())
		if (!test_loop_turn())
			break;
	for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
		if (clients[i].up || !strstr(clients[i].why, faults[i].why))
			fail_msg("%s: %s", faults[i].name, clients[i].why);
	}
}

/* At the start, and later. */
static void each_fault_is_named_and_it_works_again_when_mended(void **state)
{
	(void)state;
	memset(big_reply, 'x', sizeof(big_reply));
	memcpy(big_reply, "$99999999\r\n", 11);
	for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
		ports[i] = server_listen(&servers[i], "127.0.0.1", 0);
		break_server(i);
		client_start(&clients[i], "127.0.0.1", ports[i]);
	}
	wait_for_reasons();
	for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
		assert_false(client_get(&clients[i]));
		assert_int_equal(clients[i].ups, 0);
		mend_server(i);
	}
	turn_until(all_are_up());
	for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
		break_server(i);
		clients[i].ups = 0;
	}
	wait_for_reasons();
	for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
		assert_int_equal(clients[i].ups, 0);
		mend_server(i);
	}
	turn_until(all_are_up());
	for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
		redis_destroy(&clients[i].redis);
		server_close(&servers[i]);
	}
}

static void the_pending_commands_of_a_lost_connection_end(void **state)
{
	struct client client = {0};

	(void)state;
	client_start(&client, "127.0.0.1",
	             server_listen(&only, "127.0.0.1", 0));
	for (unsigned hang = 0; hang < 2; hang++) {
		turn_until(client.up);
		assert_true(client_get(&client));
		assert_true(client_get(&client));
		only.fault = hang ? &faults[HANGS] : NULL;
		if (!hang)
			server_drop_peers(&only);
		turn_until(client.unanswered == 2);
		client.unanswered = 0;
		client.up = false;
		only.fault = NULL;
	}
	redis_destroy(&client.redis);
	server_close(&only);
}

struct long_reply {
	bool ended;
	enum redis_kind kind;
	size_t len;
};

static void on_long_reply(void *context, uint64_t tag,
                          const struct redis_reply *answer)
{
	struct long_reply *got = context;

	(void)tag;
	*got = (struct long_reply){true, answer->kind, answer->text.len};
}

/* It is read in pieces of 16 KiB: the bound is exact to a piece or two. */
static void a_reply_over_the_bound_closes_the_connection(void **state)
{
	static const struct {
		size_t len;
		bool arrives;
	} rows[] = {
		{1, true},
		{REDIS_LOOP_REPLY_MAX - 32768, true},
		{REDIS_LOOP_REPLY_MAX + 32768, false},
		{REDIS_LOOP_REPLY_MAX / 2, true},
		{BIG, false},
		{1, true},
	};
	const struct span words[] = {SPAN("GET"), SPAN("key")};
	struct fault long_get = {.ping = PONG, .zadd = ADDED, .auth = OK};
	struct client client = {0};

	(void)state;
	memset(big_reply, 'x', sizeof(big_reply));
	only.fault = &long_get;
	client_start(&client, "127.0.0.1",
	             server_listen(&only, "127.0.0.1", 0));
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct long_reply got = {0};
		const struct peer *peer;

		turn_until(client.up);
		peer = only.peers;
		long_get.get_len = rows[i].len;
		assert_true(redis_command(client.redis, words, 2, on_long_reply,
		                          &got, 7));
		turn_until(got.ended);
		assert_int_equal(got.kind,
		                 rows[i].arrives ? REDIS_TEXT : REDIS_NO_REPLY);
		if (rows[i].arrives) {
			assert_int_equal(got.len, rows[i].len);
			assert_ptr_equal(only.peers, peer);
			continue;
		}
		turn_until(only.peers != peer);
		assert_non_null(strstr(client.why, "too long"));
		turn_until(client.up);
	}
	redis_destroy(&client.redis);
	server_close(&only);
	only.fault = NULL;
}

static void a_slow_name_server_does_not_stop_the_loop(void **state)
{
	struct client client = {0};
	uint16_t port = server_listen(&only, "127.0.0.1", 0);

	(void)state;
	name_server_hangs();
	client_start(&client, "redis.test", port);
	turn_until(strstr(client.why, "redis.test is not resolved yet"));
	test_loop_beats = 0;
	turn_until(test_loop_beats > 10);
	name_server_says(NULL, NULL);
	turn_until(strstr(client.why, "redis.test cannot be resolved: Temp"));
	name_server_says("127.0.0.1", NULL);
	turn_until(client.up);
	/* The address that it knows serves while no name server answers. */
	name_server_hangs();
	server_drop_peers(&only);
	turn_until(!client.up);
	turn_until(client.up);
	/* Nothing waits for the look-up that is under way. */
	redis_destroy(&client.redis);
	server_close(&only);
	name_server_says(NULL, NULL);
}

static void each_address_is_tried_and_a_changed_one_is_found(void **state)
{
	struct client client = {0};
	uint16_t port = server_listen(&old_host, "127.0.0.2", 0);

	(void)state;
	name_server_says("127.0.0.3", "127.0.0.2");
	client_start(&client, "redis.test", port);
	turn_until(client.up);
	/* The first address refuses; there is no need to tell. */
	assert_int_equal(client.refusals, 0);
	name_server_says("127.0.0.4", NULL);
	(void)server_listen(&new_host, "127.0.0.4", port);
	server_close(&old_host);
	turn_until(!client.up);
	turn_until(client.up && new_host.peers);
	/* So does the client of a Redis that became a replica. */
	name_server_says("127.0.0.2", NULL);
	(void)server_listen(&old_host, "127.0.0.2", port);
	new_host.fault = &faults[IS_REPLICA];
	turn_until(strstr(client.why, "READONLY"));
	turn_until(client.up && old_host.peers);
	redis_destroy(&client.redis);
	server_close(&old_host);
	server_close(&new_host);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, test_loop_start, test_loop_stop)
	const struct CMUnitTest tests[] = {
		TEST(each_fault_is_named_and_it_works_again_when_mended),
		TEST(the_pending_commands_of_a_lost_connection_end),
		TEST(a_reply_over_the_bound_closes_the_connection),
		TEST(a_slow_name_server_does_not_stop_the_loop),
		TEST(each_address_is_tried_and_a_changed_one_is_found),
	};
#undef TEST

	/* As every service does: a client writes to a fake that has closed. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
