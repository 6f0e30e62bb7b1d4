#include "tests/ledger/clients/device.h"
#include "client-test/client/backlog.h"
#include "client-test/client/connection.h"
#include "client-test/client/inbox.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/clients/pending.h"
#include "tests/ledger/clients/receipt_sender.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/receipts.h"
#include "tests/ledger/judge/refusals.h"
#include "tests/ledger/judge/sessions.h"

enum {
	RECONNECT_BASE_MS = 200,
	RECONNECT_MAX_MS = 3000,
};

struct device {
	struct device_config config;
	struct ledger_device_id id;
	char *token;
	struct connection *connection;
	struct inbox *inbox;
	struct backlog *backlog;
	struct receipt_sender *receipt_sender;
	uint64_t receipts_due_ms;
	struct loop_timer *reconnect;
	unsigned failures; /* in a row */
	bool welcomed;
	bool complete;
	struct pending *pending;
};

static const struct connection_events connection_events;
static const struct backlog_events backlog_events;

/* --- the socket ---------------------------------------------------------- */
static void go_online(void *context)
{
	struct device *device = context;
	const struct device_config *config = &device->config;

	device->connection = connection_create(
		config->loop,
		&config->gateways[random_u64() % config->gateway_count],
		span_of(device->token), &connection_events, device);
}

static void ended(void *context, enum status status, const char *why)
{
	struct device *device = context;

	(void)why;
	if (connection_was_cut(device->connection))
		sessions_cut(device->config.ledger, device->id);
	connection_destroy(&device->connection);
	sessions_disconnected(device->config.ledger, device->id);
	device->welcomed = false;
	device->complete = false;
	if (status == ST_DENIED) {
		device->config.denied(device->config.context);
		return;
	}
	loop_timer_start(device->reconnect,
	                 backoff_ms(device->failures++, RECONNECT_BASE_MS,
	                            RECONNECT_MAX_MS));
}

static void send_receipts(struct device *device, uint64_t now_ms)
{
	const unsigned period_ms = device->config.receipts_ms;

	if (!device->welcomed || !period_ms || now_ms < device->receipts_due_ms)
		return;
	/* The first time is random, so that devices do not send together. */
	device->receipts_due_ms =
		now_ms + (device->receipts_due_ms ? period_ms
	                                          : random_u64() % period_ms);
	receipt_sender_send(device->receipt_sender, device->inbox,
	                    device->connection, false);
}

void device_send_last_receipts(struct device *device)
{
	if (!device->welcomed || !device->config.receipts_ms)
		return;
	device->receipts_due_ms = UINT64_MAX;
	receipt_sender_send(device->receipt_sender, device->inbox,
	                    device->connection, true);
}

/* NULL: the device cannot send now. */
static struct connection *ready_connection(const struct device *device)
{
	return device->welcomed ? device->connection : NULL;
}

static void react(void *context, uint64_t conversation, uint64_t top)
{
	struct device *device = context;
	struct ledger_edit edit = {.kind = LEDGER_REACT, .from = device->id};

	if (top &&
	    !receipt_sender_is_gone(device->receipt_sender, conversation) &&
	    edits_latest_target(device->config.ledger, conversation,
	                        &edit.target))
		device_send_edit(device,
		                 edits_write(device->config.ledger, &edit));
}

void device_send_reactions(struct device *device)
{
	inbox_each(device->inbox, react, device);
}

void device_tick(struct device *device)
{
	send_receipts(device, clock_mono_ms());
	if (device->welcomed)
		pending_tick(device->pending, device->connection);
}

void device_send(struct device *device, uint32_t number)
{
	pending_add(device->pending, (struct pending_item){false, number},
	            ready_connection(device));
}

void device_send_edit(struct device *device, uint32_t number)
{
	pending_add(device->pending, (struct pending_item){true, number},
	            ready_connection(device));
}

/* --- frames -------------------------------------------------------------- */
static void take_welcome(struct device *device, const struct json *frame)
{
	(void)frame;
	device->failures = 0;
	device->welcomed = true;
	timeline_add(device->config.timeline, TIMELINE_CONNECTS);
	sessions_welcome(device->config.ledger, device->id, clock_mono_us());
	pending_restart(device->pending);
	device_tick(device);
	backlog_sync(device->backlog, span_of(device->token));
}

static void put_into_inbox(struct device *device, uint64_t conversation,
                           uint64_t seq)
{
	if (inbox_take(device->inbox, conversation, seq) != INBOX_GAP)
		return;
	device->complete = false;
	backlog_fetch(device->backlog);
}

