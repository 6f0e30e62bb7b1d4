#include "websocket-service/presence/presence_queries.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/scope.h"
#include "common/io/redis/redis.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/presence/presence_clock.h"
#include "websocket-service/presence/presence_publisher.h"
#include "websocket-service/presence/presence_subscriptions.h"
#include "websocket-service/receive/error_frame.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/slot_map.h"

#include <uthash.h>
#include <utlist.h>

enum {
	INDEX_BITS = 6,         /* enough for PRESENCE_USERS_MAX users */
	POLLED_PER_STEP = 1000, /* users, each 50 ms */
};

static const char presence_unavailable[] = "presence is not available now";

/* A socket with requests. */
struct requester {
	uint64_t connection;
	struct request *requests;
	unsigned more; /* the sum over its requests */
	UT_hash_handle hh;
};

/* A `presence` frame that waits for Redis. */
struct request {
	struct request *prev, *next;       /* of all */
	struct request *of_prev, *of_next; /* of the same socket */
	struct requester *requester;
	uint64_t number;
	uint64_t connection;
	uint64_t until_ms;
	unsigned count;
	unsigned left; /* users that Redis has not answered yet */
	unsigned more; /* users that the socket was not subscribed to */
	uint64_t users[PRESENCE_USERS_MAX];
	struct presence_sample samples[PRESENCE_USERS_MAX];
};

struct presence_queries {
	struct connections *connections;
	struct redis *redis;
	const struct presence_clock *clock;
	const struct rooms *rooms; /* knows the blocks */
	struct presence_subscriptions *subscriptions;
	struct slot_map *requests;
	struct request *oldest; /* the list of requests, oldest first */
	struct requester *requesters;
	uint32_t poll_left;      /* users of the current poll without a query */
	uint32_t poll_in_flight; /* queries of the current poll */
	uint64_t poll_began_ms;
	uint64_t
		unknown_until_ms; /* an absent entry means nothing until then */
	struct buf key;
	struct buf text;
};

struct presence_queries *
presence_queries_create(struct connections *connections, struct redis *redis,
                        const struct presence_clock *clock,
                        const struct rooms *rooms)
{
	struct presence_queries *queries = mem_new(sizeof(*queries));

	queries->connections = connections;
	queries->redis = redis;
	queries->clock = clock;
	queries->rooms = rooms;
	queries->subscriptions = presence_subscriptions_create(
		connections,
		PRESENCE_SUBSCRIPTIONS_MAX +
			PRESENCE_REQUESTS_MAX * PRESENCE_USERS_MAX);
	queries->requests = slot_map_create(PRESENCE_REQUESTS_MAX);
	queries->key = BUF(PRESENCE_KEY_MAX);
	queries->text = BUF(FRAME_OUT_MAX);
	return queries;
}

static void request_end(struct presence_queries *queries,
                        struct request *request)
{
	struct requester *requester = request->requester;

	DL_DELETE(queries->oldest, request);
	DL_DELETE2(requester->requests, request, of_prev, of_next);
	requester->more -= request->more;
	if (!requester->requests) {
		HASH_DEL(queries->requesters, requester);
		mem_free(&requester);
	}
	slot_map_remove(queries->requests, request->number);
	mem_free(&request);
}

void presence_queries_destroy(struct presence_queries **queries)
{
	struct presence_queries *q = *queries;

	if (!q)
		return;
	while (q->oldest)
		request_end(q, q->oldest);
	presence_subscriptions_destroy(&q->subscriptions);
	slot_map_destroy(&q->requests);
	buf_free(&q->key);
	buf_free(&q->text);
	mem_free(queries);
}

uint32_t presence_queries_subscriptions(const struct presence_queries *queries)
{
	return presence_subscriptions_count(queries->subscriptions);
}

/* --- Redis --------------------------------------------------------------- */

static bool query(struct presence_queries *queries, uint64_t user,
                  redis_done *done, uint64_t tag)
{
	struct span words[] = {SPAN("ZREVRANGE"), SPAN_NONE, SPAN("0"),
	                       SPAN("0"), SPAN("WITHSCORES")};

	buf_clear(&queries->key);
	presence_publisher_key(&queries->key, user);
	words[1] = buf_span(&queries->key);
	metric_count(&gateway_metrics.presence_queries, 1);
	return redis_command(queries->redis, words, ARRAY_LEN(words), done,
	                     queries, tag);
}

/* False when Redis has not answered, or with something else. */
static bool read_sample(const struct presence_queries *queries,
                        const struct redis_reply *reply,
                        struct presence_sample *ret_sample)
{
	uint64_t score;

