#include "tests/ledger/ledger_device.h"
#include "client-test/client/backlog.h"
#include "client-test/client/connection.h"
#include "client-test/client/inbox.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/ledger_receipts.h"

enum {
	FRAME_TEXT_MAX = 128 * 1024,
	SILENT_MS = 10000, /* unanswered for so long: sent again */
	RETRY_BASE_MS = 200,
	RETRY_MAX_MS = 3000,
	RECONNECT_BASE_MS = 200,
	RECONNECT_MAX_MS = 3000,
};

/* A message that is not answered for good. */
struct waiting {
	uint32_t number;
	unsigned errors;
	uint64_t due_ms; /* UINT64_MAX: safe, only its place is not known */
};

struct ledger_device {
	struct ledger_device_setup setup;
	struct ledger_place place;
	char *token;
	struct connection *connection;
	struct inbox *inbox;
	struct backlog *backlog;
	struct ledger_receipts *receipts;
	uint64_t receipts_due_ms;
	struct loop_timer *reconnect;
	unsigned failures; /* in a row */
	bool welcomed;
	bool complete;
	struct waiting *waiting; /* oldest first */
	unsigned waiting_count, waiting_room;
};

static const struct connection_events connection_events;
static const struct backlog_events backlog_events;

/* --- the socket ---------------------------------------------------------- */
static void go_online(void *context)
{
	struct ledger_device *device = context;
	const struct ledger_device_setup *setup = &device->setup;

	device->connection = connection_create(
		setup->loop,
		&setup->gateways[random_u64() % setup->gateway_count],
		span_of(device->token), &connection_events, device);
}

static void ended(void *context, enum status status, const char *why)
{
	struct ledger_device *device = context;

	(void)why;
	connection_destroy(&device->connection);
	ledger_book_ended(device->setup.book, device->place);
	device->welcomed = false;
	device->complete = false;
	if (status == ST_DENIED) {
		device->setup.denied(device->setup.context);
		return;
	}
	loop_timer_start(device->reconnect,
	                 backoff_ms(device->failures++, RECONNECT_BASE_MS,
	                            RECONNECT_MAX_MS));
}

/* --- what waits ---------------------------------------------------------- */
static struct waiting *find(struct ledger_device *device, uint32_t number)
{
	for (unsigned i = 0; i < device->waiting_count; i++) {
		if (device->waiting[i].number == number)
			return &device->waiting[i];
	}
	return NULL;
}

static void forget(struct ledger_device *device, uint32_t number)
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

static void put_on_wire(struct ledger_device *device, struct waiting *waiting,
                        uint64_t now_ms)
{
	struct buf frame CLEANUP(buf_free) = BUF(FRAME_TEXT_MAX);
	struct ledger_book *book = device->setup.book;

	ledger_book_frame(book, waiting->number, &frame);
	if (!connection_send(device->connection, buf_span(&frame)))
		return;
	if (ledger_book_line(book, waiting->number).sent_us)
		ledger_tally_count(device->setup.tally, LEDGER_RESENDS);
	ledger_book_sent(book, waiting->number, clock_mono_us());
	waiting->due_ms = now_ms + SILENT_MS;
}

static void say_receipts(struct ledger_device *device, uint64_t now_ms)
{
	const unsigned period_ms = device->setup.receipts_ms;

	if (!device->welcomed || !period_ms || now_ms < device->receipts_due_ms)
		return;
	/* Not all at once. */
	device->receipts_due_ms =
		now_ms + (device->receipts_due_ms ? period_ms
	                                          : random_u64() % period_ms);
	ledger_receipts_say(device->receipts, device->inbox, device->connection,
	                    false);
}

void ledger_device_last_receipts(struct ledger_device *device)
{
	if (!device->welcomed || !device->setup.receipts_ms)
		return;
	device->receipts_due_ms = UINT64_MAX;
	ledger_receipts_say(device->receipts, device->inbox, device->connection,
	                    true);
}

void ledger_device_tick(struct ledger_device *device)
{
	uint64_t now_ms = clock_mono_ms();

	say_receipts(device, now_ms);
	for (unsigned i = 0; device->welcomed && i < device->waiting_count; i++)
		if (device->waiting[i].due_ms <= now_ms)
			put_on_wire(device, &device->waiting[i], now_ms);
}

