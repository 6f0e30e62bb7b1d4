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
#include "websocket-service/socket/slots.h"

#include <utlist.h>

enum { INDEX_BITS = 6 }; /* of a user in a question: PRESENCE_USERS_MAX */

/* A `presence` frame that waits for Redis. */
struct question {
	struct question *prev, *next;
	uint64_t number;
	uint64_t connection;
	uint64_t until_ms;
	unsigned count;
	unsigned left; /* not answered yet */
	unsigned more; /* of them not watched by that socket before */
	uint64_t users[PRESENCE_USERS_MAX];
	struct sighting seen[PRESENCE_USERS_MAX];
};

struct watches {
	struct connections *connections;
	struct redis *redis;
	const struct rooms *rooms; /* who blocks whom */
	struct watchers *watchers;
	struct slots *questions;
	struct question *asked; /* oldest first */
	uint32_t under_way;     /* of the look at all who are watched */
	uint64_t look_ms;       /* when it began */
	struct buf key;
	struct buf text;
};

struct watches *watches_create(struct connections *connections,
                               struct redis *redis, const struct rooms *rooms)
{
	struct watches *w = mem_new(sizeof(*w));

	w->connections = connections;
	w->redis = redis;
	w->rooms = rooms;
	w->watchers = watchers_create(connections,
	                              WATCHES_MAX + WATCHES_QUESTIONS *
	                                                    PRESENCE_USERS_MAX);
	w->questions = slots_create(WATCHES_QUESTIONS);
	w->key = BUF(PRESENCE_KEY_MAX);
	w->text = BUF(FRAME_OUT_MAX);
	return w;
}

static void question_end(struct watches *w, struct question *question)
{
	DL_DELETE(w->asked, question);
	slots_remove(w->questions, question->number);
	mem_free(&question);
}

void watches_destroy(struct watches **watches)
{
	struct watches *w = *watches;

	if (!w)
		return;
	while (w->asked)
		question_end(w, w->asked);
	watchers_destroy(&w->watchers);
	slots_destroy(&w->questions);
	buf_free(&w->key);
	buf_free(&w->text);
	mem_free(watches);
}

uint32_t watches_count(const struct watches *watches)
{
	return watchers_count(watches->watchers);
}

/* --- looking into Redis -------------------------------------------------- */

static bool look(struct watches *w, uint64_t user, redis_done *done,
                 uint64_t tag)
{
	struct span words[] = {SPAN("ZREVRANGE"), SPAN_NONE, SPAN("0"),
	                       SPAN("0"), SPAN("WITHSCORES")};

	buf_clear(&w->key);
	presence_key(&w->key, user);
	words[1] = buf_span(&w->key);
	metric_count(&measure_presence_asked, 1);
	return redis_command(w->redis, words, ARRAY_LEN(words), done, w, tag);
}

/* False when Redis has not answered. */
static bool read_sighting(const struct redis_reply *reply,
                          struct sighting *ret_sighting)
{
	struct redis_reply score;
	uint64_t number;

	*ret_sighting = (struct sighting){SEEN_ABSENT, 0};
	if (reply->kind == REDIS_NO_REPLY || reply->kind == REDIS_FAULT)
		return false;
	if (reply->kind != REDIS_LIST || reply->count != 2)
		return true;
	score = redis_item(reply, 1);
	if (span_to_u64(score.text, JSON_ID_MAX, &number))
		*ret_sighting = sighting_of(number, clock_unix_ms());
	return true;
}

/* --- questions ----------------------------------------------------------- */

static void refuse(struct watches *w, struct connection *connection,
                   enum frame_code code, const char *detail)
{
	buf_clear(&w->text);
	frame_error(&w->text, NULL, code, detail);
	connection_send(connection, buf_span(&w->text));
	metric_count(&measure_bad_frames, 1);
}

static void question_fail(struct watches *w, struct question *question)
{
	struct connection *connection =
		connections_find(w->connections, question->connection);

	question_end(w, question);
	if (connection)
		refuse(w, connection, FRAME_UNAVAILABLE,
		       "who is online can't be looked up now");
}

static void write_answer(struct watches *w, const struct question *question,
                         uint64_t asker)
{
	struct presence_frame frame = frame_presence_open(&w->text);

	for (unsigned i = 0; i < question->count; i++) {
		uint64_t user = question->users[i];

		frame_presence_add(
			&frame, user,
			watchers_add(w->watchers, question->connection, user,
		                     &question->seen[i],
		                     rooms_blocked(w->rooms, asker, user)));
	}
	frame_presence_close(&frame);
}

static void question_answer(struct watches *w, struct question *question)
{
	struct connection *connection =
		connections_find(w->connections, question->connection);

	buf_clear(&w->text);
	if (connection)
		write_answer(w, question, connection_user(connection));
	question_end(w, question);
	if (connection)
		connection_send(connection, buf_span(&w->text));
}

