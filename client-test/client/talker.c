#include "client-test/client/talker.h"
#include "client-test/client/account.h"
#include "client-test/client/alarm.h"
#include "client-test/client/backlog.h"
#include "client-test/client/connection.h"
#include "client-test/client/inbox.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#include <stdio.h>

enum {
	OUTBOX_MAX = 1024,
	FRAME_TEXT_MAX = 128 * 1024,
};

struct talker {
	struct uv_loop_s *loop;
	struct address address;
	const struct talker_events *events;
	void *context;
	struct account *account;
	struct connection *connection;
	struct inbox *inbox;
	struct outbox *outbox;
	struct backlog *backlog;
	struct alarm *reconnect;
	struct alarm *resend;
	unsigned failures; /* in a row */
	bool sign_in_again;
	bool welcomed;
	bool told_online;
};

static void flush(struct talker *talker);

/* --- getting online ------------------------------------------------------ */
static const struct connection_events connection_events;

static void go_online(void *context)
{
	struct talker *talker = context;

	if (talker->sign_in_again) {
		account_sign_in(talker->account);
		return;
	}
	talker->connection = connection_create(talker->loop, &talker->address,
	                                       account_token(talker->account),
	                                       &connection_events, talker);
}

static void try_later(struct talker *talker, const char *why)
{
	uint64_t wait_ms = backoff_ms(talker->failures++, TALKER_RETRY_BASE_MS,
	                              TALKER_RETRY_MAX_MS);

	talker->told_online = false;
	talker->events->offline(talker->context, why, wait_ms);
	alarm_set(talker->reconnect, wait_ms);
}

static void signed_in(void *context, enum status status, struct span why)
{
	struct talker *talker = context;
	char words[256];

	if (status == ST_OK) {
		talker->sign_in_again = false;
		go_online(talker);
	} else if (status == ST_BUSY || status == ST_UNAVAILABLE) {
		(void)snprintf(words, sizeof(words), "signing in: %.*s",
		               (int)why.len, why.len ? why.data : "");
		try_later(talker, words);
	} else {
		talker->events->denied(talker->context, status, why);
	}
}

static void ended(void *context, enum status status, const char *why)
{
	struct talker *talker = context;

	connection_destroy(&talker->connection);
	talker->welcomed = false;
	alarm_stop(talker->resend);
	talker->sign_in_again = status == ST_DENIED;
	try_later(talker, why);
}

/* --- the outbox ---------------------------------------------------------- */
static void flush(struct talker *talker)
{
	const struct outbox_entry *entry;
	uint64_t wait_ms;

	if (!talker->welcomed)
		return;
	while ((entry = outbox_next(talker->outbox, clock_mono_ms()))) {
		struct buf frame CLEANUP(buf_free) = BUF(FRAME_TEXT_MAX);

		outbox_frame(entry, &frame);
		if (!connection_send(talker->connection, buf_span(&frame)))
			return;
	}
	wait_ms = outbox_wait_ms(talker->outbox, clock_mono_ms());
	if (wait_ms == UINT64_MAX)
		alarm_stop(talker->resend);
	else
		alarm_set(talker->resend, wait_ms + 1);
}

static void resend(void *context)
{
	flush(context);
}

static void settle(struct talker *talker, const struct outcome *outcome)
{
	struct uuid uuid = outcome->entry->uuid;

	talker->events->settled(talker->context, outcome);
	outbox_remove(talker->outbox, &uuid);
	flush(talker);
}

static void take_saved(struct talker *talker, const struct outbox_entry *entry,
                       const struct json *frame)
{
	struct outcome outcome = {.entry = entry, .saved = true};
	bool message = entry->draft.kind == OUTBOX_MESSAGE;
	struct span created_at;

	if (!json_get_id(frame, "conversation", &outcome.conversation) ||
	    !json_get_id(frame, "seq", &outcome.seq))
		return;
	if (message && (!json_get_id(frame, "id", &outcome.id) ||
	                !json_get_text(frame, "created_at", &created_at) ||
	                !clock_parse(created_at, &outcome.created_at_ms)))
		return;
	/* The sending socket gets no `message` frame of what it sent. */
	if (message && inbox_take(talker->inbox, outcome.conversation,
	                          outcome.seq) == INBOX_GAP)
		backlog_fill(talker->backlog);
	settle(talker, &outcome);
}

static void take_error(struct talker *talker, const struct outbox_entry *entry,
                       const struct json *frame)
{
	struct outcome outcome = {.entry = entry};
	bool retryable = false;

	(void)json_get_bool(frame, "retryable", &retryable);
	if (retryable) {
		outbox_retry(talker->outbox, &entry->uuid, clock_mono_ms());
		flush(talker);
		return;
	}
	(void)json_get_text(frame, "code", &outcome.code);
	(void)json_get_text(frame, "detail", &outcome.detail);
	settle(talker, &outcome);
}

/* --- frames -------------------------------------------------------------- */
static void take_state(struct talker *talker, const struct json *frame)
{
	const struct outbox_entry *entry;
	struct span text, state;
	struct uuid uuid;

	if (!json_get_text(frame, "uuid", &text) || !uuid_parse(text, &uuid))
		return;
	entry = outbox_find(talker->outbox, &uuid);
	if (!entry)
		return;
	if (!json_get_text(frame, "state", &state))
		take_error(talker, entry, frame); /* an `error` with a uuid */
	else if (span_equal(state, SPAN("saved")))
		take_saved(talker, entry, frame);
	else if (span_equal(state, SPAN("error")))
		take_error(talker, entry, frame);
	else if (span_equal(state, SPAN("accepted")))
		talker->events->accepted(talker->context, entry);
}