void ledger_device_send(struct ledger_device *device, uint32_t number)
{
	if (device->waiting_count == device->waiting_room) {
		device->waiting_room = 2 * device->waiting_room + 16;
		device->waiting = mem_resize(device->waiting,
		                             device->waiting_room *
		                                     sizeof(*device->waiting));
	}
	device->waiting[device->waiting_count++] =
		(struct waiting){.number = number};
	if (device->welcomed)
		put_on_wire(device, &device->waiting[device->waiting_count - 1],
		            clock_mono_ms());
}

/* A new connection: what is not safe is sent again at once. */
static void restart(struct ledger_device *device)
{
	for (unsigned i = 0; i < device->waiting_count; i++)
		if (device->waiting[i].due_ms != UINT64_MAX)
			device->waiting[i].due_ms = 0;
}

/* --- frames -------------------------------------------------------------- */
static void take_welcome(struct ledger_device *device, const struct json *frame)
{
	(void)frame;
	device->failures = 0;
	device->welcomed = true;
	ledger_tally_count(device->setup.tally, LEDGER_CONNECTS);
	ledger_book_welcome(device->setup.book, device->place, clock_mono_us());
	restart(device);
	ledger_device_tick(device);
	backlog_sync(device->backlog, span_of(device->token));
}

static void place_in_inbox(struct ledger_device *device, uint64_t conversation,
                           uint64_t seq)
{
	if (inbox_take(device->inbox, conversation, seq) != INBOX_GAP)
		return;
	device->complete = false;
	backlog_fetch(device->backlog);
}

/* Who is not in a conversation any more says nothing there. */
static void note_move(struct ledger_device *device,
                      const struct message *message)
{
	uint64_t own = ledger_book_id(device->setup.book, device->place.user);
	bool gone = message->change == CHANGE_left ||
	            message->change == CHANGE_removed;

	if (message->change != CHANGE_none &&
	    message_change_affects(message, own))
		ledger_receipts_gone(device->receipts, message->conversation,
		                     gone);
}

static void take_message(struct ledger_device *device, const struct json *frame)
{
	struct message message;
	uint32_t number;

	if (!message_read(frame, &message)) {
		ledger_book_garbled(device->setup.book, device->place,
		                    SPAN("a message frame"));
		return;
	}
	ledger_tally_count(device->setup.tally, LEDGER_RECEIVED);
	ledger_book_message(device->setup.book, device->place, &message, true);
	place_in_inbox(device, message.conversation, message.seq);
	note_move(device, &message);
	if (ledger_book_number(device->setup.book, &message.uuid, &number))
		forget(device, number);
}

static void take_saved(struct ledger_device *device, const struct json *frame,
                       uint32_t number)
{
	uint64_t conversation, seq;

	if (!json_get_id(frame, "conversation", &conversation) ||
	    !json_get_id(frame, "seq", &seq)) {
		ledger_book_garbled(device->setup.book, device->place,
		                    SPAN("a saved frame"));
		return;
	}
	ledger_book_saved(device->setup.book, device->place, number,
	                  conversation, seq, clock_mono_us());
	place_in_inbox(device, conversation, seq);
	forget(device, number);
}

static void take_accepted(struct ledger_device *device, uint32_t number)
{
	struct waiting *waiting = find(device, number);

	ledger_book_accepted(device->setup.book, device->place, number,
	                     clock_mono_us());
	if (waiting)
		waiting->due_ms = UINT64_MAX;
}

static void take_error(struct ledger_device *device, const struct json *frame,
                       uint32_t number)
{
	struct waiting *waiting = find(device, number);
	struct span code = SPAN_NONE;
	bool retryable = false;

	(void)json_get_text(frame, "code", &code);
	(void)json_get_bool(frame, "retryable", &retryable);
	if (!retryable) {
		ledger_book_refused(device->setup.book, device->place, number,
		                    code);
		forget(device, number);
		return;
	}
	ledger_tally_error(device->setup.tally, code);
	if (waiting && waiting->due_ms != UINT64_MAX)
		waiting->due_ms = clock_mono_ms() +
		                  backoff_ms(waiting->errors++, RETRY_BASE_MS,
		                             RETRY_MAX_MS);
}

/* There is no answer to a receipt, but when it is refused. */
static bool is_about_receipt(struct ledger_device *device,
                             const struct json *frame)
{
	struct span code;
	bool retryable = false;

	if (json_kind(frame, "uuid") != JSON_ABSENT ||
	    !json_get_bool(frame, "retryable", &retryable) ||
	    !json_get_text(frame, "code", &code))
		return false;
	ledger_tally_error(device->setup.tally, code);
	if (!retryable)
		ledger_book_receipt_refused(device->setup.book, device->place,
		                            code);
	return true;
}

