/*
 * redis - sends commands to Redis (hints and presence), on a libuv loop,
 * through hiredis.
 *
 * Redis may fail at any time, and nothing durable depends on it: a command that
 * cannot be sent is dropped and counted. The client reconnects by itself, with
 * jittered backoff. Each time it resolves the host again, off the loop
 * (resolver.h), and tries all addresses; when name servers do not answer within
 * check_ms, it tries the addresses that it knows.
 *
 * The connection is up when Redis answers all checks well: PING, and those of
 * the options. They are repeated each check_ms, so that the client notices a
 * Redis that hangs (after 4 check_ms it reconnects), and one that answers but
 * refuses (out of memory, read-only, no permission, loading, …). A refused
 * command takes the connection down until the next round of checks passes. A
 * Redis that refuses five rounds is left, because its name may lead to another
 * one.
 *
 * Bounds     at most `pending_max` commands wait for their replies. Beyond
 *            that, and without a connection that is up, commands are dropped.
 *            A reply has at most 1 MiB.
 * Threads    the thread of the loop.
 */
#ifndef PARLEY_IO_REDIS_H
#define PARLEY_IO_REDIS_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct redis;
struct uv_loop_s;

enum redis_kind {
	REDIS_NO_REPLY, /* the connection was lost first */
	REDIS_FAULT,    /* `text` is the error */
	REDIS_NIL,
	REDIS_TEXT,
	REDIS_NUMBER,
	REDIS_LIST,
};

enum { REDIS_WORDS_MAX = 8 };

#define REDIS_KIND(kind) (1u << (kind))

/* A command that Redis must answer with one of these kinds. */
struct redis_check {
	const char *words[REDIS_WORDS_MAX + 1]; /* NULL behind the last */
	unsigned kinds;                         /* REDIS_KIND() | … */
};

struct redis_options {    /* texts must live as long as the object */
	const char *host; /* a name or an address */
	uint16_t port;
	const char *password; /* "": none */
	unsigned pending_max;
	const struct redis_check *checks;
	unsigned check_count;
	unsigned check_ms; /* between two rounds of checks */
	/*
	 * Called when the connection comes up or goes down, and when the reason
	 * changes while it is down. `why` is NULL when it is up; it may be a
	 * text of the server.
	 */
	void (*changed)(void *context, bool up, const char *why);
	void *context;
};

struct redis *redis_create(struct uv_loop_s *loop,
                           const struct redis_options *options);
void redis_destroy(struct redis **redis);

bool redis_is_up(const struct redis *redis);

struct redis_reply { /* members that the kind does not use are zero */
	enum redis_kind kind;
	int64_t number;
	struct span text;
	unsigned count; /* of a list's items */
	const void *items;
};

/* Item `index` of a list. */
struct redis_reply redis_item(const struct redis_reply *list, unsigned index);

/* The reply lives until the call returns. */
typedef void redis_done(void *context, uint64_t tag,
                        const struct redis_reply *reply);

/*
 * Sends a command, given by its words; the commands of one turn of the loop
 * share one write. False when dropped. Else `done`, if not NULL, is called once
 * with `tag`, unless the object is destroyed before.
 */
bool redis_command(struct redis *redis, const struct span *words,
                   unsigned count, redis_done *done, void *context,
                   uint64_t tag);

enum redis_when { REDIS_IF_ABSENT, REDIS_IF_PRESENT };

/* `set` is false when the condition was not met or Redis failed. */
typedef void redis_set_done(void *context, uint64_t tag, bool set);

/*
 * SET key value EX ttl_s NX|XX. False when dropped. Else `done`, if not NULL,
 * is called once with `tag`.
 */
bool redis_set(struct redis *redis, struct span key, struct span value,
               unsigned ttl_s, enum redis_when when, redis_set_done *done,
               void *context, uint64_t tag);
/* Commands so far: dropped; answered with an error. */
uint64_t redis_dropped(const struct redis *redis);
uint64_t redis_faults(const struct redis *redis);

#endif