	*ret_sample = (struct presence_sample){SAMPLE_ABSENT, 0};
	if (reply->kind != REDIS_LIST)
		return false;
	if (reply->count == 2 &&
	    span_to_u64(redis_item(reply, 1).text, JSON_ID_MAX, &score))
		*ret_sample = presence_sample_make(
			score, presence_clock_now_ms(queries->clock));
	return true;
}

/* Whether the sample says something about a user. */
static bool is_known(const struct presence_queries *queries, uint64_t user,
                     const struct presence_sample *sample)
{
	if (sample->kind == SAMPLE_ONLINE || sample->kind == SAMPLE_LEFT)
		return true;
	return clock_mono_ms() >= queries->unknown_until_ms ||
	       presence_subscriptions_knows(queries->subscriptions, user);
}

/* --- `presence` frames --------------------------------------------------- */

static void request_fail(struct presence_queries *queries,
                         struct request *request)
{
	struct connection *connection =
		connections_find(queries->connections, request->connection);

	request_end(queries, request);
	if (connection)
		error_frame_send(connection, NULL, FRAME_UNAVAILABLE,
		                 presence_unavailable);
}

static void write_answer(struct presence_queries *queries,
                         const struct request *request, uint64_t requester)
{
	struct presence_frame frame = frame_presence_open(&queries->text);

	for (unsigned i = 0; i < request->count; i++) {
		uint64_t user = request->users[i];

		frame_presence_add(&frame, user,
		                   presence_subscriptions_add(
					   queries->subscriptions,
					   request->connection, user,
					   &request->samples[i],
					   rooms_blocked(queries->rooms,
		                                         requester, user)));
	}
	frame_presence_close(&frame);
}

static void request_answer(struct presence_queries *queries,
                           struct request *request)
{
	struct connection *connection =
		connections_find(queries->connections, request->connection);

	buf_clear(&queries->text);
	if (connection)
		write_answer(queries, request, connection_user(connection));
	request_end(queries, request);
	if (connection)
		connection_send(connection, buf_span(&queries->text));
}

static void hide_blockers(void *context, uint64_t connection)
{
	struct presence_queries *queries = context;

	presence_subscriptions_hide(queries->subscriptions, connection,
	                            queries->rooms);
}

void presence_queries_blockers_known(struct presence_queries *queries,
                                     uint64_t user)
{
	connections_each(queries->connections, user, hide_blockers, queries);
}

static void on_request_reply(void *context, uint64_t tag,
                             const struct redis_reply *reply)
{
	struct presence_queries *queries = context;
	struct request *request =
		slot_map_get(queries->requests, tag >> INDEX_BITS);
	uint64_t index = tag & ((1u << INDEX_BITS) - 1);

	if (!request)
		return;
	if (!read_sample(queries, reply, &request->samples[index]) ||
	    !is_known(queries, request->users[index], &request->samples[index]))
		request_fail(queries, request);
	else if (--request->left == 0)
		request_answer(queries, request);
}

static struct requester *find_requester(const struct presence_queries *queries,
                                        uint64_t connection)
{
	struct requester *requester;

	HASH_FIND(hh, queries->requesters, &connection, sizeof(connection),
	          requester);
	return requester;
}

static void link_request(struct presence_queries *queries,
                         struct request *request)
{
	struct requester *requester =
		find_requester(queries, request->connection);

	if (!requester) {
		requester = mem_new(sizeof(*requester));
		requester->connection = request->connection;
		HASH_ADD(hh, queries->requesters, connection,
		         sizeof(requester->connection), requester);
	}
	request->requester = requester;
	requester->more += request->more;
	DL_APPEND2(requester->requests, request, of_prev, of_next);
	DL_APPEND(queries->oldest, request);
}

static struct request *request_make(struct presence_queries *queries,
                                    uint64_t connection,
                                    const struct client_frame *frame)
{
	struct request *request = mem_new(sizeof(*request));

	request->connection = connection;
	request->until_ms = clock_mono_ms() + PRESENCE_ANSWER_MS;
	request->count = frame->user_count;
	request->left = frame->user_count;
	for (unsigned i = 0; i < request->count; i++) {
		request->users[i] = frame_presence_user(frame, i);
		request->more += !presence_subscriptions_has(
			queries->subscriptions, connection, request->users[i]);
	}
	request->number = slot_map_add(queries->requests, request);
	link_request(queries, request);
	return request;
}

static void request_begin(struct presence_queries *queries,
                          struct request *request)
{
	uint64_t tag = request->number << INDEX_BITS;

	for (unsigned i = 0; i < request->count; i++) {
		if (!query(queries, request->users[i], on_request_reply,
		           tag | i)) {
			request_fail(queries, request);
			return;
		}
	}
}

