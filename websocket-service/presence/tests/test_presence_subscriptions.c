/*
 * Very many subscribers of one user. The tests count the work of each step; no
 * test judges by time.
 */
#include "common/base/clock.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/presence/presence_subscriptions.h"
#include "websocket-service/socket/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum {
	SOCKETS = 100000,
	STAR = 900000, /* the user to whom all subscribe */
	STEPS_MAX = 2000,
	QUIET_STEPS = 200,
	NOTIFIED_MAX = 1000, /* by one step */
};

struct connection {
	uint64_t id; /* 0: closed */
	unsigned got;
	char last[128];
};

static struct connection sockets[SOCKETS];
static unsigned sent;  /* frames */
static unsigned found; /* look-ups of a socket */

struct connection *connections_find(const struct connections *connections,
                                    uint64_t id)
{
	(void)connections;
	found++;
	return sockets[id - 1].id ? &sockets[id - 1] : NULL;
}

uint64_t connection_id(const struct connection *connection)
{
	return connection->id;
}

uint64_t connection_user(const struct connection *connection)
{
	return connection->id;
}

void connection_send(struct connection *connection, struct span text)
{
	assert_true(text.len < sizeof(connection->last));
	memcpy(connection->last, text.data, text.len);
	connection->last[text.len] = '\0';
	connection->got++;
	sent++;
}

static void on_query(void *context, uint64_t number, uint64_t first,
                     struct span users)
{
	(void)context;
	(void)number;
	(void)first;
	(void)users;
}

static void on_user(void *context, uint64_t user)
{
	(void)context;
	(void)user;
}

static struct presence_subscriptions *set;
static uint64_t star; /* the number of STAR */

static struct presence_sample sample(bool online)
{
	return presence_sample_make(online ? (clock_unix_ms() + 3600000) | 1
	                                   : clock_unix_ms() & ~UINT64_C(1),
	                            clock_unix_ms());
}

static int start(void **state)
{
	struct presence_sample online;

	(void)state;
	clock_ms = 5000000;
	online = sample(true);
	memset(sockets, 0, sizeof(sockets));
	set = presence_subscriptions_create(NULL, SOCKETS);
	for (uint64_t i = 0; i < SOCKETS; i++) {
		sockets[i].id = i + 1;
		(void)presence_subscriptions_add(set, i + 1, STAR, &online,
		                                 false);
	}
	assert_int_equal(presence_subscriptions_next_user(set, &star), STAR);
	sent = found = 0;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	presence_subscriptions_destroy(&set);
	return set != NULL;
}

static void star_is(bool online)
{
	struct presence_sample now;

	clock_ms += 60000;
	now = sample(online);
	presence_subscriptions_sample(set, star, &now);
}

/*
 * Steps until nothing is sent and nothing is dropped any more. Of sockets whose
 * change was reversed a step sends nothing.
 */
static unsigned steps_until_quiet(void)
{
	unsigned steps = 0, quiet = 0;

	presence_subscriptions_notify(set);
	while (quiet < QUIET_STEPS) {
		unsigned before = sent;
		unsigned left = presence_subscriptions_count(set);

		assert_true(++steps < STEPS_MAX);
		presence_subscriptions_step(set);
		assert_true(sent - before <= NOTIFIED_MAX);
		quiet = sent == before && presence_subscriptions_count(set) ==
		                                  left
		                ? quiet + 1
		                : 0;
	}
	return steps;
}

static void a_change_reaches_all_in_bounded_steps(void **state)
{
	(void)state;
	star_is(false);
	assert_int_equal(sent, 0);
	(void)steps_until_quiet();
	for (unsigned i = 0; i < SOCKETS; i++) {
		assert_int_equal(sockets[i].got, 1);
		assert_non_null(strstr(sockets[i].last, "\"offline\""));
	}
	assert_int_equal(sent, SOCKETS);
}

/* The state at the end counts, also for sockets that were marked before. */
static void a_change_back_while_sockets_are_marked_is_not_lost(void **state)
{
	(void)state;
	star_is(false);
	presence_subscriptions_notify(set);
	for (unsigned i = 0; i < 20; i++)
		presence_subscriptions_step(set);
	assert_in_range(sent, 1, SOCKETS - 1);
	star_is(true);
	(void)steps_until_quiet();
	for (unsigned i = 0; i < SOCKETS; i++)
		assert_true(sockets[i].got == 0 ||
		            strstr(sockets[i].last, "\"online\""));
}

static void very_many_sockets_close_while_they_are_marked(void **state)
{
	(void)state;
	star_is(false);
	presence_subscriptions_notify(set);
	for (uint64_t i = 0; i < SOCKETS; i += 1 + i % 2) {
		sockets[i].id = 0;
		presence_subscriptions_remove_socket(set, i + 1);
	}
	(void)steps_until_quiet();
	for (unsigned i = 0; i < SOCKETS; i++)
		assert_true(!sockets[i].id || sockets[i].got == 1);
	for (uint64_t i = 0; i < SOCKETS; i++)
		presence_subscriptions_remove_socket(set, i + 1);
	(void)steps_until_quiet();
	assert_int_equal(presence_subscriptions_count(set), 0);
	assert_int_equal(presence_subscriptions_users(set), 0);
}

/* An answer about blockers reads the subscriptions of that user's sockets. */
static void a_block_costs_the_sockets_of_the_blocked_user_only(void **state)
{
	struct rooms *rooms = rooms_create(&(struct rooms_options){
		.partitions = 12,
		.query = on_query,
		.welcome = on_user,
		.welcomed_early = on_user,
		.blockers_known = on_user,
	});

	(void)state;
	(void)rooms_user_connected(rooms, 7);
	rooms_flush(rooms);
	rooms_answered(rooms, 1, SPAN("7=;900000"));
	found = 0;
	for (unsigned i = 0; i < 1000; i++)
		presence_subscriptions_hide(set, 7, rooms);
	assert_int_equal(found, 1000);
	(void)steps_until_quiet();
	for (uint64_t i = 0; i < SOCKETS; i++)
		assert_int_equal(sockets[i].got, i + 1 == 7);
	rooms_destroy(&rooms);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(a_change_reaches_all_in_bounded_steps),
		TEST(a_change_back_while_sockets_are_marked_is_not_lost),
		TEST(very_many_sockets_close_while_they_are_marked),
		TEST(a_block_costs_the_sockets_of_the_blocked_user_only),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
