#include "websocket-service/presence/presence_queries.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/scope.h"
#include "common/io/redis/redis.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/presence/presence_publisher.h"
#include "websocket-service/presence/presence_subscriptions.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/slot_map.h"

#include <utlist.h>

enum { INDEX_BITS = 6 }; /* of a user in a request: PRESENCE_USERS_MAX */

/* A `presence` frame that waits for Redis. */
struct request {
	struct request *prev, *next;
	uint64_t number;
	uint64_t connection;
	uint64_t until_ms;
	unsigned count;
	unsigned left; /* not answered yet */
	unsigned more; /* of them not watched by that socket before */
	uint64_t users[PRESENCE_USERS_MAX];
	struct presence_sample seen[PRESENCE_USERS_MAX];
};

struct presence_queries {
	struct connections *connections;
	struct redis *redis;
	const struct rooms *rooms; /* who blocks whom */
	struct presence_subscriptions *subscriptions;
	struct slot_map *requests;
	struct request *oldest;  /* oldest first */
	uint32_t poll_in_flight; /* of the query at all who are watched */
	uint64_t poll_began_ms;  /* when it began */
	struct buf key;
	struct buf text;
};

struct presence_queries *
presence_queries_create(struct connections *connections, struct redis *redis,
                        const struct rooms *rooms)
{
	struct presence_queries *w = mem_new(sizeof(*w));

	w->connections = connections;
	w->redis = redis;
	w->rooms = rooms;
	w->subscriptions = presence_subscriptions_create(
		connections,
		PRESENCE_SUBSCRIPTIONS_MAX +
			PRESENCE_REQUESTS_MAX * PRESENCE_USERS_MAX);
	w->requests = slot_map_create(PRESENCE_REQUESTS_MAX);
	w->key = BUF(PRESENCE_KEY_MAX);
	w->text = BUF(FRAME_OUT_MAX);
	return w;
}

static void request_end(struct presence_queries *w, struct request *request)
{
	DL_DELETE(w->oldest, request);
	slot_map_remove(w->requests, request->number);
	mem_free(&request);
}

void presence_queries_destroy(struct presence_queries **queries)
{
	struct presence_queries *w = *queries;

	if (!w)
		return;
	while (w->oldest)
		request_end(w, w->oldest);
	presence_subscriptions_destroy(&w->subscriptions);
	slot_map_destroy(&w->requests);
	buf_free(&w->key);
	buf_free(&w->text);
	mem_free(queries);
}

uint32_t presence_queries_subscriptions(const struct presence_queries *queries)
{
	return presence_subscriptions_count(queries->subscriptions);
}

/* --- looking into Redis -------------------------------------------------- */

static bool query(struct presence_queries *w, uint64_t user, redis_done *done,
                  uint64_t tag)
{
	struct span words[] = {SPAN("ZREVRANGE"), SPAN_NONE, SPAN("0"),
	                       SPAN("0"), SPAN("WITHSCORES")};

	buf_clear(&w->key);
	presence_key(&w->key, user);
	words[1] = buf_span(&w->key);
	metric_count(&gateway_metrics.presence_queries, 1);
	return redis_command(w->redis, words, ARRAY_LEN(words), done, w, tag);
}

/* False when Redis has not answered. */
static bool read_sample(const struct redis_reply *reply,
                        struct presence_sample *ret_sighting)
{
	struct redis_reply score;
	uint64_t number;

	*ret_sighting = (struct presence_sample){SAMPLE_ABSENT, 0};
	if (reply->kind == REDIS_NO_REPLY || reply->kind == REDIS_FAULT)
		return false;
	if (reply->kind != REDIS_LIST || reply->count != 2)
		return true;
	score = redis_item(reply, 1);
	if (span_to_u64(score.text, JSON_ID_MAX, &number))
		*ret_sighting = presence_sample_make(number, clock_unix_ms());
	return true;
}

/* --- requests ----------------------------------------------------------- */

static void refuse(struct presence_queries *w, struct connection *connection,
                   enum frame_code code, const char *detail)
{
	buf_clear(&w->text);
	frame_error(&w->text, NULL, code, detail);
	connection_send(connection, buf_span(&w->text));
	metric_count(&gateway_metrics.frames_refused, 1);
}

static void request_fail(struct presence_queries *w, struct request *request)
{
	struct connection *connection =
		connections_find(w->connections, request->connection);

	request_end(w, request);
	if (connection)
		refuse(w, connection, FRAME_UNAVAILABLE,
		       "who is online can't be looked up now");
}

static void write_answer(struct presence_queries *w,
                         const struct request *request, uint64_t asker)
{
	struct presence_frame frame = frame_presence_open(&w->text);

	for (unsigned i = 0; i < request->count; i++) {
		uint64_t user = request->users[i];

		frame_presence_add(
			&frame, user,
			presence_subscriptions_add(
				w->subscriptions, request->connection, user,
				&request->seen[i],
				rooms_blocked(w->rooms, asker, user)));
	}
	frame_presence_close(&frame);
}

