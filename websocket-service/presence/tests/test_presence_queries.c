/* Presence queries and changes, with a fake clock, sockets and Redis. */
#include "common/base/clock.h"
#include "common/io/redis/redis.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/presence/presence_clock.h"
#include "websocket-service/presence/presence_queries.h"
#include "websocket-service/presence/presence_state.h"
#include "websocket-service/socket/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	ALL_SOCKETS =
		PRESENCE_SUBSCRIPTIONS_MAX / PRESENCE_USERS_PER_SOCKET + 1,
	SOCKETS = 24, /* that are open */
	USERS = 12001,
	QUERIES_MAX = 12001,
};

/* --- sockets ------------------------------------------------------------- */
struct connection {
	uint64_t id; /* 0: closed */
	unsigned got;
	char last[64 * 1024];
};

static struct connection sockets[ALL_SOCKETS];

struct connection *connections_find(const struct connections *connections,
                                    uint64_t id)
{
	(void)connections;
	return id && sockets[id - 1].id ? &sockets[id - 1] : NULL;
}

uint64_t connection_id(const struct connection *connection)
{
	return connection->id;
}

/* Each socket belongs to another user. */
uint64_t connection_user(const struct connection *connection)
{
	return connection->id + 1000;
}

void connections_each(const struct connections *connections, uint64_t user,
                      void (*each)(void *context, uint64_t connection),
                      void *context)
{
	(void)connections;
	for (unsigned i = 0; i < SOCKETS; i++)
		if (sockets[i].id && connection_user(&sockets[i]) == user)
			each(context, sockets[i].id);
}

void connection_send(struct connection *connection, struct span text)
{
	assert_true(text.len < sizeof(connection->last));
	memcpy(connection->last, text.data, text.len);
	connection->last[text.len] = '\0';
	connection->got++;
}

/* --- Redis --------------------------------------------------------------- */
struct query {
	uint64_t user;
	redis_done *done;
	void *context;
	uint64_t tag;
};

static bool redis_up;
static uint64_t score[USERS]; /* 0: absent */
static struct query queries[QUERIES_MAX];
static unsigned query_count;
static unsigned query_total;

struct item {
	struct span text;
};

bool redis_is_up(const struct redis *redis)
{
	(void)redis;
	return redis_up;
}

bool redis_command(struct redis *redis, const struct span *words,
                   unsigned count, redis_done *done, void *context,
                   uint64_t tag)
{
	struct query *query = &queries[query_count];

	(void)redis;
	if (!redis_up)
		return false;
	assert_int_equal(count, 5);
	assert_true(span_equal(words[0], SPAN("ZREVRANGE")));
	assert_true(span_starts(words[1], SPAN("presence:")));
	assert_true(span_to_u64(span_make(words[1].data + 9, words[1].len - 9),
	                        USERS, &query->user));
	query->done = done;
	query->context = context;
	query->tag = tag;
	query_count++;
	query_total++;
	assert_true(query_count < QUERIES_MAX);
	return true;
}

struct redis_reply redis_item(const struct redis_reply *list, unsigned index)
{
	const struct item *items = list->items;

	return (struct redis_reply){.kind = REDIS_TEXT,
	                            .text = items[index].text};
}

static void answer(const struct query *query)
{
	char text[32];
	struct item items[2] = {{SPAN("life")}, {SPAN_NONE}};
	struct redis_reply reply = {.kind = REDIS_LIST, .items = items};

	if (!redis_up)
		reply.kind = REDIS_NO_REPLY;
	if (score[query->user]) {
		(void)snprintf(text, sizeof(text), "%llu",
		               (unsigned long long)score[query->user]);
		items[1].text = span_of(text);
		reply.count = 2;
	}
	query->done(query->context, query->tag, &reply);
}

static void redis_answers(void)
{
	for (unsigned i = 0; i < query_count; i++)
		answer(&queries[i]);
	query_count = 0;
}

static void goes_online(uint64_t user)
{
	score[user] = (clock_unix_ms() + 3600000) | 1;
}

static void goes_offline(uint64_t user)
{
	score[user] = clock_unix_ms() & ~UINT64_C(1);
}

/* --- the start ----------------------------------------------------------- */
static struct presence_queries *presence;
static struct presence_clock redis_time;
static struct rooms *rooms;

