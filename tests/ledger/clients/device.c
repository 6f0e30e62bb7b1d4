#include "tests/ledger/clients/device.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/clients/device_private.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/presence.h"
#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/typing.h"

enum {
	RECONNECT_BASE_MS = 200,
	RECONNECT_MAX_MS = 3000,
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

/* The first device of each user subscribes. */
static void subscribe(struct device *device, uint64_t now_ms)
{
	const struct ledger *ledger = device->config.ledger;
	struct buf frame CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&frame);
	unsigned peer;

	if (!device->config.presence || device->id.device != 0 ||
	    !device->welcomed || now_ms < device->presence_due_ms)
		return;
	json_open(&w);
	json_text(&w, "type", SPAN("presence"));
	json_open_array(&w, "users");
	for (unsigned i = 0; presence_peer(ledger, device->id.user, i, &peer);
	     i++) {
		if (ledger_user_id(ledger, peer))
			json_number(&w, NULL, ledger_user_id(ledger, peer));
		else
			return; /* not signed in yet: later */
	}
	json_close_array(&w);
	json_close(&w);
	presence_subscribed(device->config.ledger, device->id.user);
	if (connection_send(device->connection, buf_span(&frame)))
		device->presence_due_ms = UINT64_MAX;
}

void device_type(struct device *device, uint64_t conversation)
{
	struct buf frame CLEANUP(buf_free) = BUF(256);
	struct json_writer w = json_writer(&frame);

	if (!device->welcomed ||
	    receipt_sender_is_gone(device->receipt_sender, conversation))
		return;
	json_open(&w);
	json_text(&w, "type", SPAN("typing"));
	json_number(&w, "conversation", conversation);
	json_close(&w);
	typing_sent(device->config.ledger, device->id, conversation);
	(void)connection_send(device->connection, buf_span(&frame));
}

void device_disconnect(struct device *device)
{
	device->offline = true;
	loop_timer_stop(device->reconnect);
	connection_destroy(&device->connection);
	sessions_disconnected(device->config.ledger, device->id);
	device->complete = false;
	device->welcomed = false;
}

void device_tick(struct device *device)
{
	subscribe(device, clock_mono_ms());
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

static const struct connection_events connection_events = {
	.text = device_take_text,
	.ended = ended,
};

/* --- the backlog --------------------------------------------------------- */
static void record_missed(void *context, const struct message *message)
{
	struct device *device = context;
	uint32_t number;

	observations_received(device->config.ledger, device->id, message,
	                      false);
	device_note_membership(device, message);
	if (messages_number(device->config.ledger, &message->uuid, &number))
		pending_remove(device->pending,
		               (struct pending_item){false, number});
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
	if (device->connection || device->offline)
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
