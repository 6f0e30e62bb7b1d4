#include "client-test/client/user_session_private.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/wire/frame.h"

#include <stdio.h>

enum {
	PENDING_MAX = 1024,
	RENEW_RETRY_BASE_MS = 200,
	RENEW_RETRY_MAX_MS = 5000,
};

/* --- getting online ------------------------------------------------------ */
static const struct connection_events connection_events;

static void sign_in(struct user_session *session)
{
	if (session->signing_in)
		return;
	session->signing_in = true;
	account_sign_in(session->account);
}

static void go_online(void *context)
{
	struct user_session *session = context;

	session->wants_online = session->sign_in_again || session->signing_in;
	if (session->wants_online) {
		sign_in(session);
		return;
	}
	session->connection = connection_create(
		session->loop, &session->address,
		account_token(session->account), &connection_events, session);
}

static void try_later(struct user_session *session, const char *why)
{
	uint64_t wait_ms =
		backoff_ms(session->failures++, USER_SESSION_RETRY_BASE_MS,
	                   USER_SESSION_RETRY_MAX_MS);

	session->reported_online = false;
	session->events->offline(session->context, why, wait_ms);
	loop_timer_start(session->reconnect, wait_ms);
}

static void ended(void *context, enum status status, const char *why)
{
	struct user_session *session = context;

	connection_destroy(&session->connection);
	session->welcomed = false;
	session->token_sent = false;
	loop_timer_stop(session->resend);
	loop_timer_stop(session->renew);
	session->sign_in_again = status == ST_DENIED;
	if (status == ST_INVALID && session->events->unreadable)
		session->events->unreadable(session->context, span_of(why));
	try_later(session, why);
}

/* --- the token ----------------------------------------------------------- */
static void renew(void *context)
{
	sign_in(context);
}

void user_session_renew(struct user_session *session)
{
	sign_in(session);
}

/* Until then the old token counts; without it the server closes the socket. */
void user_session_renew_later(struct user_session *session)
{
	loop_timer_start(session->renew,
	                 backoff_ms(session->renew_failures++,
	                            RENEW_RETRY_BASE_MS, RENEW_RETRY_MAX_MS));
}

static void send_token(struct user_session *session)
{
	struct buf frame CLEANUP(buf_free) = BUF(FRAME_MAX);
	struct json_writer w = json_writer(&frame);

	if (!session->welcomed)
		return;
	json_open(&w);
	json_text(&w, "type", SPAN("auth"));
	json_text(&w, "token", account_token(session->account));
	json_close(&w);
	session->token_sent =
		connection_send(session->connection, buf_span(&frame));
}

static void renewed(struct user_session *session)
{
	session->sign_in_again = false;
	backlog_set_token(session->backlog, account_token(session->account));
	if (session->events->renewed)
		session->events->renewed(session->context);
	if (session->wants_online)
		go_online(session);
	else
		send_token(session);
}

static void signed_in(void *context, enum status status, struct span why)
{
	struct user_session *session = context;
	char words[256];

	session->signing_in = false;
	if (status == ST_OK) {
		renewed(session);
	} else if (!session->wants_online) {
		/* The reason is said when the old token has ended, too. */
		if (session->welcomed)
			user_session_renew_later(session);
	} else if (status == ST_BUSY || status == ST_UNAVAILABLE) {
		(void)snprintf(words, sizeof(words), "signing in: %.*s",
		               (int)why.len, why.len ? why.data : "");
		try_later(session, words);
	} else {
		session->events->denied(session->context, status, why);
	}
}

/* --- pending messages ---------------------------------------------------- */
void user_session_flush(struct user_session *session)
{
	const struct pending_message *entry;
	uint64_t wait_ms;

	if (!session->welcomed)
		return;
	while ((entry = pending_messages_next(session->pending,
	                                      clock_mono_ms()))) {
		struct buf frame CLEANUP(buf_free) = BUF(FRAME_MAX);

		pending_message_frame(entry, &frame);
		if (!connection_send(session->connection, buf_span(&frame)))
			return;
	}
	wait_ms = pending_messages_wait_ms(session->pending, clock_mono_ms());
	if (wait_ms == UINT64_MAX)
		loop_timer_stop(session->resend);
	else
		loop_timer_start(session->resend, wait_ms + 1);
}