static void on_query(void *context, uint64_t number, uint64_t first,
                     struct span users)
{
	(void)context;
	(void)number;
	(void)first;
	(void)users;
}

static void on_welcome(void *context, uint64_t user)
{
	(void)context;
	(void)user;
}

static void on_blockers_known(void *context, uint64_t user)
{
	(void)context;
	presence_queries_blockers_known(presence, user);
}

static int start(void **state)
{
	(void)state;
	clock_ms = 5000000;
	redis_up = true;
	query_count = query_total = 0;
	for (unsigned i = 0; i < ALL_SOCKETS; i++) {
		sockets[i].id = sockets[i].got = 0;
		sockets[i].last[0] = '\0';
	}
	memset(score, 0, sizeof(score));
	for (unsigned i = 0; i < SOCKETS; i++)
		sockets[i].id = i + 1;
	rooms = rooms_create(
		&(struct rooms_options){.partitions = 12,
	                                .query = on_query,
	                                .welcome = on_welcome,
	                                .blockers_known = on_blockers_known});
	presence = presence_queries_create(NULL, NULL, &redis_time, rooms);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	presence_queries_destroy(&presence);
	rooms_destroy(&rooms);
	return presence != NULL;
}

/* A `presence` frame of the users from `first` on. */
static void subscribe(unsigned socket, unsigned first, unsigned count)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	struct buf text CLEANUP(buf_free) = BUF(4096);
	struct client_frame frame;
	struct frame_fault fault;

	buf_append(&text, SPAN("{\"type\":\"presence\",\"users\":["));
	for (unsigned i = 0; i < count; i++)
		buf_format(&text, "%s%u", i ? "," : "", first + i);
	buf_append(&text, SPAN("]}"));
	assert_int_equal(frame_decode(buf_span(&text), &json, &frame, &fault),
	                 ST_OK);
	presence_queries_request(presence, &sockets[socket], &frame);
}

static void seconds_pass(unsigned seconds)
{
	while (seconds--) {
		clock_ms += 1000;
		presence_queries_tick(presence);
		redis_answers();
	}
}

static bool says(unsigned socket, const char *part)
{
	return strstr(sockets[socket].last, part) != NULL;
}

/* --- tests --------------------------------------------------------------- */
static void the_answer_is_one_frame_with_all_users(void **state)
{
	(void)state;
	goes_online(2);
	score[3] = clock_unix_ms() & ~UINT64_C(1);
	subscribe(0, 2, 3);
	assert_int_equal(sockets[0].got, 0);
	redis_answers();
	assert_int_equal(sockets[0].got, 1);
	assert_true(says(0, "{\"user\":2,\"state\":\"online\"}"));
	assert_true(says(0, "{\"user\":3,\"state\":\"offline\","
	                    "\"last_seen\":\"2026-"));
	assert_true(says(0, "{\"user\":4,\"state\":\"offline\"}"));
	assert_int_equal(presence_queries_subscriptions(presence), 3);
}

static void changes_are_sent_within_two_seconds_in_one_frame(void **state)
{
	(void)state;
	subscribe(0, 1, 60);
	redis_answers();
	seconds_pass(3);
	assert_int_equal(sockets[0].got, 1);
	goes_online(5);
	goes_online(6);
	seconds_pass(1);
	assert_int_equal(sockets[0].got, 2);
	assert_true(says(0, "{\"user\":5,\"state\":\"online\"}"));
	assert_true(says(0, "{\"user\":6,\"state\":\"online\"}"));
	assert_false(says(0, "\"user\":7"));
}

static void a_user_causes_at_most_one_change_in_five_seconds(void **state)
{
	(void)state;
	subscribe(0, 5, 1);
	redis_answers();
	goes_online(5);
	seconds_pass(1);
	assert_int_equal(sockets[0].got, 2);
	goes_offline(5);
	seconds_pass(4);
	assert_int_equal(sockets[0].got, 2);
	seconds_pass(1);
	assert_int_equal(sockets[0].got, 3);
	assert_true(says(0, "offline"));
}

static void a_change_that_is_reversed_in_time_is_not_sent(void **state)
{
	(void)state;
	subscribe(0, 5, 1);
	redis_answers();
	goes_online(5);
	seconds_pass(1);
	goes_offline(5);
	seconds_pass(2);
	goes_online(5);
	seconds_pass(20);
	assert_int_equal(sockets[0].got, 2);
}

