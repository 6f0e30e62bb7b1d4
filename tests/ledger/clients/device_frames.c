#include "common/base/clock.h"
#include "tests/ledger/clients/device_private.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/presence.h"
#include "tests/ledger/judge/receipts.h"
#include "tests/ledger/judge/refusals.h"
#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/typing.h"

enum { PRESENCE_AGAIN_MS = 1000 }; /* after a retryable error */

static void take_welcome(struct device *device, const struct json *frame)
{
	(void)frame;
	device->failures = 0;
	device->welcomed = true;
	timeline_add(device->config.timeline, TIMELINE_CONNECTS);
	sessions_welcome(device->config.ledger, device->id, clock_mono_us());
	device->presence_due_ms = clock_mono_ms();
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

void device_note_membership(struct device *device,
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
	device_note_membership(device, &message);
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
	if (retryable) {
		timeline_add_error(device->config.timeline, code);
		if (device->presence_due_ms == UINT64_MAX)
			device->presence_due_ms =
				clock_mono_ms() + PRESENCE_AGAIN_MS;
	} else
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

static void take_typing(struct device *device, const struct json *frame)
{
	uint64_t conversation, user;

	if (!json_get_id(frame, "conversation", &conversation) ||
	    !json_get_id(frame, "user", &user))
		observations_unreadable(device->config.ledger, device->id,
		                        SPAN("a typing frame"));
	else
		typing_received(device->config.ledger, device->id, conversation,
		                user);
}

static void take_presence(struct device *device, const struct json *frame)
{
	const struct json *item;
	struct span state;
	uint64_t user;

	for (unsigned i = 0; (item = json_get_item(frame, "users", i)) != NULL;
	     i++) {
		if (!json_get_id(item, "user", &user) ||
		    !json_get_text(item, "state", &state))
			observations_unreadable(device->config.ledger,
			                        device->id,
			                        SPAN("a presence frame"));
		else
			presence_received(device->config.ledger,
			                  device->id.user, user,
			                  span_equal(state, SPAN("online")));
	}
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
	{{"welcome", 7}, take_welcome},   {{"message", 7}, take_message},
	{{"member", 6}, take_message},    {{"receipt", 7}, take_receipt},
	{{"edit", 4}, take_edit},         {{"delete", 6}, take_edit},
	{{"reaction", 8}, take_edit},     {{"typing", 6}, take_typing},
	{{"presence", 8}, take_presence}, {{"state", 5}, take_state},
	{{"error", 5}, take_state},
};

void device_take_text(void *context, struct span text)
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
