#include "client-test/client/user_session.h"
#include "client-test/client/account.h"
#include "client-test/client/backlog.h"
#include "client-test/client/connection.h"
#include "client-test/client/inbox.h"
#include "client-test/client/loop_timer.h"
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

static void flush(struct user_session *session);

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
static void renew_later(struct user_session *session)
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
			renew_later(session);
	} else if (status == ST_BUSY || status == ST_UNAVAILABLE) {
		(void)snprintf(words, sizeof(words), "signing in: %.*s",
		               (int)why.len, why.len ? why.data : "");
		try_later(session, words);
	} else {
		session->events->denied(session->context, status, why);
	}
}

/* --- pending messages ---------------------------------------------------- */
static void flush(struct user_session *session)
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
	flush(context);
}

static void settle(struct user_session *session,
                   const struct send_result *result)
{
	struct uuid uuid = result->entry->uuid;

	if (session->events->settled)
		session->events->settled(session->context, result);
	pending_messages_remove(session->pending, &uuid);
	flush(session);
}

static void take_saved(struct user_session *session,
                       const struct pending_message *entry,
                       const struct json *frame)
{
	struct send_result result = {.entry = entry, .saved = true};
	bool message = entry->draft.kind == DRAFT_MESSAGE;
	struct span created_at;

	if (!json_get_id(frame, "conversation", &result.conversation) ||
	    !json_get_id(frame, "seq", &result.seq))
		return;
	if (message && (!json_get_id(frame, "id", &result.id) ||
	                !json_get_text(frame, "created_at", &created_at) ||
	                !clock_parse(created_at, &result.created_at_ms)))
		return;
	/* The server sends no `message` frame to the sending socket. */
	if (message && inbox_take(session->inbox, result.conversation,
	                          result.seq) == INBOX_GAP)
		backlog_fetch(session->backlog);
	settle(session, &result);
}

static void take_error(struct user_session *session,
                       const struct pending_message *entry,
                       const struct json *frame)
{
	struct send_result result = {.entry = entry};
	bool retryable = false;

	(void)json_get_bool(frame, "retryable", &retryable);
	if (retryable) {
		pending_messages_retry(session->pending, &entry->uuid,
		                       clock_mono_ms());
		flush(session);
		return;
	}
	(void)json_get_text(frame, "code", &result.code);
	(void)json_get_text(frame, "detail", &result.detail);
	settle(session, &result);
}

static void take_accepted(struct user_session *session,
                          const struct pending_message *entry)
{
	pending_messages_accept(session->pending, &entry->uuid);
	if (session->events->accepted)
		session->events->accepted(session->context, entry);
}

/* --- frames -------------------------------------------------------------- */
/* This client sends no other frame that has no uuid and gets these codes. */
static bool is_about_token(struct span code)
{
	return span_equal(code, SPAN("bad_token")) ||
	       span_equal(code, SPAN("unavailable")) ||
	       span_equal(code, SPAN("too_fast"));
}

/*
 * An error without a uuid. With a conversation it refuses a receipt or typing,
 * which is no loss.
 */
static void take_fault(struct user_session *session, const struct json *frame)
{
	bool retryable = false;
	struct span code;

	(void)json_get_bool(frame, "retryable", &retryable);
	if (session->token_sent && json_get_text(frame, "code", &code) &&
	    json_kind(frame, "conversation") == JSON_ABSENT &&
	    is_about_token(code)) {
		session->token_sent = false;
		renew_later(session);
		return;
	}
	if (retryable || json_kind(frame, "conversation") != JSON_ABSENT ||
	    !json_get_text(frame, "code", &code))
		return;
	if (session->events->unreadable)
		session->events->unreadable(session->context, code);
}

static void take_state(struct user_session *session, const struct json *frame)
{
	const struct pending_message *entry;
	struct span text, state;
	struct uuid uuid;

	if (!json_get_text(frame, "uuid", &text) || !uuid_parse(text, &uuid))
		return;
	entry = pending_messages_find(session->pending, &uuid);
	if (!entry)
		return;
	if (!json_get_text(frame, "state", &state))
		take_error(session, entry,
		           frame); /* an `error` frame with a uuid */
	else if (span_equal(state, SPAN("saved")))
		take_saved(session, entry, frame);
	else if (span_equal(state, SPAN("error")))
		take_error(session, entry, frame);
	else if (span_equal(state, SPAN("accepted")))
		take_accepted(session, entry);
}

