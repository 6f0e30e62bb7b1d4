#include "websocket-service/deliver/fanout.h"
#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/base/websocket.h"
#include "common/io/kafka/kafka.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/wire/event.h"
#include "common/wire/frame.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/deliver/typing.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/receive/conversation_keys.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/socket/connection.h"

struct fanout {
	struct fanout_options options;
	struct lru *changes; /* the latest seq, by conversation and partition */
	struct buf framed;   /* one event as a frame, reused */
	/* The members of its room; those before `served` have got it. */
	uint64_t *members;
	uint32_t member_count;
	uint32_t member_capacity;
	uint32_t served;
	uint64_t except;
};

struct fanout *fanout_create(const struct fanout_options *options)
{
	struct fanout *fanout = mem_new(sizeof(*fanout));

	fanout->options = *options;
	fanout->framed = BUF(FRAME_OUT_MAX);
	fanout->changes = lru_create(FANOUT_CHANGES_MAX, sizeof(uint64_t));
	return fanout;
}

void fanout_destroy(struct fanout **fanout)
{
	if (!*fanout)
		return;
	buf_free(&(*fanout)->framed);
	mem_free(&(*fanout)->members);
	lru_destroy(&(*fanout)->changes);
	mem_free(fanout);
}

static void count_metrics(const struct kafka_message *event, unsigned sockets)
{
	uint64_t made_ms = kafka_message_time_ms(event);
	uint64_t now_ms = clock_unix_ms();

	metric_count(&gateway_metrics.events, 1);
	if (sockets && made_ms)
		metric_observe_us(&gateway_metrics.delivery_time,
		                  now_ms > made_ms ? (now_ms - made_ms) * 1000
		                                   : 0);
}

static void settle(struct fanout *fanout, const struct kafka_message *event)
{
	struct event_origin origin;

	if (event_origin_parse(
		    kafka_message_header(event, EVENT_SETTLES_HEADER), &origin))
		pending_sends_settled(fanout->options.sends, &origin);
}

/* The socket that sent the message; 0: it is not on this gateway. */
static uint64_t excluded_socket(const struct fanout *fanout,
                                const struct kafka_message *event)
{
	struct event_origin origin;

	if (!event_origin_parse(
		    kafka_message_header(event, EVENT_ORIGIN_HEADER),
		    &origin) ||
	    origin.gateway != fanout->options.gateway)
		return 0;
	return origin.connection;
}

/* One frame for all recipients; false when the event is too large for it. */
static bool frame_event(struct fanout *fanout,
                        const struct kafka_message *event)
{
	buf_clear(&fanout->framed);
	websocket_write(&fanout->framed, WEBSOCKET_TEXT,
	                kafka_message_value(event), NULL);
	if (!buf_overflowed(&fanout->framed))
		return true;
	log_event(LOG_ERROR, "event.too_large",
	          F_NUMBER("bytes", kafka_message_value(event).len));
	return false;
}

/* --- frames -------------------------------------------------------------- */

/* In a large system most events are for users on other gateways. */
static bool any_recipient_here(const struct fanout *fanout, struct span key)
{
	uint64_t user;

	while (event_key_next(&key, &user)) {
		if (connections_has_user(fanout->options.connections, user))
			return true;
	}
	return false;
}

/* One record on its way to the sockets of its recipients. */
struct delivery {
	struct fanout *fanout;
	uint64_t except;
	unsigned sockets; /* that got it */
};

static void deliver_to(void *context, uint64_t user)
{
	struct delivery *delivery = context;
	struct fanout *fanout = delivery->fanout;

	delivery->sockets += connections_deliver(
		fanout->options.connections, user, buf_span(&fanout->framed),
		delivery->except);
}

static void deliver_to_users(struct delivery *delivery, struct span key)
{
	uint64_t user;

	while (event_key_next(&key, &user))
		deliver_to(delivery, user);
	if (key.len)
		log_event(LOG_ERROR, "event.bad_key", F_SPAN("rest", key));
}

static void add_member(void *context, uint64_t user)
{
	struct fanout *fanout = context;

	if (fanout->member_count == fanout->member_capacity) {
		fanout->member_capacity = fanout->member_capacity
		                                  ? fanout->member_capacity * 2
		                                  : FANOUT_STEP;
		fanout->members = mem_resize(fanout->members,
		                             fanout->member_capacity *
		                                     sizeof(*fanout->members));
	}
	fanout->members[fanout->member_count++] = user;
}

/* Serves the next members. Returns the number of sockets. */
static unsigned serve_members(struct fanout *fanout)
{
	struct delivery delivery = {.fanout = fanout, .except = fanout->except};
	uint32_t end = fanout->served + FANOUT_STEP;

	if (end > fanout->member_count)
		end = fanout->member_count;
	while (fanout->served < end)
		deliver_to(&delivery, fanout->members[fanout->served++]);
	return delivery.sockets;
}

static size_t cost_of(const struct fanout *fanout, unsigned sockets)
{
	return sockets * (fanout->framed.len + FANOUT_SOCKET_COST);
}

