#include "tests/ledger/clients/device.h"
#include "client-test/client/backlog.h"
#include "client-test/client/connection.h"
#include "client-test/client/inbox.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/clients/receipt_sender.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/receipts.h"
#include "tests/ledger/judge/sessions.h"

enum {
	FRAME_TEXT_MAX = 128 * 1024,
	RESEND_MS = 10000, /* unanswered for this long: sent again */
	RETRY_BASE_MS = 200,
	RETRY_MAX_MS = 3000,
	RECONNECT_BASE_MS = 200,
	RECONNECT_MAX_MS = 3000,
};

/* A message without a final answer. */
struct waiting {
	uint32_t number;
	unsigned errors;
	uint64_t due_ms; /* UINT64_MAX: accepted, only its seq is unknown */
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
	struct waiting *waiting; /* oldest first */
	unsigned waiting_count, waiting_capacity;
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

/* --- waiting messages ---------------------------------------------------- */
static struct waiting *find(struct device *device, uint32_t number)
{
	for (unsigned i = 0; i < device->waiting_count; i++) {
		if (device->waiting[i].number == number)
			return &device->waiting[i];
	}
	return NULL;
}

static void remove_waiting(struct device *device, uint32_t number)
{
	struct waiting *waiting = find(device, number);
	size_t behind;

	if (!waiting)
		return;
	behind =
		(size_t)(device->waiting + device->waiting_count - waiting) - 1;
	memmove(waiting, waiting + 1, behind * sizeof(*waiting));
	device->waiting_count--;
}

static void send_now(struct device *device, struct waiting *waiting,
                     uint64_t now_ms)
{
	struct buf frame CLEANUP(buf_free) = BUF(FRAME_TEXT_MAX);
	struct ledger *ledger = device->config.ledger;

	messages_frame(ledger, waiting->number, &frame);
	if (!connection_send(device->connection, buf_span(&frame)))
		return;
	if (messages_get(ledger, waiting->number).sent_us)
		timeline_add(device->config.timeline, TIMELINE_RESENDS);
	messages_sent(ledger, waiting->number, clock_mono_us());
	waiting->due_ms = now_ms + RESEND_MS;
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

void device_tick(struct device *device)
{
	uint64_t now_ms = clock_mono_ms();

	send_receipts(device, now_ms);
	for (unsigned i = 0; device->welcomed && i < device->waiting_count; i++)
		if (device->waiting[i].due_ms <= now_ms)
			send_now(device, &device->waiting[i], now_ms);
}

void device_send(struct device *device, uint32_t number)
{
	if (device->waiting_count == device->waiting_capacity) {
		device->waiting_capacity = 2 * device->waiting_capacity + 16;
		device->waiting = mem_resize(device->waiting,
		                             device->waiting_capacity *
		                                     sizeof(*device->waiting));
	}
	device->waiting[device->waiting_count++] =
		(struct waiting){.number = number};
	if (device->welcomed)
		send_now(device, &device->waiting[device->waiting_count - 1],
		         clock_mono_ms());
}

/* On a new connection, sends again at once what was not accepted. */
static void restart(struct device *device)
{
	for (unsigned i = 0; i < device->waiting_count; i++)
		if (device->waiting[i].due_ms != UINT64_MAX)
			device->waiting[i].due_ms = 0;
}

/* --- frames -------------------------------------------------------------- */
static void take_welcome(struct device *device, const struct json *frame)
{
	(void)frame;
	device->failures = 0;
	device->welcomed = true;
	timeline_add(device->config.timeline, TIMELINE_CONNECTS);
	sessions_welcome(device->config.ledger, device->id, clock_mono_us());
	restart(device);
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
		remove_waiting(device, number);
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
	remove_waiting(device, number);
}

static void take_accepted(struct device *device, uint32_t number)
{
	struct waiting *waiting = find(device, number);

	observations_accepted(device->config.ledger, device->id, number,
	                      clock_mono_us());
	if (waiting)
		waiting->due_ms = UINT64_MAX;
}

static void take_error(struct device *device, const struct json *frame,
                       uint32_t number)
{
	struct waiting *waiting = find(device, number);
	struct span code = SPAN_NONE;
	bool retryable = false;

	(void)json_get_text(frame, "code", &code);
	(void)json_get_bool(frame, "retryable", &retryable);
	if (!retryable) {
		observations_refused(device->config.ledger, device->id, number,
		                     code);
		remove_waiting(device, number);
		return;
	}
	timeline_add_error(device->config.timeline, code);
	if (waiting && waiting->due_ms != UINT64_MAX)
		waiting->due_ms = clock_mono_ms() +
		                  backoff_ms(waiting->errors++, RETRY_BASE_MS,
		                             RETRY_MAX_MS);
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
	timeline_add_error(device->config.timeline, code);
	if (!retryable)
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
	struct span text, state = SPAN_NONE;
	struct uuid uuid;
	uint32_t number;

	if (is_about_receipt(device, frame))
		return;
	if (!json_get_text(frame, "uuid", &text) || !uuid_parse(text, &uuid)) {
		observations_unreadable(device->config.ledger, device->id,
		                        SPAN("an answer without a uuid"));
		return;
	}
	if (!messages_find(device->config.ledger, device->id, &uuid, &number))
		return;
	(void)json_get_text(frame, "state", &state);
	if (span_equal(state, SPAN("saved")))
		take_saved(device, frame, number);
	else if (span_equal(state, SPAN("accepted")))
		take_accepted(device, number);
	else
		take_error(device, frame, number);
}

static const struct {
	struct span type;
	void (*handle)(struct device *device, const struct json *frame);
} handlers[] = {
	{{"welcome", 7}, take_welcome}, {{"message", 7}, take_message},
	{{"member", 6}, take_message},  {{"receipt", 7}, take_receipt},
	{{"state", 5}, take_state},     {{"error", 5}, take_state},
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
		remove_waiting(device, number);
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
	mem_free(&device->waiting);
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
	return device->waiting_count;
}