/* A user who left a conversation sends no receipts there. */
static void note_membership(struct device *device,
                            const struct message *message)
{
	uint64_t own = ledger_user_id(device->config.ledger, device->id.user);
	bool gone = message->change == CHANGE_left ||
	            message->change == CHANGE_removed;

	if (message->change != CHANGE_none &&
	    message_change_affects(message, own))
		receipt_sender_set_gone(device->receipt_sender,
		                        message->conversation, gone);
}

static void settle(struct device *device, bool edit, uint32_t number)
{
	pending_remove(device->pending, (struct pending_item){edit, number});
}

static void take_message(struct device *device, const struct json *frame)
{
	struct message message;
	uint32_t number;

	if (!message_read(frame, &message)) {
		observations_unreadable(device->config.ledger, device->id,
		                        SPAN("a message frame"));
		return;
	}
	timeline_add(device->config.timeline, TIMELINE_RECEIVED);
	observations_received(device->config.ledger, device->id, &message,
	                      true);
	put_into_inbox(device, message.conversation, message.seq);
	note_membership(device, &message);
	if (messages_number(device->config.ledger, &message.uuid, &number))
		settle(device, false, number);
}

static void take_edit(struct device *device, const struct json *frame)
{
	struct message_edit edit;
	struct span text;
	struct uuid uuid;

	if (!message_read_edit(frame, &edit) ||
	    !json_get_text(frame, "uuid", &text) || !uuid_parse(text, &uuid))
		observations_unreadable(device->config.ledger, device->id,
		                        SPAN("an edit frame"));
	else
		edits_received(device->config.ledger, device->id, &edit, &uuid);
}

static void take_saved(struct device *device, const struct json *frame,
                       uint32_t number)
{
	uint64_t conversation, seq;

	if (!json_get_id(frame, "conversation", &conversation) ||
	    !json_get_id(frame, "seq", &seq)) {
		observations_unreadable(device->config.ledger, device->id,
		                        SPAN("a saved frame"));
		return;
	}
	observations_saved(device->config.ledger, device->id, number,
	                   conversation, seq, clock_mono_us());
	put_into_inbox(device, conversation, seq);
	settle(device, false, number);
}

static void take_edit_saved(struct device *device, const struct json *frame,
                            uint32_t number)
{
	uint64_t conversation, seq, revision;

	if (!json_get_id(frame, "conversation", &conversation) ||
	    !json_get_id(frame, "seq", &seq) ||
	    !json_get_id(frame, "revision", &revision)) {
		observations_unreadable(device->config.ledger, device->id,
		                        SPAN("an edit's saved frame"));
		return;
	}
	edits_saved(device->config.ledger, device->id, number, conversation,
	            seq, revision);
	settle(device, true, number);
}

static void take_accepted(struct device *device, struct pending_item item)
{
	if (item.edit)
		edits_accepted(device->config.ledger, device->id, item.number);
	else
		observations_accepted(device->config.ledger, device->id,
		                      item.number, clock_mono_us());
	pending_accepted(device->pending, item);
}

static void take_error(struct device *device, const struct json *frame,
                       struct pending_item item)
{
	struct ledger *ledger = device->config.ledger;
	struct span code = SPAN_NONE;
	bool retryable = false;

	(void)json_get_text(frame, "code", &code);
	(void)json_get_bool(frame, "retryable", &retryable);
	if (!retryable) {
		if (item.edit)
			edits_refused(ledger, device->id, item.number, code);
		else
			refusals_told(ledger, device->id, item.number, code);
		pending_remove(device->pending, item);
		return;
	}
	timeline_add_error(device->config.timeline, code);
	if (item.edit)
		edits_to_repeat(ledger, item.number);
	else
		messages_to_repeat(ledger, item.number);
	pending_retry(device->pending, item);
}

/* The server answers a receipt only to refuse it. */
static bool is_about_receipt(struct device *device, const struct json *frame)
{
	struct span code;
	bool retryable = false;

	if (json_kind(frame, "uuid") != JSON_ABSENT ||
	    !json_get_bool(frame, "retryable", &retryable) ||
	    !json_get_text(frame, "code", &code))
		return false;
	if (retryable)
		timeline_add_error(device->config.timeline, code);
	else
		receipts_refused(device->config.ledger, device->id, code);
	return true;
}