/* Without the header the record is for all members of the room. */
static uint64_t seq_of(const struct kafka_message *event)
{
	uint64_t seq;

	return span_to_u64(kafka_message_header(event, EVENT_SEQ_HEADER),
	                   UINT64_MAX, &seq)
	               ? seq
	               : UINT64_MAX;
}

/* Returns the number of sockets that got it. */
static unsigned deliver(struct fanout *fanout,
                        const struct kafka_message *event)
{
	struct delivery delivery = {.fanout = fanout};
	struct span key = kafka_message_key(event);
	uint32_t partition = (uint32_t)kafka_message_partition(event);
	uint64_t room = 0;
	bool here = event_key_is_room(key, &room)
	                    ? rooms_has_members(fanout->options.rooms, room,
	                                        partition)
	                    : any_recipient_here(fanout, key);

	if (!here || !kafka_message_value(event).len ||
	    !frame_event(fanout, event))
		return 0;
	FAULT_POINT("fanout.before");
	delivery.except = excluded_socket(fanout, event);
	if (room) {
		fanout->except = delivery.except;
		fanout->member_count = 0;
		fanout->served = 0;
		rooms_each_member(fanout->options.rooms, room, partition,
		                  seq_of(event), add_member, fanout);
		delivery.sockets = serve_members(fanout);
	} else {
		deliver_to_users(&delivery, key);
	}
	FAULT_POINT("fanout.after");
	return delivery.sockets;
}

/*
 * Persistence may publish a change of members twice: for a message that follows
 * it, and from the outbox. The first of the two precedes all later entries of
 * the conversation in its partition, the second may follow them.
 */
static bool is_repeated(struct fanout *fanout, uint32_t partition,
                        const struct event_room *change)
{
	uint64_t words[] = {change->conversation, partition};
	struct span key = span_make(words, sizeof(words));
	uint64_t latest = 0;

	if (lru_get(fanout->changes, key, 0, &latest) && latest >= change->seq)
		return true;
	lru_put(fanout->changes, key, &change->seq, UINT64_MAX);
	return false;
}

/* Both the members who join and those who leave get the frame about it. */
static unsigned deliver_change(struct fanout *fanout,
                               const struct kafka_message *event,
                               const struct event_room *change)
{
	uint32_t partition = (uint32_t)kafka_message_partition(event);
	unsigned sockets;

	if (is_repeated(fanout, partition, change))
		return 0;
	typing_evict(fanout->options.typing, change->conversation);
	conversation_keys_learn_group(fanout->options.keys,
	                              change->conversation);
	if (change->sign == '+')
		rooms_changed(fanout->options.rooms, partition, change);
	sockets = deliver(fanout, event);
	if (change->sign == '-')
		rooms_changed(fanout->options.rooms, partition, change);
	return sockets;
}

/* --- answers to queries -------------------------------------------------- */

static void take_answer(const struct fanout_options *options,
                        const struct kafka_message *event, uint64_t user,
                        uint64_t number)
{
	struct span keys = kafka_message_header(event, EVENT_KEYS_HEADER);
	struct event_roster roster;

	if (event_roster_parse(kafka_message_header(event, EVENT_ROSTER_HEADER),
	                       &roster))
		typing_answered(options->typing, number, user, &roster);
	else if (keys.len)
		conversation_keys_answered(options->keys, number, keys);
	else
		rooms_answered(options->rooms, number,
		               kafka_message_header(event, EVENT_ROOMS_HEADER));
}

static void handle_answer(struct fanout *fanout,
                          const struct kafka_message *event)
{
	const struct fanout_options *options = &fanout->options;
	struct span key = kafka_message_key(event);
	struct event_origin asked;
	uint64_t user, by;
	bool blocks;

	if (!event_key_next(&key, &user))
		return;
	if (event_block_parse(kafka_message_header(event, EVENT_BLOCKER_HEADER),
	                      &blocks, &by)) {
		rooms_blockers_changed(options->rooms, user);
		typing_evict_user(options->typing, user);
	} else if (event_block_parse(
			   kafka_message_header(event, EVENT_BLOCKED_HEADER),
			   &blocks, &by)) {
		typing_evict_user(options->typing, user);
	} else if (event_origin_parse(
			   kafka_message_header(event, EVENT_SETTLES_HEADER),
			   &asked) &&
	           asked.gateway == options->gateway) {
		/* Answers to the queries of other gateways are ignored. */
		take_answer(options, event, user, asked.send);
	}
}

size_t fanout_event(struct fanout *fanout, const struct kafka_message *event)
{
	struct event_room change;
	unsigned sockets = 0;

	if (event_room_parse(kafka_message_header(event, EVENT_ROOM_HEADER),
	                     &change)) {
		sockets = deliver_change(fanout, event, &change);
	} else if (kafka_message_value(event).len == 0) {
		handle_answer(fanout, event);
	} else {
		settle(fanout, event);
		sockets = deliver(fanout, event);
	}
	count_metrics(event, sockets);
	return cost_of(fanout, sockets);
}

/* A step costs something also when its members have no sockets any more. */
size_t fanout_rest(struct fanout *fanout)
{
	if (fanout->served == fanout->member_count)
		return 0;
	return cost_of(fanout, serve_members(fanout)) + 1;
}
