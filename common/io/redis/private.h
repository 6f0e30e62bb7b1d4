/*
 * redis_private - what the files of the redis module share.
 *
 * redis.c       commands and replies
 * connection.c  connects, checks and reconnects
 */
#ifndef PARLEY_IO_REDIS_PRIVATE_H
#define PARLEY_IO_REDIS_PRIVATE_H

#include "common/io/redis/redis.h"
#include "common/io/resolver.h"

#include <uv.h>

struct pending_command;
struct redisAsyncContext;
struct redisReply;

enum { REDIS_WHY_MAX = 512 };

struct redis {
	struct redis_options options;
	struct uv_loop_s *loop;
	/* Commands: redis.c. */
	unsigned pending;
	uint64_t dropped;
	uint64_t faults;
	struct pending_command *free_list;
	/* The connection: connection.c. */
	struct redisAsyncContext *connection; /* NULL between attempts */
	struct resolver *resolver;
	struct resolver_addresses addresses; /* of the latest look-up */
	unsigned next_address;
	bool stopping;
	bool resolving; /* an attempt waits for the resolver */
	bool up;
	bool passed; /* this connection was up at some time */
	unsigned tries;
	uv_timer_t *timer; /* the wait between attempts, or the ticks */
	/* The current round of checks. */
	unsigned unanswered;
	unsigned ticks_unanswered;
	unsigned rounds_refused; /* one after the other */
	bool refused;
	char refusal[REDIS_WHY_MAX];
	char auth_error[REDIS_WHY_MAX];
	char reported[REDIS_WHY_MAX]; /* the reason last reported; "": up */
};

/* Starts the first attempt. */
void redis_connection_start(struct redis *redis);
/* Redis refused a command: the connection is down until a round passes. */
void redis_connection_refuses(struct redis *redis, const char *why);
/* Completes the pending commands without a call of `done`. */
void redis_connection_stop(struct redis *redis);

struct redis_reply redis_reply_of(const struct redisReply *reply);

#endif