/* Includes its waiting requests. */
static unsigned subscriptions_of(const struct presence_queries *queries,
                                 uint64_t connection)
{
	const struct requester *requester = find_requester(queries, connection);

	return presence_subscriptions_count_of(queries->subscriptions,
	                                       connection) +
	       (requester ? requester->more : 0);
}

void presence_queries_request(struct presence_queries *queries,
                              struct connection *connection,
                              const struct client_frame *frame)
{
	uint64_t id = connection_id(connection);
	struct request *request;

	if (frame->user_count == 0) {
		presence_queries_socket_closed(queries, id);
		return;
	}
	if (!redis_is_up(queries->redis) ||
	    !rooms_blockers_known(queries->rooms,
	                          connection_user(connection)) ||
	    slot_map_count(queries->requests) >= PRESENCE_REQUESTS_MAX ||
	    presence_queries_subscriptions(queries) >=
	            PRESENCE_SUBSCRIPTIONS_MAX) {
		error_frame_send(connection, NULL, FRAME_UNAVAILABLE,
		                 presence_unavailable);
		return;
	}
	request = request_make(queries, id, frame);
	if (subscriptions_of(queries, id) <= PRESENCE_USERS_PER_SOCKET) {
		request_begin(queries, request);
		return;
	}
	request_end(queries, request);
	error_frame_send(connection, NULL, FRAME_TOO_MANY,
	                 "a socket can subscribe to at most 500 users");
}

void presence_queries_socket_closed(struct presence_queries *queries,
                                    uint64_t connection)
{
	struct requester *requester = find_requester(queries, connection);

	/* The last request takes the requester along. */
	for (bool last = !requester; !last;) {
		last = !requester->requests->of_next;
		request_end(queries, requester->requests);
	}
	presence_subscriptions_remove_socket(queries->subscriptions,
	                                     connection);
}

/* --- the poll, each second ----------------------------------------------- */

void presence_queries_redis_up(struct presence_queries *queries, bool lost)
{
	presence_subscriptions_start_grace(queries->subscriptions);
	if (lost)
		queries->unknown_until_ms =
			clock_mono_ms() + PRESENCE_STATE_GRACE_MS;
}

static void on_poll_reply(void *context, uint64_t number,
                          const struct redis_reply *reply)
{
	struct presence_queries *queries = context;
	struct presence_sample sample;

	/* A slow Redis may have been down, and scores in it may be expired. */
	if (clock_mono_ms() >= queries->poll_began_ms + PRESENCE_STALL_MS)
		presence_queries_redis_up(queries, true);
	if (read_sample(queries, reply, &sample))
		presence_subscriptions_sample(queries->subscriptions, number,
		                              &sample);
	if (--queries->poll_in_flight == 0 && queries->poll_left == 0 &&
	    reply->kind != REDIS_NO_REPLY)
		presence_subscriptions_notify(queries->subscriptions);
}

/* Subscriptions may end during a poll: its rest is then shorter. */
static void poll_more(struct presence_queries *queries)
{
	uint32_t users = presence_subscriptions_users(queries->subscriptions);

	if (queries->poll_left > users)
		queries->poll_left = users;
	for (unsigned i = 0; i < POLLED_PER_STEP && queries->poll_left; i++) {
		uint64_t number;
		uint64_t user = presence_subscriptions_next_user(
			queries->subscriptions, &number);

		if (!query(queries, user, on_poll_reply, number)) {
			queries->poll_left = 0;
			return;
		}
		queries->poll_left--;
		queries->poll_in_flight++;
	}
}

static void poll_all(struct presence_queries *queries)
{
	uint32_t users = presence_subscriptions_users(queries->subscriptions);

	queries->poll_left =
		users < PRESENCE_QUERIES_PER_S ? users : PRESENCE_QUERIES_PER_S;
	queries->poll_began_ms = clock_mono_ms();
	poll_more(queries);
}

/* A poll whose last users have lost their subscriptions ends here. */
void presence_queries_step(struct presence_queries *queries)
{
	if (queries->poll_left) {
		poll_more(queries);
		if (!queries->poll_left && !queries->poll_in_flight)
			presence_subscriptions_notify(queries->subscriptions);
	}
	presence_subscriptions_step(queries->subscriptions);
}

void presence_queries_tick(struct presence_queries *queries)
{
	uint64_t now_ms = clock_mono_ms();

	while (queries->oldest && queries->oldest->until_ms <= now_ms)
		request_fail(queries, queries->oldest);
	/* One poll at a time. */
	if (queries->poll_left || queries->poll_in_flight ||
	    !redis_is_up(queries->redis))
		return;
	poll_all(queries);
}