static void take_receipt(struct ledger_device *device, const struct json *frame)
{
	uint64_t conversation, user, delivered, read;

	if (!json_get_id(frame, "conversation", &conversation) ||
	    !json_get_id(frame, "user", &user) ||
	    !json_get_id(frame, "delivered", &delivered) ||
	    !json_get_id(frame, "read", &read)) {
		ledger_book_garbled(device->setup.book, device->place,
		                    SPAN("a receipt frame"));
		return;
	}
	ledger_book_receipt(device->setup.book, device->place, conversation,
	                    user, delivered, read);
}

static void take_state(struct ledger_device *device, const struct json *frame)
{
	struct span text, state = SPAN_NONE;
	struct uuid uuid;
	uint32_t number;

	if (is_about_receipt(device, frame))
		return;
	if (!json_get_text(frame, "uuid", &text) || !uuid_parse(text, &uuid)) {
		ledger_book_garbled(device->setup.book, device->place,
		                    SPAN("an answer without a uuid"));
		return;
	}
	if (!ledger_book_find(device->setup.book, device->place, &uuid,
	                      &number))
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
	void (*take)(struct ledger_device *device, const struct json *frame);
} takers[] = {
	{{"welcome", 7}, take_welcome}, {{"message", 7}, take_message},
	{{"member", 6}, take_message},  {{"receipt", 7}, take_receipt},
	{{"state", 5}, take_state},     {{"error", 5}, take_state},
};

static void take_text(void *context, struct span text)
{
	struct ledger_device *device = context;
	struct json *frame CLEANUP(json_destroy) = NULL;
	struct span type;

	if (message_parse(text, &frame) != ST_OK ||
	    !json_get_text(frame, "type", &type)) {
		ledger_book_garbled(device->setup.book, device->place, text);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
		if (span_equal(takers[i].type, type))
			takers[i].take(device, frame);
	}
}

static const struct connection_events connection_events = {
	.text = take_text,
	.ended = ended,
};

/* --- the backlog --------------------------------------------------------- */
static void tell(void *context, const struct message *message)
{
	struct ledger_device *device = context;
	uint32_t number;

	ledger_book_message(device->setup.book, device->place, message, false);
	note_move(device, message);
	if (ledger_book_number(device->setup.book, &message->uuid, &number))
		forget(device, number);
}

static void complete(void *context)
{
	struct ledger_device *device = context;

	device->complete = device->welcomed;
}

static const struct backlog_events backlog_events = {
	.message = tell,
	.complete = complete,
};

/* --- outside ------------------------------------------------------------- */
struct ledger_device *
ledger_device_create(const struct ledger_device_setup *setup,
                     struct ledger_place place)
{
	struct ledger_device *device = mem_new(sizeof(*device));

	device->setup = *setup;
	device->place = place;
	device->inbox = inbox_create();
	device->backlog =
		backlog_create(setup->loop, setup->rest, device->inbox,
	                       UINT64_MAX, &backlog_events, device);
	device->receipts = ledger_receipts_create(setup->book, place);
	device->reconnect = loop_timer_create(setup->loop, go_online, device);
	return device;
}

void ledger_device_destroy(struct ledger_device **device_at)
{
	struct ledger_device *device = MOVE(*device_at);

	if (!device)
		return;
	connection_destroy(&device->connection);
	backlog_destroy(&device->backlog);
	inbox_destroy(&device->inbox);
	ledger_receipts_destroy(&device->receipts);
	loop_timer_destroy(&device->reconnect);
	mem_free(&device->waiting);
	mem_free(&device->token);
	mem_free(&device);
}

void ledger_device_token(struct ledger_device *device, struct span token)
{
	mem_free(&device->token);
	device->token = mem_text(token.data, token.len);
	if (device->connection)
		return;
	loop_timer_stop(device->reconnect);
	go_online(device);
}

bool ledger_device_welcomed(const struct ledger_device *device)
{
	return device->welcomed;
}

bool ledger_device_complete(const struct ledger_device *device)
{
	return device->complete;
}

unsigned ledger_device_waiting(const struct ledger_device *device)
{
	return device->waiting_count;
}
