/*
 * user_session - one user online: signs in, stays connected, sends pending
 * messages until they are saved, reports each message once and in order.
 *
 * It reconnects with full-jitter backoff, sends unsaved messages again under
 * the same uuid, and reads over REST what it missed after each `welcome`. When
 * the server says that the token ends soon, it renews the token in place. When
 * the server no longer accepts the token, it signs in again.
 *
 * Ownership  arguments of events are valid until the event returns. An event
 *            may send and may end the event loop; it must not destroy the
 *            session.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_USER_SESSION_H
#define PARLEY_CLIENT_TEST_CLIENT_USER_SESSION_H

#include "client-test/client/message.h"
#include "client-test/client/pending_messages.h"
#include "client-test/client/rest.h"

struct user_session;
struct uv_loop_s;

/* The reconnect backoff; backoff_ms() in common/base/random.h. */
enum { USER_SESSION_RETRY_BASE_MS = 250, USER_SESSION_RETRY_MAX_MS = 15000 };

/* The server's final answer to a message. */
struct send_result {
	const struct pending_message *entry;
	bool saved;
	uint64_t id; /* saved: from the `state` frame */
	uint64_t conversation;
	uint64_t seq;
	uint64_t created_at_ms; /* of a message */
	struct span code;       /* not saved: the error */
	struct span detail;
};

struct user_session_receipt {
	uint64_t conversation;
	uint64_t user;
	uint64_t delivered; /* everything up to this seq */
	uint64_t read;      /* everything up to this seq */
};

struct user_session_events {
	/* Connected, and everything missed was reported. */
	void (*online)(void *context);
	/* Not connected: the reason, and when it tries again. */
	void (*offline)(void *context, const char *why, uint64_t retry_ms);
	/* The server will never accept this name and password. */
	void (*denied)(void *context, enum status status, struct span why);

	/* The events below may be NULL. */

	/* user_session_token() is a new one. */
	void (*renewed)(void *context);
	/* The open socket has the new token. */
	void (*token_replaced)(void *context);
	/*
	 * The server cannot read what this client sends, and does not say which
	 * message that is; the same frames would be refused again.
	 */
	void (*unreadable)(void *context, struct span why);

	/*
	 * A message or a membership change. `own`: this session sent it, and
	 * reported it as saved.
	 */
	void (*message)(void *context, const struct message *message, bool own);
	void (*accepted)(void *context, const struct pending_message *entry);
	void (*settled)(void *context, const struct send_result *result);
	/* A message was edited or deleted, or got a reaction. */
	void (*changed)(void *context, const struct message_edit *edit);
	void (*receipt)(void *context,
	                const struct user_session_receipt *receipt);
	void (*typing)(void *context, uint64_t conversation, uint64_t user);
};

struct user_session_config {
	struct uv_loop_s *loop;
	struct rest *rest;
	const char *url;
	/* The session of a file, or NULL: sign in with name and password. */
	struct session_file *session;
	const char *name;
	const char *password;
	uint64_t history; /* messages of each conversation reported at start */
	const struct user_session_events *events;
	void *context;
};

/* Starts to sign in. NULL if the URL is not http://host:port. */
struct user_session *
user_session_create(const struct user_session_config *config);
/* The loop must run once more. */
void user_session_destroy(struct user_session **session);

uint64_t user_session_user(const struct user_session *session); /* 0: unknown */
struct span user_session_token(const struct user_session *session);
/* Renews the token now; the open socket gets the new one in place. */
void user_session_renew(struct user_session *session);
const struct pending_messages *
user_session_pending(const struct user_session *session);
/*
 * False if too many messages are pending. The draft has no
 * message_draft_fault().
 */
bool user_session_send(struct user_session *session, const struct uuid *uuid,
                       const struct message_draft *draft);
/*
 * Sends a frame once, if connected. After a reconnect the caller sends receipts
 * again.
 */
void user_session_delivered(struct user_session *session, uint64_t conversation,
                            uint64_t seq);
void user_session_read(struct user_session *session, uint64_t conversation,
                       uint64_t seq);
void user_session_typing(struct user_session *session, uint64_t conversation);

#endif