static void request_answer(struct presence_queries *w, struct request *request)
{
	struct connection *connection =
		connections_find(w->connections, request->connection);

	buf_clear(&w->text);
	if (connection)
		write_answer(w, request, connection_user(connection));
	request_end(w, request);
	if (connection)
		connection_send(connection, buf_span(&w->text));
}

void presence_queries_block_changed(struct presence_queries *queries,
                                    uint64_t user, uint64_t by, bool blocks)
{
	presence_subscriptions_hide(queries->subscriptions, by, user, blocks);
}

static void on_request_reply(void *context, uint64_t tag,
                             const struct redis_reply *reply)
{
	struct presence_queries *w = context;
	struct request *request = slot_map_get(w->requests, tag >> INDEX_BITS);
	uint64_t index = tag & ((1u << INDEX_BITS) - 1);

	if (!request)
		return;
	if (!read_sample(reply, &request->seen[index]))
		request_fail(w, request);
	else if (--request->left == 0)
		request_answer(w, request);
}

static struct request *request_make(struct presence_queries *w,
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
			w->subscriptions, connection, request->users[i]);
	}
	request->number = slot_map_add(w->requests, request);
	DL_APPEND(w->oldest, request);
	return request;
}

static void request_begin(struct presence_queries *w, struct request *request)
{
	uint64_t tag = request->number << INDEX_BITS;

	for (unsigned i = 0; i < request->count; i++) {
		if (!query(w, request->users[i], on_request_reply, tag | i)) {
			request_fail(w, request);
			return;
		}
	}
}

/* With those that it has oldest for; few requests wait at a time. */
static unsigned subscriptions_of(const struct presence_queries *w,
                                 uint64_t connection)
{
	unsigned count =
		presence_subscriptions_count_of(w->subscriptions, connection);
	const struct request *request;

	DL_FOREACH (w->oldest, request) {
		if (request->connection == connection)
			count += request->more;
	}
	return count;
}

static void ask(struct presence_queries *w, struct connection *connection,
                const struct client_frame *frame)
{
	struct request *request =
		request_make(w, connection_id(connection), frame);

	if (subscriptions_of(w, request->connection) <=
	    PRESENCE_USERS_PER_SOCKET) {
		request_begin(w, request);
		return;
	}
	request_end(w, request);
	refuse(w, connection, FRAME_TOO_MANY,
	       "a socket may watch 500 users at most");
}

void presence_queries_request(struct presence_queries *queries,
                              struct connection *connection,
                              const struct client_frame *frame)
{
	if (frame->user_count == 0)
		presence_queries_socket_closed(queries,
		                               connection_id(connection));
	else if (!redis_is_up(queries->redis) ||
	         slot_map_count(queries->requests) >= PRESENCE_REQUESTS_MAX ||
	         presence_queries_subscriptions(queries) >=
	                 PRESENCE_SUBSCRIPTIONS_MAX)
		refuse(queries, connection, FRAME_UNAVAILABLE,
		       "who is online can't be looked up now");
	else
		ask(queries, connection, frame);
}

void presence_queries_socket_closed(struct presence_queries *queries,
                                    uint64_t connection)
{
	struct request *request, *next;

	DL_FOREACH_SAFE (queries->oldest, request, next) {
		if (request->connection == connection)
			request_end(queries, request);
	}
	presence_subscriptions_remove_socket(queries->subscriptions,
	                                     connection);
}

/* --- all who are watched, each second ------------------------------------ */

void presence_queries_redis_up(struct presence_queries *queries)
{
	presence_subscriptions_start_grace(queries->subscriptions);
}

static void on_poll_reply(void *context, uint64_t number,
                          const struct redis_reply *reply)
{
	struct presence_queries *w = context;
	struct presence_sample sample;

	/* Who is slow may have been away, and times in it may be over. */
	if (clock_mono_ms() >= w->poll_began_ms + PRESENCE_STALL_MS)
		presence_queries_redis_up(w);
	if (read_sample(reply, &sample))
		presence_subscriptions_sample(w->subscriptions, number,
		                              &sample);
	if (--w->poll_in_flight == 0 && reply->kind != REDIS_NO_REPLY)
		presence_subscriptions_notify(w->subscriptions);
}

static void poll_all(struct presence_queries *w)
{
	uint32_t count = presence_subscriptions_users(w->subscriptions);

	if (count > PRESENCE_QUERIES_PER_S)
		count = PRESENCE_QUERIES_PER_S;
	w->poll_began_ms = clock_mono_ms();
	while (count--) {
		uint64_t number;
		uint64_t user = presence_subscriptions_next_user(
			w->subscriptions, &number);

		if (!query(w, user, on_poll_reply, number))
			return;
		w->poll_in_flight++;
	}
}

void presence_queries_tick(struct presence_queries *queries)
{
	uint64_t now_ms = clock_mono_ms();

	while (queries->oldest && queries->oldest->until_ms <= now_ms)
		request_fail(queries, queries->oldest);
	/* One query at a time: Redis has not answered the last one yet. */
	if (queries->poll_in_flight || !redis_is_up(queries->redis))
		return;
	poll_all(queries);
}
