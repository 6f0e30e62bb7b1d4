/*
 * redis - hints in Redis, on a libuv loop, through hiredis.
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
