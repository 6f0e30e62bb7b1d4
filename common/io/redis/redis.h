/*
 * redis - hints and presence in Redis, on a libuv loop, through hiredis.
 *
 * Everything here may fail at any time and nothing depends on it: commands
 * that can't be sent are dropped, and dropped commands are counted. The
 * connection is made again by itself, with jittered backoff.
 *
 * Bounds     at most `pending_max` commands await their answers; beyond that,
 *            or while there is no connection, commands are dropped.
 * Threads    the loop's.
 */
#ifndef PARLEY_IO_REDIS_H
#define PARLEY_IO_REDIS_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct redis;
struct uv_loop_s;

struct redis_options { /* texts must live as long as the object */
	const char *host;
	uint16_t port;
	const char *password; /* "": none */
	unsigned pending_max;
	/* Each change of the connection; why is NULL when it is up. */
	void (*changed)(void *context, bool up, const char *why);
	void *context;
};

struct redis *redis_create(struct uv_loop_s *loop,
                           const struct redis_options *options);
void redis_destroy(struct redis **redis);

bool redis_is_up(const struct redis *redis);

enum redis_kind {
	REDIS_NO_REPLY, /* the connection broke first */
	REDIS_FAULT,    /* text says why */
	REDIS_NIL,
	REDIS_TEXT,
	REDIS_NUMBER,
	REDIS_LIST,
};

struct redis_reply { /* what its kind does not have is zero */
	enum redis_kind kind;
	int64_t number;
	struct span text;
	unsigned count; /* of a list's items */
	const void *items;
};

/* One of the items of a list. */
struct redis_reply redis_item(const struct redis_reply *list, unsigned index);

/* The reply lives until the call returns. */
typedef void redis_done(void *context, uint64_t tag,
                        const struct redis_reply *reply);

enum { REDIS_WORDS_MAX = 8 };

/*
 * Any command, by its words. Those of one turn of the loop go in one write.
 * False when dropped; else `done`, if given, is called once with `tag`, unless
 * the object is destroyed before.
 */
bool redis_command(struct redis *redis, const struct span *words,
                   unsigned count, redis_done *done, void *context,
                   uint64_t tag);

enum redis_when { REDIS_IF_ABSENT, REDIS_IF_PRESENT };

/* `set` is false when the condition did not hold, or Redis failed. */
typedef void redis_set_done(void *context, uint64_t tag, bool set);

/*
 * SET key value EX ttl_s NX|XX. False when dropped; else `done`, if given, is
 * called once with `tag`.
 */
bool redis_set(struct redis *redis, struct span key, struct span value,
               unsigned ttl_s, enum redis_when when, redis_set_done *done,
               void *context, uint64_t tag);
uint64_t redis_dropped(const struct redis *redis);

#endif
