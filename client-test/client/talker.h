/*
 * talker - one user online: signs in, stays connected, sends what is in its
 * outbox until it is saved, shows each message once and in order.
 *
 * Reconnects with full-jitter backoff, sends unsaved messages again under the
 * same uuid, logs in again when the token is not taken any more, and after each
 * `welcome` reads over REST what it missed.
 *
 * Ownership  what events get lives until they return. An event may send, and
 *            may stop the loop; it must not destroy the talker.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_TALKER_H
#define PARLEY_CLIENT_TEST_CLIENT_TALKER_H

#include "client-test/client/message.h"
#include "client-test/client/pending_messages.h"
#include "client-test/client/rest.h"

struct talker;
struct uv_loop_s;

/* Before it tries to come back; backoff_ms() in common/base/random.h. */
enum { TALKER_RETRY_BASE_MS = 250, TALKER_RETRY_MAX_MS = 15000 };

/* What became of a message: the answer that settled it. */
struct outcome {
	const struct outbox_entry *entry;
	bool saved;
	uint64_t id; /* saved: as the `state` frame has it */
	uint64_t conversation;
	uint64_t seq;
	uint64_t created_at_ms; /* of a message */
	struct span code;       /* refused */
	struct span detail;
};

struct talker_receipt {
	uint64_t conversation;
	uint64_t user;
	uint64_t delivered; /* a seq, and all below it */
	uint64_t read;
};

struct talker_events {
	/* Connected, and all that was missed has been told. */
	void (*online)(void *context);
	/* Words for why not, and when it tries again. */
	void (*offline)(void *context, const char *why, uint64_t retry_ms);
	/* The name and password will never do. */
	void (*denied)(void *context, enum status status, struct span why);
	/*
	 * A message, or what happened to a conversation. `own`: this talker
	 * sent it, and told that it is saved.
	 */
	void (*message)(void *context, const struct message *message, bool own);
	void (*accepted)(void *context, const struct outbox_entry *entry);
	void (*settled)(void *context, const struct outcome *outcome);
	/* These may be NULL. A message has changed: */
	void (*changed)(void *context, const struct message_edit *edit);
	/* A member of a conversation has come so far: */
	void (*receipt)(void *context, const struct talker_receipt *receipt);
	void (*typing)(void *context, uint64_t conversation, uint64_t user);
};

struct talker_setup {
	struct uv_loop_s *loop;
	struct rest *rest;
	const char *url;
	const char *name;
	const char *password;
	uint64_t history; /* messages of a conversation told at the start */
	const struct talker_events *events;
	void *context;
};

/* Starts to sign in. NULL when the URL is none that client-test speaks. */
struct talker *talker_create(const struct talker_setup *setup);
/* The loop must turn until its handles are closed. */
void talker_destroy(struct talker **talker);

uint64_t talker_user(const struct talker *talker); /* 0: not yet known */
struct span talker_token(const struct talker *talker);
const struct outbox *talker_outbox(const struct talker *talker);
/* Up to where all of a conversation was told; 0: nothing of it. */
uint64_t talker_top(const struct talker *talker, uint64_t conversation);
/* False when the outbox is full. */
bool talker_send(struct talker *talker, const struct uuid *uuid,
                 const struct outbox_draft *draft);
/* Sent once, if there is a connection: who was away says it again. */
void talker_delivered(struct talker *talker, uint64_t conversation,
                      uint64_t seq);
void talker_read(struct talker *talker, uint64_t conversation, uint64_t seq);
void talker_typing(struct talker *talker, uint64_t conversation);

#endif
