#include "client-test/client/user_session_private.h"
#include "common/base/clock.h"

/* --- the answer to a message --------------------------------------------- */
static void settle(struct user_session *session,
                   const struct send_result *result)
{
	struct uuid uuid = result->entry->uuid;

	if (session->events->settled)
		session->events->settled(session->context, result);
	pending_messages_remove(session->pending, &uuid);
	user_session_flush(session);
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
		user_session_flush(session);
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
		user_session_renew_later(session);
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

static void take_message(struct user_session *session, const struct json *frame)
{
	struct message message;

	if (!message_read(frame, &message))
		return;
	switch (inbox_take(session->inbox, message.conversation, message.seq)) {
	case INBOX_NEXT:
		user_session_report(session, &message);
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
	user_session_flush(session);
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

void user_session_take_text(void *context, struct span text)
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