static void a_user_who_blocks_looks_never_seen(void **state)
{
	(void)state;
	goes_online(5);
	goes_online(6);
	(void)rooms_user_connected(rooms, 1001);
	rooms_flush(rooms);
	rooms_answered(rooms, 1, SPAN("1001=;6"));
	subscribe(0, 5, 2);
	subscribe(1, 5, 2);
	redis_answers();
	assert_true(says(0, "{\"user\":5,\"state\":\"online\"}"));
	assert_true(says(0, "{\"user\":6,\"state\":\"offline\"}"));
	assert_true(says(1, "{\"user\":6,\"state\":\"online\"}"));
	rooms_blockers_changed(rooms, 1001);
	rooms_flush(rooms);
	rooms_answered(rooms, 2, SPAN("1001=;5"));
	seconds_pass(1);
	assert_int_equal(sockets[0].got, 2);
	assert_true(says(0, "{\"user\":5,\"state\":\"offline\"}"));
	assert_true(says(0, "{\"user\":6,\"state\":\"online\"}"));
	goes_offline(5);
	seconds_pass(6);
	assert_int_equal(sockets[0].got, 2);
	assert_int_equal(sockets[1].got, 2);
}

/* Presence that may be wrong is not told. */
static void until_it_is_known_who_blocks_presence_is_unavailable(void **state)
{
	(void)state;
	goes_online(5);
	(void)rooms_user_connected(rooms, 1001);
	rooms_flush(rooms);
	subscribe(0, 5, 2);
	subscribe(1, 5, 2);
	redis_answers();
	assert_int_equal(sockets[0].got, 1);
	assert_true(says(0, "\"unavailable\""));
	assert_true(says(1, "{\"user\":5,\"state\":\"online\"}"));
	rooms_answered(rooms, 1, SPAN("1001=;6"));
	subscribe(0, 5, 2);
	redis_answers();
	assert_true(says(0, "{\"user\":5,\"state\":\"online\"}"));
	assert_true(says(0, "{\"user\":6,\"state\":\"offline\"}"));
}

static void
each_user_is_polled_once_however_many_sockets_subscribe(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SOCKETS; i++)
		subscribe(i, 1, 10);
	redis_answers();
	query_total = 0;
	seconds_pass(1);
	assert_int_equal(query_total, 10);
	goes_online(5);
	seconds_pass(1);
	for (unsigned i = 0; i < SOCKETS; i++)
		assert_int_equal(sockets[i].got, 2);
}

static void an_empty_list_ends_all_subscriptions(void **state)
{
	(void)state;
	subscribe(0, 1, 10);
	subscribe(1, 1, 1);
	redis_answers();
	subscribe(0, 20, 5);
	subscribe(0, 0, 0);
	redis_answers();
	assert_int_equal(sockets[0].got, 1);
	goes_online(1);
	seconds_pass(2);
	assert_int_equal(sockets[0].got, 1);
	assert_int_equal(sockets[1].got, 2);
	assert_int_equal(presence_queries_subscriptions(presence), 1);
}

static void a_socket_that_closes_has_no_subscriptions(void **state)
{
	(void)state;
	subscribe(0, 1, 10);
	redis_answers();
	goes_online(1);
	subscribe(0, 1, 10);
	presence_queries_tick(presence);
	sockets[0].id = 0;
	presence_queries_socket_closed(presence, 1);
	redis_answers();
	seconds_pass(3);
	assert_int_equal(sockets[0].got, 1);
	assert_int_equal(presence_queries_subscriptions(presence), 0);
}

static void a_socket_has_a_bound_of_subscriptions(void **state)
{
	(void)state;
	for (unsigned at = 1; at + 50 <= 501; at += 50)
		subscribe(0, at, 50);
	subscribe(0, 501, 1);
	assert_true(says(0, "too_many"));
	redis_answers();
	assert_int_equal(presence_queries_subscriptions(presence),
	                 PRESENCE_USERS_PER_SOCKET);
	subscribe(0, 100, 60);
	redis_answers();
	assert_false(says(0, "too_many"));
	subscribe(0, 500, 2);
	assert_true(says(0, "too_many"));
	assert_int_equal(presence_queries_subscriptions(presence),
	                 PRESENCE_USERS_PER_SOCKET);
}

