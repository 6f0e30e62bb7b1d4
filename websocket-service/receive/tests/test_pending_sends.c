/*
 * How many messages may be under way at a gateway, with fake sockets, log
 * and Redis.
 */
#include "common/io/redis/redis.h"
#include "common/wire/frame.h"
#include "websocket-service/receive/error_frame.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/receive/save_records.h"
#include "websocket-service/socket/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { UNSETTLED_MAX = 256 };

/* --- a socket ------------------------------------------------------------ */
struct connection {
	unsigned unsettled;
	unsigned got; /* frames */
	unsigned refused;
	enum frame_code code;
};

static struct connection me;

struct connection *connections_find(const struct connections *connections,
                                    uint64_t id)
{
	(void)connections;
	assert_int_equal(id, 1);
	return &me;
}

uint64_t connection_id(const struct connection *connection)
{
	(void)connection;
	return 1;
}

uint64_t connection_user(const struct connection *connection)
{
	(void)connection;
	return 5;
}

unsigned *connection_unsettled(struct connection *connection)
{
	return &connection->unsettled;
}

void connection_send(struct connection *connection, struct span text)
{
	assert_true(text.len > 0);
	connection->got++;
}

void error_frame_send_state(struct connection *connection,
                            const struct uuid *uuid, enum frame_code code,
                            const char *detail)
{
	assert_non_null(uuid);
	assert_non_null(detail);
	connection->refused++;
	connection->code = code;
}

/* --- the log and Redis ---------------------------------------------------- */
static uint64_t newest; /* number of the send that was produced last */
static unsigned produced;

enum status save_records_produce(struct save_records *records,
                                 struct save_record *record, struct span origin,
                                 uint64_t tag)
{
	(void)records;
	(void)record;
	assert_true(origin.len > 0);
	assert_int_equal(save_records_owner(tag), SAVE_RECORDS_OF_SENDS);
	newest = save_records_number(tag);
	produced++;
	return ST_OK;
}

bool redis_set(struct redis *redis, struct span key, struct span value,
               unsigned ttl_s, enum redis_when when, redis_set_done *done,
               void *context, uint64_t tag)
{
	(void)redis;
	(void)key;
	(void)value;
	(void)ttl_s;
	(void)when;
	(void)done;
	(void)context;
	(void)tag;
	return false;
}

/* --- the module under test ------------------------------------------------ */
static struct pending_sends *sends;

static int start(void **state)
{
	(void)state;
	me = (struct connection){0};
	newest = produced = 0;
	sends = pending_sends_create(&(struct pending_sends_options){
		.gateway = 7,
		.unsettled_max = UNSETTLED_MAX,
		.accepted_ms = 1,
	});
	return 0;
}

static int stop(void **state)
{
	(void)state;
	pending_sends_destroy(&sends);
	return sends != NULL;
}

static void send(void)
{
	const struct client_frame frame = {
		.kind = CLIENT_MESSAGE, .user_to = 2, .message = SPAN("hi")};

	/* Since the start of the machine: `accepted` is due. */
	pending_sends_begin(sends, &me, &frame, 0);
}

/* --- tests --------------------------------------------------------------- */
static void a_socket_has_a_bound_of_sends(void **state)
{
	(void)state;
	for (unsigned i = 0; i < UNSETTLED_MAX; i++)
		send();
	assert_int_equal(me.refused, 0);
	send();
	assert_int_equal(me.refused, 1);
	assert_int_equal(me.code, FRAME_TOO_MANY_UNSETTLED);
	assert_int_equal(produced, UNSETTLED_MAX);
}

static void all_sockets_have_a_bound_of_sends(void **state)
{
	uint64_t first;

	(void)state;
	send();
	first = newest;
	for (unsigned i = 1; i < PENDING_SENDS_MAX; i++) {
		me.unsettled = 0; /* as if these were other sockets */
		send();
	}
	assert_int_equal(me.refused, 0);
	me.unsettled = 1;
	send();
	assert_int_equal(me.refused, 1);
	assert_int_equal(me.code, FRAME_UNAVAILABLE);
	assert_int_equal(me.unsettled, 1);
	assert_int_equal(produced, PENDING_SENDS_MAX);
	/* One that has its `accepted` makes room. */
	pending_sends_acknowledged(sends, first, ST_OK);
	assert_int_equal(me.got, 1);
	assert_int_equal(me.unsettled, 0);
	send();
	assert_int_equal(produced, PENDING_SENDS_MAX + 1);
	send();
	assert_int_equal(me.refused, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(a_socket_has_a_bound_of_sends),
		TEST(all_sockets_have_a_bound_of_sends),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
