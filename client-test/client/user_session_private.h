/*
 * user_session_private - what the files of the user_session module share.
 *
 * user_session.c         the connection, the token, what the session sends
 * user_session_frames.c  the frames that arrive
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_USER_SESSION_PRIVATE_H
#define PARLEY_CLIENT_TEST_CLIENT_USER_SESSION_PRIVATE_H

#include "client-test/client/account.h"
#include "client-test/client/backlog.h"
#include "client-test/client/connection.h"
#include "client-test/client/inbox.h"
#include "client-test/client/loop_timer.h"
#include "client-test/client/user_session.h"

struct user_session {
	struct uv_loop_s *loop;
	struct address address;
	const struct user_session_events *events;
	void *context;
	struct account *account;
	struct connection *connection;
	struct inbox *inbox;
	struct pending_messages *pending;
	struct backlog *backlog;
	struct loop_timer *reconnect;
	struct loop_timer *resend;
	struct loop_timer *renew;
	unsigned failures;       /* in a row */
	unsigned renew_failures; /* in a row */
	bool sign_in_again;
	bool signing_in;   /* account_sign_in() is under way */
	bool wants_online; /* as soon as that is over */
	bool token_sent;   /* an `auth` frame is not answered yet */
	bool welcomed;
	bool reported_online;
};

/* For the connection's events. */
void user_session_take_text(void *context, struct span text);

/* Sends what is due of the pending messages. */
void user_session_flush(struct user_session *session);
/* Asks for a new token again; the old one counts until then. */
void user_session_renew_later(struct user_session *session);
/* A message that the inbox has let through; for the backlog's events, too. */
void user_session_report(void *context, const struct message *message);

#endif
