/*
 * backlog - what happened while nobody was connected, read over REST: first
 * which conversations are different from what was known (all of them at first),
 * then what the inbox misses of each.
 *
 * Also fills the gaps that frames leave. A call that fails is made again with
 * backoff.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_BACKLOG_H
#define PARLEY_CLIENT_TEST_CLIENT_BACKLOG_H

#include "client-test/client/inbox.h"
#include "client-test/client/message.h"
#include "client-test/client/rest.h"

struct backlog;
struct uv_loop_s;

struct backlog_events {
	/* A message, or what happened to a conversation. */
	void (*message)(void *context, const struct message *message);
	/* The inbox misses nothing that is known of. */
	void (*complete)(void *context);
};

struct backlog *backlog_create(struct uv_loop_s *loop, struct rest *rest,
                               struct inbox *inbox, uint64_t history,
                               const struct backlog_events *events,
                               void *context);
void backlog_destroy(struct backlog **backlog);

/* Asks again which conversations are different; after a `welcome`. */
void backlog_list(struct backlog *backlog, struct span token);
/* Fetches what the inbox misses. */
void backlog_fill(struct backlog *backlog);

#endif
