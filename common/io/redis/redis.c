#include "common/io/redis/redis.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/base/scope.h"
#include "common/io/redis/loop.h"

#include <assert.h>
#include <stdio.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <uv.h>

enum {
	BACKOFF_BASE_MS = 100,
	BACKOFF_MAX_MS = 5000,
	GREETING_WAIT_MS = 2000,
	NUMBER_MAX = 20,
};

/* A command without a reply; reused through a free list. */
struct pending_command {
	struct redis *redis;
	redis_done *done;
	redis_set_done *set_done;
	void *context;
	uint64_t tag;
	struct pending_command *next;
};

struct redis {
	struct redis_options options;
	struct uv_loop_s *loop;
	redisAsyncContext *connection; /* NULL between attempts */
	bool up;
	bool reported_down;
	unsigned tries;
	unsigned pending;
	uint64_t dropped;
	struct pending_command *free_list;
	uv_timer_t *timer;
};

static void on_timer(uv_timer_t *timer);

static void report_down(struct redis *redis, const char *why)
{
	if (!redis->up && redis->reported_down)
		return;
	redis->up = false;
	redis->reported_down = true;
	redis->options.changed(redis->options.context, false, why);
}

static void retry_later(struct redis *redis)
{
	uint64_t wait_ms =
		1 + backoff_ms(redis->tries++, BACKOFF_BASE_MS, BACKOFF_MAX_MS);

	(void)uv_timer_start(redis->timer, on_timer, wait_ms, 0);
}

/* The attempt timed out: the server hangs, or packets are lost. */
static void give_up(struct redis *redis)
{
	redisAsyncContext *connection = redis->connection;

	redis->connection = NULL;
	connection->data = NULL;
	redisAsyncFree(connection);
	report_down(redis, "no answer");
	retry_later(redis);
}

/* hiredis frees the context after this callback and the next. */
static void on_disconnect(const redisAsyncContext *connection, int status)
{
	struct redis *redis = connection->data;

	if (!redis)
		return;
	redis->connection = NULL;
	report_down(redis, status == REDIS_OK ? "closed" : connection->errstr);
	retry_later(redis);
}

static void on_connect(const redisAsyncContext *connection, int status)
{
	struct redis *redis = connection->data;

	if (!redis || status == REDIS_OK)
		return; /* up after the first reply */
	redis->connection = NULL;
	report_down(redis, connection->errstr);
	retry_later(redis);
}

/* The reply to PING, the last command of the greeting. */
static void on_greeting(redisAsyncContext *connection, void *reply, void *data)
{
	const redisReply *answer = reply;
	struct redis *redis = connection->data;

	(void)data;
	if (!redis || !answer)
		return;
	if (answer->type == REDIS_REPLY_ERROR) {
		report_down(redis, answer->str);
		redisAsyncDisconnect(connection);
		return;
	}
	redis->up = true;
	redis->reported_down = false;
	redis->tries = 0;
	(void)uv_timer_stop(redis->timer);
	redis->options.changed(redis->options.context, true, NULL);
}

static void greet(struct redis *redis)
{
	const char *auth[] = {"AUTH", redis->options.password};

	if (*redis->options.password)
		(void)redisAsyncCommandArgv(redis->connection, NULL, NULL, 2,
		                            auth, NULL);
	(void)redisAsyncCommand(redis->connection, on_greeting, NULL, "PING");
}