/* Each socket has as many as it may have, until all have too many. */
static void all_sockets_have_a_bound_of_subscriptions(void **state)
{
	const unsigned last = ALL_SOCKETS - 1;

	(void)state;
	for (unsigned s = 0; s < ALL_SOCKETS; s++)
		sockets[s].id = s + 1;
	for (unsigned s = 0; s < last; s++) {
		for (unsigned i = 0; i < PRESENCE_USERS_PER_SOCKET; i += 50)
			subscribe(s, 1 + i, 50);
		redis_answers();
	}
	assert_int_equal(presence_queries_subscriptions(presence),
	                 PRESENCE_SUBSCRIPTIONS_MAX);
	subscribe(last, 1, 1);
	assert_true(says(last, "\"unavailable\""));
	presence_queries_socket_closed(presence, 1);
	while (presence_queries_subscriptions(presence) ==
	       PRESENCE_SUBSCRIPTIONS_MAX)
		presence_queries_step(presence);
	subscribe(last, 1, 1);
	redis_answers();
	assert_true(says(last, "{\"user\":1,"));
}

static void requests_that_wait_for_redis_have_a_bound(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PRESENCE_REQUESTS_MAX; i++)
		subscribe(i % SOCKETS, 1 + i, 1);
	assert_int_equal(query_count, PRESENCE_REQUESTS_MAX);
	assert_int_equal(sockets[0].got, 0);
	subscribe(0, 5000, 1);
	assert_true(says(0, "\"unavailable\""));
	redis_answers();
	subscribe(0, 5000, 1);
	redis_answers();
	assert_true(says(0, "{\"user\":5000,"));
}

/* More users than one second allows are asked about in turn. */
static void the_queries_of_a_second_have_a_bound(void **state)
{
	static bool asked[USERS];
	const unsigned each = PRESENCE_USERS_PER_SOCKET;
	unsigned users = 0;

	(void)state;
	for (unsigned s = 0; users <= PRESENCE_QUERIES_PER_S; s++) {
		for (unsigned i = 0; i < each; i += 50)
			subscribe(s, 1 + s * each + i, 50);
		users += each;
		redis_answers();
	}
	for (unsigned second = 0; second < 2; second++) {
		clock_ms += 1000;
		presence_queries_tick(presence);
		while (query_count < PRESENCE_QUERIES_PER_S) {
			unsigned before = query_count;

			presence_queries_step(presence);
			assert_in_range(query_count - before, 1, 1000);
		}
		presence_queries_step(presence);
		assert_int_equal(query_count, PRESENCE_QUERIES_PER_S);
		for (unsigned i = 0; i < query_count; i++)
			asked[queries[i].user] = true;
		redis_answers();
	}
	for (unsigned user = 1; user <= users; user++)
		assert_true(asked[user]);
}

static void without_redis_presence_is_unavailable(void **state)
{
	(void)state;
	redis_up = false;
	subscribe(0, 1, 10);
	assert_true(says(0, "unavailable"));
	redis_up = true;
	subscribe(1, 1, 10);
	redis_up = false;
	redis_answers();
	assert_int_equal(sockets[1].got, 1);
	assert_true(says(1, "unavailable"));
	redis_up = true;
	subscribe(2, 1, 10);
	clock_ms += PRESENCE_ANSWER_MS;
	presence_queries_tick(presence);
	assert_int_equal(sockets[2].got, 1);
	assert_true(says(2, "unavailable"));
	redis_answers();
	assert_int_equal(sockets[2].got, 1);
	assert_int_equal(presence_queries_subscriptions(presence), 0);
}

/* All scores in Redis are expired until the gateways refresh them. */
static void an_outage_causes_no_storm_of_changes(void **state)
{
	(void)state;
	for (uint64_t user = 1; user <= 50; user++)
		goes_online(user);
	subscribe(0, 1, 50);
	redis_answers();
	presence_queries_tick(presence);
	redis_up = false;
	redis_answers();
	seconds_pass(60);
	redis_up = true;
	presence_queries_redis_up(presence, true);
	for (uint64_t user = 1; user <= 50; user++)
		score[user] = (clock_unix_ms() - 30000) | 1;
	seconds_pass(10);
	for (uint64_t user = 1; user <= 49; user++)
		goes_online(user);
	assert_int_equal(sockets[0].got, 1);
	seconds_pass(10);
	assert_int_equal(sockets[0].got, 2);
	assert_true(says(0, "{\"user\":50,\"state\":\"offline\""));
	assert_false(says(0, "\"user\":49"));
}

