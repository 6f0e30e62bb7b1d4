/*
 * backlog - reads over REST what the client missed while it was offline: first
 * the list of conversations that changed (at the start: all of them), then the
 * entries that the inbox misses in each.
 *
 * It also fetches the gaps that frames leave. It retries a failed call with
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
	/* A missed message or membership change. */
	void (*message)(void *context, const struct message *message);
	/* The inbox misses nothing more. */
	void (*complete)(void *context);
};

struct backlog *backlog_create(struct uv_loop_s *loop, struct rest *rest,
                               struct inbox *inbox, uint64_t history,
                               const struct backlog_events *events,
                               void *context);
void backlog_destroy(struct backlog **backlog);

/* Asks which conversations changed; to be called after each `welcome`. */
void backlog_sync(struct backlog *backlog, struct span token);
/* For the calls from now on. */
void backlog_set_token(struct backlog *backlog, struct span token);
/* Fetches the entries that the inbox misses. */
void backlog_fetch(struct backlog *backlog);

#endif