static void take_receipt(struct device *device, const struct json *frame)
{
	uint64_t conversation, user, delivered, read;

	if (!json_get_id(frame, "conversation", &conversation) ||
	    !json_get_id(frame, "user", &user) ||
	    !json_get_id(frame, "delivered", &delivered) ||
	    !json_get_id(frame, "read", &read)) {
		observations_unreadable(device->config.ledger, device->id,
		                        SPAN("a receipt frame"));
		return;
	}
	receipts_received(device->config.ledger, device->id, conversation, user,
	                  delivered, read);
}

static void take_state(struct device *device, const struct json *frame)
{
	struct ledger *ledger = device->config.ledger;
	struct span text, state = SPAN_NONE;
	struct pending_item item = {0};
	struct uuid uuid;

	if (is_about_receipt(device, frame))
		return;
	if (!json_get_text(frame, "uuid", &text) || !uuid_parse(text, &uuid)) {
		observations_unreadable(ledger, device->id,
		                        SPAN("an answer without a uuid"));
		return;
	}
	item.edit = edits_number(ledger, &uuid, &item.number);
	if (!item.edit &&
	    !messages_find(ledger, device->id, &uuid, &item.number))
		return;
	(void)json_get_text(frame, "state", &state);
	if (span_equal(state, SPAN("saved")) && item.edit)
		take_edit_saved(device, frame, item.number);
	else if (span_equal(state, SPAN("saved")))
		take_saved(device, frame, item.number);
	else if (span_equal(state, SPAN("accepted")))
		take_accepted(device, item);
	else
		take_error(device, frame, item);
}

static const struct {
	struct span type;
	void (*handle)(struct device *device, const struct json *frame);
} handlers[] = {
	{{"welcome", 7}, take_welcome}, {{"message", 7}, take_message},
	{{"member", 6}, take_message},  {{"receipt", 7}, take_receipt},
	{{"edit", 4}, take_edit},       {{"delete", 6}, take_edit},
	{{"reaction", 8}, take_edit},   {{"state", 5}, take_state},
	{{"error", 5}, take_state},
};

static void take_text(void *context, struct span text)
{
	struct device *device = context;
	struct json *frame CLEANUP(json_destroy) = NULL;
	struct span type;

	if (message_parse(text, &frame) != ST_OK ||
	    !json_get_text(frame, "type", &type)) {
		observations_unreadable(device->config.ledger, device->id,
		                        text);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
		if (span_equal(handlers[i].type, type))
			handlers[i].handle(device, frame);
	}
}

static const struct connection_events connection_events = {
	.text = take_text,
	.ended = ended,
};

/* --- the backlog --------------------------------------------------------- */
static void record_missed(void *context, const struct message *message)
{
	struct device *device = context;
	uint32_t number;

	observations_received(device->config.ledger, device->id, message,
	                      false);
	note_membership(device, message);
	if (messages_number(device->config.ledger, &message->uuid, &number))
		settle(device, false, number);
}

static void complete(void *context)
{
	struct device *device = context;

	device->complete = device->welcomed;
}

static const struct backlog_events backlog_events = {
	.message = record_missed,
	.complete = complete,
};

/* --- the device ---------------------------------------------------------- */
struct device *device_create(const struct device_config *config,
                             struct ledger_device_id id)
{
	struct device *device = mem_new(sizeof(*device));

	device->config = *config;
	device->id = id;
	device->inbox = inbox_create();
	device->backlog =
		backlog_create(config->loop, config->rest, device->inbox,
	                       UINT64_MAX, &backlog_events, device);
	device->receipt_sender = receipt_sender_create(config->ledger, id);
	device->pending = pending_create(config->ledger, config->timeline,
	                                 config->resend_ms);
	device->reconnect = loop_timer_create(config->loop, go_online, device);
	return device;
}

void device_destroy(struct device **device_at)
{
	struct device *device = MOVE(*device_at);

	if (!device)
		return;
	connection_destroy(&device->connection);
	backlog_destroy(&device->backlog);
	inbox_destroy(&device->inbox);
	receipt_sender_destroy(&device->receipt_sender);
	loop_timer_destroy(&device->reconnect);
	pending_destroy(&device->pending);
	mem_free(&device->token);
	mem_free(&device);
}

void device_set_token(struct device *device, struct span token)
{
	mem_free(&device->token);
	device->token = mem_text(token.data, token.len);
	if (device->connection)
		return;
	loop_timer_stop(device->reconnect);
	go_online(device);
}

bool device_welcomed(const struct device *device)
{
	return device->welcomed;
}

bool device_complete(const struct device *device)
{
	return device->complete;
}

unsigned device_waiting(const struct device *device)
{
	return pending_count(device->pending);
}