static void resend(void *context)
{
	user_session_flush(context);
}

static const struct connection_events connection_events = {
	.text = user_session_take_text,
	.ended = ended,
};

/* --- the backlog --------------------------------------------------------- */
static void complete(void *context)
{
	struct user_session *session = context;

	if (!session->welcomed || session->reported_online)
		return;
	session->reported_online = true;
	session->events->online(session->context);
}

void user_session_report(void *context, const struct message *message)
{
	struct user_session *session = context;
	bool own = message->user_from == account_user(session->account) &&
	           (pending_messages_find(session->pending, &message->uuid) ||
	            pending_messages_was_removed(session->pending,
	                                         &message->uuid));

	if (session->events->message)
		session->events->message(session->context, message, own);
}

static const struct backlog_events backlog_events = {
	.message = user_session_report,
	.complete = complete,
};

/* --- the session --------------------------------------------------------- */
struct user_session *
user_session_create(const struct user_session_config *config)
{
	struct user_session *session = mem_new(sizeof(*session));

	if (!address_parse(config->url, &session->address)) {
		mem_free(&session);
		return NULL;
	}
	session->loop = config->loop;
	session->events = config->events;
	session->context = config->context;
	session->inbox = inbox_create();
	session->pending = pending_messages_create(PENDING_MAX);
	session->account =
		config->session
			? account_create_saved(config->loop, config->rest,
	                                       config->session, signed_in,
	                                       session)
			: account_create(config->rest, config->name,
	                                 config->password, signed_in, session);
	session->backlog =
		backlog_create(config->loop, config->rest, session->inbox,
	                       config->history, &backlog_events, session);
	session->reconnect =
		loop_timer_create(config->loop, go_online, session);
	session->resend = loop_timer_create(config->loop, resend, session);
	session->renew = loop_timer_create(config->loop, renew, session);
	session->sign_in_again = true;
	go_online(session);
	return session;
}

void user_session_destroy(struct user_session **user_session_at)
{
	struct user_session *session = MOVE(*user_session_at);

	if (!session)
		return;
	connection_destroy(&session->connection);
	backlog_destroy(&session->backlog);
	account_destroy(&session->account);
	inbox_destroy(&session->inbox);
	pending_messages_destroy(&session->pending);
	loop_timer_destroy(&session->reconnect);
	loop_timer_destroy(&session->resend);
	loop_timer_destroy(&session->renew);
	mem_free(&session);
}

uint64_t user_session_user(const struct user_session *session)
{
	return account_user(session->account);
}

struct span user_session_token(const struct user_session *session)
{
	return account_token(session->account);
}

const struct pending_messages *
user_session_pending(const struct user_session *session)
{
	return session->pending;
}

bool user_session_send(struct user_session *session, const struct uuid *uuid,
                       const struct message_draft *draft)
{
	if (!pending_messages_add(session->pending, uuid, draft,
	                          clock_mono_ms()))
		return false;
	user_session_flush(session);
	return true;
}

/* --- receipts and typing ------------------------------------------------- */
static void send_frame(struct user_session *session, const char *type,
                       uint64_t conversation, uint64_t seq)
{
	struct buf frame CLEANUP(buf_free) = BUF(256);
	struct json_writer w = json_writer(&frame);

	if (!session->welcomed)
		return;
	json_open(&w);
	json_text(&w, "type", span_of(type));
	json_number(&w, "conversation", conversation);
	if (seq)
		json_number(&w, "seq", seq);
	json_close(&w);
	(void)connection_send(session->connection, buf_span(&frame));
}

void user_session_delivered(struct user_session *session, uint64_t conversation,
                            uint64_t seq)
{
	send_frame(session, "delivered", conversation, seq);
}

void user_session_read(struct user_session *session, uint64_t conversation,
                       uint64_t seq)
{
	send_frame(session, "read", conversation, seq);
}

void user_session_typing(struct user_session *session, uint64_t conversation)
{
	send_frame(session, "typing", conversation, 0);
}
