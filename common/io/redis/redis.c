#include "common/io/redis/redis.h"
#include "common/base/mem.h"
#include "common/base/scope.h"
#include "common/io/redis/private.h"

#include <assert.h>
#include <stdio.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <uv.h>

enum { NUMBER_MAX = 20 };

/* A command without a reply; reused through a free list. */
struct pending_command {
	struct redis *redis;
	redis_done *done;
	redis_set_done *set_done;
	void *context;
	uint64_t tag;
	struct pending_command *next;
};

struct redis *redis_create(struct uv_loop_s *loop,
                           const struct redis_options *options)
{
	struct redis *redis = mem_new(sizeof(*redis));

	redis->options = *options;
	redis->loop = loop;
	redis_connection_start(redis);
	return redis;
}

void redis_destroy(struct redis **redis)
{
	struct redis *r = *redis;

	if (!r)
		return;
	redis_connection_stop(r);
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

struct redis_reply redis_reply_of(const redisReply *reply)
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
	return redis_reply_of(reply->element[index]);
}

/* A key of the wrong type concerns one user, not the server. */
static void count_fault(struct redis *redis, const redisReply *answer)
{
	redis->faults++;
	if (strncmp(answer->str, "WRONGTYPE", 9) != 0)
		redis_connection_refuses(redis, answer->str);
}

static void on_reply(redisAsyncContext *connection, void *reply, void *data)
{
	const redisReply *answer = reply;
	struct redis_reply answered = redis_reply_of(answer);
	struct pending_command *w = data;

	w->redis->pending--;
	if (answered.kind == REDIS_FAULT && connection->data)
		count_fault(w->redis, answer);
	if (w->done && !w->redis->stopping)
		w->done(w->context, w->tag, &answered);
	if (w->set_done && !w->redis->stopping)
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

uint64_t redis_faults(const struct redis *redis)
{
	return redis->faults;
}