static void tell(void *context, const struct message *message)
{
	struct talker *talker = context;
	bool own = message->user_from == account_user(talker->account) &&
	           (outbox_find(talker->outbox, &message->uuid) ||
	            outbox_had(talker->outbox, &message->uuid));

	talker->events->message(talker->context, message, own);
}

static void take_message(struct talker *talker, const struct json *frame)
{
	struct message message;

	if (!message_read(frame, &message))
		return;
	switch (inbox_take(talker->inbox, message.conversation, message.seq)) {
	case INBOX_NEXT:
		tell(talker, &message);
		break;
	case INBOX_GAP:
		backlog_fill(talker->backlog);
		break;
	case INBOX_SEEN:
		break;
	}
}

static void take_edit(struct talker *talker, const struct json *frame)
{
	struct message_edit edit;

	if (talker->events->changed && message_read_edit(frame, &edit))
		talker->events->changed(talker->context, &edit);
}

static void take_receipt(struct talker *talker, const struct json *frame)
{
	struct talker_receipt receipt;

	if (talker->events->receipt &&
	    json_get_id(frame, "conversation", &receipt.conversation) &&
	    json_get_id(frame, "user", &receipt.user) &&
	    json_get_id(frame, "delivered", &receipt.delivered) &&
	    json_get_id(frame, "read", &receipt.read))
		talker->events->receipt(talker->context, &receipt);
}

static void take_typing(struct talker *talker, const struct json *frame)
{
	uint64_t conversation, user;

	if (talker->events->typing &&
	    json_get_id(frame, "conversation", &conversation) &&
	    json_get_id(frame, "user", &user))
		talker->events->typing(talker->context, conversation, user);
}

static void take_welcome(struct talker *talker, const struct json *frame)
{
	(void)frame;
	talker->failures = 0;
	talker->welcomed = true;
	outbox_restart(talker->outbox);
	flush(talker);
	backlog_list(talker->backlog, account_token(talker->account));
}

static const struct {
	struct span type;
	void (*take)(struct talker *talker, const struct json *frame);
} takers[] = {
	{{"welcome", 7}, take_welcome}, {{"message", 7}, take_message},
	{{"member", 6}, take_message},  {{"edit", 4}, take_edit},
	{{"delete", 6}, take_edit},     {{"reaction", 8}, take_edit},
	{{"receipt", 7}, take_receipt}, {{"typing", 6}, take_typing},
	{{"state", 5}, take_state},     {{"error", 5}, take_state},
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
	struct talker *talker = context;

	if (!talker->welcomed || talker->told_online)
		return;
	talker->told_online = true;
	talker->events->online(talker->context);
}

static const struct backlog_events backlog_events = {
	.message = tell,
	.complete = complete,
};

/* --- outside ------------------------------------------------------------- */
struct talker *talker_create(const struct talker_setup *setup)
{
	struct talker *talker = mem_new(sizeof(*talker));

	if (!address_parse(setup->url, &talker->address)) {
		mem_free(&talker);
		return NULL;
	}
	talker->loop = setup->loop;
	talker->events = setup->events;
	talker->context = setup->context;
	talker->inbox = inbox_create();
	talker->outbox = outbox_create(OUTBOX_MAX);
	talker->account = account_create(setup->rest, setup->name,
	                                 setup->password, signed_in, talker);
	talker->backlog =
		backlog_create(setup->loop, setup->rest, talker->inbox,
	                       setup->history, &backlog_events, talker);
	talker->reconnect = alarm_create(setup->loop, go_online, talker);
	talker->resend = alarm_create(setup->loop, resend, talker);
	talker->sign_in_again = true;
	go_online(talker);
	return talker;
}

void talker_destroy(struct talker **talker_at)
{
	struct talker *talker = MOVE(*talker_at);

	if (!talker)
		return;
	connection_destroy(&talker->connection);
	backlog_destroy(&talker->backlog);
	account_destroy(&talker->account);
	inbox_destroy(&talker->inbox);
	outbox_destroy(&talker->outbox);
	alarm_destroy(&talker->reconnect);
	alarm_destroy(&talker->resend);
	mem_free(&talker);
}

uint64_t talker_user(const struct talker *talker)
{
	return account_user(talker->account);
}

struct span talker_token(const struct talker *talker)
{
	return account_token(talker->account);
}

const struct outbox *talker_outbox(const struct talker *talker)
{
	return talker->outbox;
}

uint64_t talker_top(const struct talker *talker, uint64_t conversation)
{
	return inbox_top(talker->inbox, conversation);
}

bool talker_send(struct talker *talker, const struct uuid *uuid,
                 const struct outbox_draft *draft)
{
	if (!outbox_add(talker->outbox, uuid, draft, clock_mono_ms()))
		return false;
	flush(talker);
	return true;
}

/* --- what is not kept ---------------------------------------------------- */
static void say(struct talker *talker, const char *type, uint64_t conversation,
                uint64_t seq)
{
	struct buf frame CLEANUP(buf_free) = BUF(256);
	struct json_writer w = json_writer(&frame);

	if (!talker->welcomed)
		return;
	json_open(&w);
	json_text(&w, "type", span_of(type));
	json_number(&w, "conversation", conversation);
	if (seq)
		json_number(&w, "seq", seq);
	json_close(&w);
	(void)connection_send(talker->connection, buf_span(&frame));
}

void talker_delivered(struct talker *talker, uint64_t conversation,
                      uint64_t seq)
{
	say(talker, "delivered", conversation, seq);
}

void talker_read(struct talker *talker, uint64_t conversation, uint64_t seq)
{
	say(talker, "read", conversation, seq);
}

void talker_typing(struct talker *talker, uint64_t conversation)
{
	say(talker, "typing", conversation, 0);
}