void watches_block(struct watches *watches, uint64_t user, uint64_t by,
                   bool blocks)
{
	watchers_hide(watches->watchers, by, user, blocks);
}

static void on_question(void *context, uint64_t tag,
                        const struct redis_reply *reply)
{
	struct watches *w = context;
	struct question *question = slots_get(w->questions, tag >> INDEX_BITS);
	uint64_t index = tag & ((1u << INDEX_BITS) - 1);

	if (!question)
		return;
	if (!read_sighting(reply, &question->seen[index]))
		question_fail(w, question);
	else if (--question->left == 0)
		question_answer(w, question);
}

static struct question *question_make(struct watches *w, uint64_t connection,
                                      const struct client_frame *frame)
{
	struct question *question = mem_new(sizeof(*question));

	question->connection = connection;
	question->until_ms = clock_mono_ms() + WATCHES_ANSWER_MS;
	question->count = frame->user_count;
	question->left = frame->user_count;
	for (unsigned i = 0; i < question->count; i++) {
		question->users[i] = frame_presence_user(frame, i);
		question->more += !watchers_has(w->watchers, connection,
		                                question->users[i]);
	}
	question->number = slots_add(w->questions, question);
	DL_APPEND(w->asked, question);
	return question;
}

static void question_begin(struct watches *w, struct question *question)
{
	uint64_t tag = question->number << INDEX_BITS;

	for (unsigned i = 0; i < question->count; i++) {
		if (!look(w, question->users[i], on_question, tag | i)) {
			question_fail(w, question);
			return;
		}
	}
}

/* With those that it has asked for; few questions wait at a time. */
static unsigned watched_by(const struct watches *w, uint64_t connection)
{
	unsigned count = watchers_count_of(w->watchers, connection);
	const struct question *question;

	DL_FOREACH (w->asked, question) {
		if (question->connection == connection)
			count += question->more;
	}
	return count;
}

static void ask(struct watches *w, struct connection *connection,
                const struct client_frame *frame)
{
	struct question *question =
		question_make(w, connection_id(connection), frame);

	if (watched_by(w, question->connection) <= WATCHES_OF_SOCKET) {
		question_begin(w, question);
		return;
	}
	question_end(w, question);
	refuse(w, connection, FRAME_TOO_MANY,
	       "a socket may watch 500 users at most");
}

void watches_take(struct watches *watches, struct connection *connection,
                  const struct client_frame *frame)
{
	if (frame->user_count == 0)
		watches_leave(watches, connection_id(connection));
	else if (!redis_is_up(watches->redis) ||
	         slots_count(watches->questions) >= WATCHES_QUESTIONS ||
	         watches_count(watches) >= WATCHES_MAX)
		refuse(watches, connection, FRAME_UNAVAILABLE,
		       "who is online can't be looked up now");
	else
		ask(watches, connection, frame);
}

void watches_leave(struct watches *watches, uint64_t connection)
{
	struct question *question, *next;

	DL_FOREACH_SAFE (watches->asked, question, next) {
		if (question->connection == connection)
			question_end(watches, question);
	}
	watchers_leave(watches->watchers, connection);
}

/* --- all who are watched, each second ------------------------------------ */

void watches_calm(struct watches *watches)
{
	watchers_calm(watches->watchers);
}

static void on_look(void *context, uint64_t number,
                    const struct redis_reply *reply)
{
	struct watches *w = context;
	struct sighting sighting;

	/* Who is slow may have been away, and times in it may be over. */
	if (clock_mono_ms() >= w->look_ms + WATCHES_STALL_MS)
		watches_calm(w);
	if (read_sighting(reply, &sighting))
		watchers_seen(w->watchers, number, &sighting);
	if (--w->under_way == 0 && reply->kind != REDIS_NO_REPLY)
		watchers_tell(w->watchers);
}

static void look_at_all(struct watches *w)
{
	uint32_t count = watchers_users(w->watchers);

	if (count > WATCHES_PER_TURN)
		count = WATCHES_PER_TURN;
	w->look_ms = clock_mono_ms();
	while (count--) {
		uint64_t number;
		uint64_t user = watchers_next(w->watchers, &number);

		if (!look(w, user, on_look, number))
			return;
		w->under_way++;
	}
}

void watches_tick(struct watches *watches)
{
	uint64_t now_ms = clock_mono_ms();

	while (watches->asked && watches->asked->until_ms <= now_ms)
		question_fail(watches, watches->asked);
	/* One look at a time: Redis has not answered the last one yet. */
	if (watches->under_way || !redis_is_up(watches->redis))
		return;
	look_at_all(watches);
}