/* What a frame that asks for one user gets, by what Redis has of the user. */
static void after_an_outage_unknown_users_do_not_look_offline(void **state)
{
	(void)state;
	subscribe(0, 4, 1);
	redis_answers();
	presence_queries_redis_up(presence, true);
	goes_online(1);
	goes_offline(2);
	score[3] = (clock_unix_ms() - 30000) | 1;
	subscribe(1, 1, 1);
	redis_answers();
	assert_true(says(1, "{\"user\":1,\"state\":\"online\"}"));
	subscribe(1, 2, 1);
	redis_answers();
	assert_true(says(1, "{\"user\":2,\"state\":\"offline\""));
	for (unsigned user = 3; user <= 5; user += 2) {
		subscribe(1, user, 1);
		redis_answers();
		assert_true(says(1, "unavailable"));
	}
	subscribe(1, 4, 1); /* has a subscription */
	redis_answers();
	assert_true(says(1, "{\"user\":4,\"state\":\"offline\"}"));
	clock_ms += PRESENCE_STATE_GRACE_MS;
	subscribe(1, 5, 1);
	redis_answers();
	assert_true(says(1, "{\"user\":5,\"state\":\"offline\"}"));
	presence_queries_redis_up(presence, false); /* at the start */
	subscribe(1, 6, 1);
	redis_answers();
	assert_true(says(1, "{\"user\":6,\"state\":\"offline\"}"));
}

static void losing_all_data_causes_no_storm_of_changes(void **state)
{
	(void)state;
	for (uint64_t user = 1; user <= 50; user++)
		goes_online(user);
	subscribe(0, 1, 50);
	redis_answers();
	seconds_pass(2);
	memset(score, 0, sizeof(score));
	seconds_pass(PRESENCE_STATE_ABSENT_MS / 1000 - 1);
	for (uint64_t user = 1; user <= 49; user++)
		goes_online(user);
	seconds_pass(5);
	assert_int_equal(sockets[0].got, 2);
	assert_true(says(0, "{\"user\":50,\"state\":\"offline\"}"));
	assert_false(says(0, "\"user\":49"));
}

static void a_stalled_redis_causes_no_storm_of_changes(void **state)
{
	(void)state;
	goes_online(1);
	subscribe(0, 1, 1);
	redis_answers();
	presence_queries_tick(presence);
	for (unsigned i = 0; i < 40; i++) {
		clock_ms += 1000;
		presence_queries_tick(presence);
	}
	assert_int_equal(query_count, 1);
	score[1] = (clock_unix_ms() - 10000) | 1;
	redis_answers();
	seconds_pass(8);
	goes_online(1);
	seconds_pass(10);
	assert_int_equal(sockets[0].got, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(the_answer_is_one_frame_with_all_users),
		TEST(changes_are_sent_within_two_seconds_in_one_frame),
		TEST(a_user_causes_at_most_one_change_in_five_seconds),
		TEST(a_change_that_is_reversed_in_time_is_not_sent),
		TEST(a_user_who_blocks_looks_never_seen),
		TEST(until_it_is_known_who_blocks_presence_is_unavailable),
		TEST(each_user_is_polled_once_however_many_sockets_subscribe),
		TEST(an_empty_list_ends_all_subscriptions),
		TEST(a_socket_that_closes_has_no_subscriptions),
		TEST(a_socket_has_a_bound_of_subscriptions),
		TEST(all_sockets_have_a_bound_of_subscriptions),
		TEST(requests_that_wait_for_redis_have_a_bound),
		TEST(the_queries_of_a_second_have_a_bound),
		TEST(without_redis_presence_is_unavailable),
		TEST(an_outage_causes_no_storm_of_changes),
		TEST(after_an_outage_unknown_users_do_not_look_offline),
		TEST(losing_all_data_causes_no_storm_of_changes),
		TEST(a_stalled_redis_causes_no_storm_of_changes),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
