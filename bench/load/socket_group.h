/*
 * socket_group - many sockets of many users, opened some at a time. A socket
 * counts as connected when it got its `welcome`.
 *
 * Users come from the file options->tokens: member i is the line options->from
 * plus i, from the start again if the file is shorter.
 *
 * Ownership  socket_group_destroy() disconnects all and frees everything.
 */
#ifndef PARLEY_BENCH_LOAD_SOCKET_GROUP_H
#define PARLEY_BENCH_LOAD_SOCKET_GROUP_H

#include "bench/load/load_options.h"
#include "client-test/cli/histogram.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct socket_group;

struct socket_group_events {
	/* A frame other than `welcome`. NULL: frames are ignored. */
	void (*text)(void *context, unsigned member, struct span text,
	             uint64_t now_us);
	/* The `welcome` arrived. NULL: members are only counted. */
	void (*welcomed)(void *context, unsigned member, uint64_t now_us);
	/*
	 * Called once for a lost socket; must not reconnect it from within.
	 * NULL: losses are only counted.
	 */
	void (*lost)(void *context, unsigned member, const char *why);
};

/* ST_INVALID, with the reason on stderr: bad URL or tokens. */
MUST_CHECK enum status
socket_group_create(const struct load_options *options,
                    const struct socket_group_events *events, void *context,
                    struct socket_group **ret_group);
void socket_group_destroy(struct socket_group **group);

/* Opens all, options->at_once at a time. False if one is lost or times out. */
bool socket_group_connect_all(struct socket_group *group);
/* Connects a member that is not connected; not from within an event. */
void socket_group_connect(struct socket_group *group, unsigned member);
/* Closes the TCP connection without a close frame. */
void socket_group_close(struct socket_group *group, unsigned member);
void socket_group_poll(struct socket_group *group, uint64_t until_us);
/* See client_sockets_pause(). */
void socket_group_pause(struct socket_group *group, unsigned pause_us);

unsigned socket_group_size(const struct socket_group *group);
unsigned socket_group_welcomed(const struct socket_group *group); /* now */
unsigned socket_group_lost(const struct socket_group *group);     /* ever */
/* Has been connecting since before `since_us`, without a `welcome`. */
bool socket_group_is_late(const struct socket_group *group, unsigned member,
                          uint64_t since_us);
/* The times from connect() to `welcome`. */
const struct histogram *socket_group_times(const struct socket_group *group);

#endif