static void connect_now(struct redis *redis)
{
	redisAsyncContext *connection = redisAsyncConnect(
		redis->options.host, (int)redis->options.port);

	if (!connection || connection->err) {
		report_down(redis,
		            connection ? connection->errstr : "no memory");
		if (connection)
			redisAsyncFree(connection);
		retry_later(redis);
		return;
	}
	connection->data = redis;
	redis->connection = connection;
	redis_loop_attach(connection, redis->loop);
	(void)redisAsyncSetConnectCallback(connection, on_connect);
	(void)redisAsyncSetDisconnectCallback(connection, on_disconnect);
	greet(redis);
	(void)uv_timer_start(redis->timer, on_timer, GREETING_WAIT_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct redis *redis = timer->data;

	if (redis->connection)
		give_up(redis);
	else
		connect_now(redis);
}

struct redis *redis_create(struct uv_loop_s *loop,
                           const struct redis_options *options)
{
	struct redis *redis = mem_new(sizeof(*redis));

	redis->options = *options;
	redis->loop = loop;
	redis->timer = mem_new(sizeof(*redis->timer));
	(void)uv_timer_init(loop, redis->timer);
	redis->timer->data = redis;
	connect_now(redis);
	return redis;
}

static void free_handle(uv_handle_t *handle)
{
	void *memory = handle;

	mem_free(&memory);
}

void redis_destroy(struct redis **redis)
{
	struct redis *r = *redis;

	if (!r)
		return;
	uv_close((uv_handle_t *)r->timer, free_handle);
	if (r->connection) {
		r->options.pending_max = 0;
		r->connection->data = NULL;
		redisAsyncFree(
			r->connection); /* completes the pending commands */
	}
	while (r->free_list) {
		struct pending_command *next = r->free_list->next;

		mem_free(&r->free_list);
		r->free_list = next;
	}
	mem_free(redis);
}

static struct pending_command *pending_take(struct redis *redis)
{
	struct pending_command *w = redis->free_list;

	if (w)
		redis->free_list = w->next;
	else
		w = mem_new(sizeof(*w));
	*w = (struct pending_command){.redis = redis};
	return w;
}

static void pending_release(struct pending_command *w)
{
	w->next = w->redis->free_list;
	w->redis->free_list = w;
}

/* --- replies ------------------------------------------------------------- */

static struct redis_reply reply_of(const redisReply *reply)
{
	struct redis_reply r = {.kind = REDIS_NIL};

	if (!reply)
		return (struct redis_reply){.kind = REDIS_NO_REPLY};
	if (reply->type == REDIS_REPLY_INTEGER) {
		r.kind = REDIS_NUMBER;
		r.number = reply->integer;
	} else if (reply->type == REDIS_REPLY_ARRAY) {
		r.kind = REDIS_LIST;
		r.count = (unsigned)reply->elements;
		r.items = reply;
	} else if (reply->type != REDIS_REPLY_NIL) {
		r.kind = reply->type == REDIS_REPLY_ERROR ? REDIS_FAULT
		                                          : REDIS_TEXT;
		r.text = span_make(reply->str, (size_t)reply->len);
	}
	return r;
}

struct redis_reply redis_item(const struct redis_reply *list, unsigned index)
{
	const redisReply *reply = list->items;

	assert(index < list->count);
	return reply_of(reply->element[index]);
}

static void on_reply(redisAsyncContext *connection, void *reply, void *data)
{
	const redisReply *answer = reply;
	struct redis_reply answered = reply_of(answer);
	struct pending_command *w = data;

	w->redis->pending--;
	if (w->done && connection->data)
		w->done(w->context, w->tag, &answered);
	if (w->set_done && connection->data)
		w->set_done(w->context, w->tag,
		            answer && answer->type == REDIS_REPLY_STATUS);
	pending_release(w);
}

/* --- commands ------------------------------------------------------------ */

static bool send_words(struct redis *redis, const struct span *words,
                       unsigned count, const struct pending_command *wanted)
{
	const char *argv[REDIS_WORDS_MAX];
	size_t lens[REDIS_WORDS_MAX];
	struct pending_command *w;

	assert(count <= REDIS_WORDS_MAX);
	for (unsigned i = 0; i < count; i++) {
		argv[i] = words[i].data;
		lens[i] = words[i].len;
	}
	if (!redis->up || redis->pending >= redis->options.pending_max) {
		redis->dropped++;
		return false;
	}
	w = pending_take(redis);
	w->done = wanted->done;
	w->set_done = wanted->set_done;
	w->context = wanted->context;
	w->tag = wanted->tag;
	if (redisAsyncCommandArgv(redis->connection, on_reply, w, (int)count,
	                          argv, lens) != REDIS_OK) {
		pending_release(w);
		redis->dropped++;
		return false;
	}
	redis->pending++;
	return true;
}

bool redis_command(struct redis *redis, const struct span *words,
                   unsigned count, redis_done *done, void *context,
                   uint64_t tag)
{
	return send_words(redis, words, count,
	                  &(struct pending_command){.done = done,
	                                            .context = context,
	                                            .tag = tag});
}

bool redis_set(struct redis *redis, struct span key, struct span value,
               unsigned ttl_s, enum redis_when when, redis_set_done *done,
               void *context, uint64_t tag)
{
	char ttl[NUMBER_MAX + 1];
	int ttl_len = snprintf(ttl, sizeof(ttl), "%u", ttl_s);
	const struct span words[] = {
		SPAN("SET"),
		key,
		value,
		SPAN("EX"),
		span_make(ttl, (size_t)ttl_len),
		when == REDIS_IF_ABSENT ? SPAN("NX") : SPAN("XX"),
	};

	return send_words(redis, words, ARRAY_LEN(words),
	                  &(struct pending_command){.set_done = done,
	                                            .context = context,
	                                            .tag = tag});
}

bool redis_is_up(const struct redis *redis)
{
	return redis->up;
}

uint64_t redis_dropped(const struct redis *redis)
{
	return redis->dropped;
}