static void take_error_frame(struct user_session *session,
                             const struct json *frame)
{
	if (json_kind(frame, "uuid") == JSON_ABSENT)
		take_fault(session, frame);
	else
		take_state(session, frame);
}

static void report(void *context, const struct message *message)
{
	struct user_session *session = context;
	bool own = message->user_from == account_user(session->account) &&
	           (pending_messages_find(session->pending, &message->uuid) ||
	            pending_messages_was_removed(session->pending,
	                                         &message->uuid));

	if (session->events->message)
		session->events->message(session->context, message, own);
}

static void take_message(struct user_session *session, const struct json *frame)
{
	struct message message;

	if (!message_read(frame, &message))
		return;
	switch (inbox_take(session->inbox, message.conversation, message.seq)) {
	case INBOX_NEXT:
		report(session, &message);
		break;
	case INBOX_GAP:
		backlog_fetch(session->backlog);
		break;
	case INBOX_SEEN:
		break;
	}
}

static void take_edit(struct user_session *session, const struct json *frame)
{
	struct message_edit edit;

	if (session->events->changed && message_read_edit(frame, &edit))
		session->events->changed(session->context, &edit);
}

static void take_receipt(struct user_session *session, const struct json *frame)
{
	struct user_session_receipt receipt;

	if (session->events->receipt &&
	    json_get_id(frame, "conversation", &receipt.conversation) &&
	    json_get_id(frame, "user", &receipt.user) &&
	    json_get_id(frame, "delivered", &receipt.delivered) &&
	    json_get_id(frame, "read", &receipt.read))
		session->events->receipt(session->context, &receipt);
}

static void take_typing(struct user_session *session, const struct json *frame)
{
	uint64_t conversation, user;

	if (session->events->typing &&
	    json_get_id(frame, "conversation", &conversation) &&
	    json_get_id(frame, "user", &user))
		session->events->typing(session->context, conversation, user);
}

static void take_welcome(struct user_session *session, const struct json *frame)
{
	(void)frame;
	session->failures = 0;
	session->welcomed = true;
	pending_messages_restart(session->pending);
	flush(session);
	backlog_sync(session->backlog, account_token(session->account));
}

/* The server says that the token ends soon. */
static void take_token(struct user_session *session, const struct json *frame)
{
	(void)frame;
	session->renew_failures = 0;
	loop_timer_start(session->renew,
	                 account_renew_wait_ms(session->account));
}

static void take_auth(struct user_session *session, const struct json *frame)
{
	(void)frame;
	session->token_sent = false;
	session->renew_failures = 0;
	if (session->events->token_replaced)
		session->events->token_replaced(session->context);
}

static const struct {
	struct span type;
	void (*take)(struct user_session *session, const struct json *frame);
} takers[] = {
	{{"welcome", 7}, take_welcome}, {{"message", 7}, take_message},
	{{"member", 6}, take_message},  {{"edit", 4}, take_edit},
	{{"delete", 6}, take_edit},     {{"reaction", 8}, take_edit},
	{{"receipt", 7}, take_receipt}, {{"typing", 6}, take_typing},
	{{"state", 5}, take_state},     {{"error", 5}, take_error_frame},
	{{"token", 5}, take_token},     {{"auth", 4}, take_auth},
};

static void take_text(void *context, struct span text)
{
	struct json *frame CLEANUP(json_destroy) = NULL;
	struct span type;

	if (message_parse(text, &frame) != ST_OK ||
	    !json_get_text(frame, "type", &type))
		return;
	for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
		if (span_equal(takers[i].type, type))
			takers[i].take(context, frame);
	}
}

static const struct connection_events connection_events = {
	.text = take_text,
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

static const struct backlog_events backlog_events = {
	.message = report,
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
	flush(session);
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
