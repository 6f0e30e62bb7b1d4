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
	/* Its recipients; those before `served` have got it. */
	uint64_t *recipients;
	uint32_t recipient_count;
	uint32_t recipient_capacity;
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
	mem_free(&(*fanout)->recipients);
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

static void add_recipient(void *context, uint64_t user)
{
	struct fanout *fanout = context;

	if (fanout->recipient_count == fanout->recipient_capacity) {
		fanout->recipient_capacity =
			fanout->recipient_capacity
				? fanout->recipient_capacity * 2
				: FANOUT_STEP;
		fanout->recipients =
			mem_resize(fanout->recipients,
		                   fanout->recipient_capacity *
		                           sizeof(*fanout->recipients));
	}
	fanout->recipients[fanout->recipient_count++] = user;
}

static void remove_recipient(struct fanout *fanout, uint64_t user)
{
	for (uint32_t i = 0; i < fanout->recipient_count; i++) {
		if (fanout->recipients[i] != user)
			continue;
		fanout->recipients[i] =
			fanout->recipients[--fanout->recipient_count];
		return;
	}
}

/*
 * A user who is back when the record about the leaving is read does not get it:
 * after it no entry may follow until the next join, but the entries between the
 * two do, because the user is in the room already.
 */
static void remove_returned(struct fanout *fanout,
                            const struct event_room *change)
{
	struct span users = change->users;
	uint64_t user, from;

	while (change->sign == '-' && event_room_next(&users, &user, &from)) {
		if (rooms_joined_after(fanout->options.rooms, user,
		                       change->conversation, change->seq))
			remove_recipient(fanout, user);
	}
}

/* In a large system most events are for users on other gateways. */
static void add_users_here(struct fanout *fanout, struct span key)
{
	uint64_t user;

	while (event_key_next(&key, &user)) {
		if (connections_has_user(fanout->options.connections, user))
			add_recipient(fanout, user);
	}
	if (key.len)
		log_event(LOG_ERROR, "event.bad_key", F_SPAN("rest", key));
}

/* Serves the next recipients. Returns the number of sockets. */
static unsigned serve_recipients(struct fanout *fanout)
{
	uint32_t end = fanout->served + FANOUT_STEP;
	unsigned sockets = 0;

	if (end > fanout->recipient_count)
		end = fanout->recipient_count;
	while (fanout->served < end && sockets < FANOUT_STEP)
		sockets += connections_deliver(
			fanout->options.connections,
			fanout->recipients[fanout->served++],
			buf_span(&fanout->framed), fanout->except);
	return sockets;
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

/*
 * `change`: of members, or NULL. Returns the number of sockets that the first
 * step has served.
 */
static unsigned deliver(struct fanout *fanout,
                        const struct kafka_message *event,
                        const struct event_room *change)
{
	struct span key = kafka_message_key(event);
	uint64_t room = 0;
	unsigned sockets;

	fanout->recipient_count = 0;
	fanout->served = 0;
	if (!kafka_message_value(event).len)
		return 0;
	if (event_key_is_room(key, &room))
		rooms_each_member(fanout->options.rooms, room,
		                  (uint32_t)kafka_message_partition(event),
		                  seq_of(event), add_recipient, fanout);
	else
		add_users_here(fanout, key);
	if (change)
		remove_returned(fanout, change);
	if (!fanout->recipient_count)
		return 0;
	if (!frame_event(fanout, event)) {
		fanout->recipient_count = 0;
		return 0;
	}
	FAULT_POINT("fanout.before");
	fanout->except = excluded_socket(fanout, event);
	sockets = serve_recipients(fanout);
	FAULT_POINT("fanout.after");
	return sockets;
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
	sockets = deliver(fanout, event, change);
	if (change->sign == '-')
		rooms_changed(fanout->options.rooms, partition, change);
	return sockets;
}

/* --- answers to queries -------------------------------------------------- */

/* Returns its length. */
static size_t take_answer(const struct fanout_options *options,
                          const struct kafka_message *event, uint64_t user,
                          uint64_t number)
{
	struct span keys = kafka_message_header(event, EVENT_KEYS_HEADER);
	struct span rooms = kafka_message_header(event, EVENT_ROOMS_HEADER);
	struct event_roster roster;

	if (event_roster_parse(kafka_message_header(event, EVENT_ROSTER_HEADER),
	                       &roster))
		typing_answered(options->typing, number, user, &roster);
	else if (keys.len)
		conversation_keys_answered(options->keys, number, keys);
	else
		rooms_answered(options->rooms, number, rooms);
	return keys.len + rooms.len;
}

/* Returns its cost: an answer names up to 60,000 rooms or users. */
static size_t handle_answer(struct fanout *fanout,
                            const struct kafka_message *event)
{
	const struct fanout_options *options = &fanout->options;
	struct span key = kafka_message_key(event);
	struct event_origin asked;
	uint64_t user, by;
	bool blocks;

	if (!event_key_next(&key, &user))
		return 0;
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
		return FANOUT_ANSWER_COST *
		       take_answer(options, event, user, asked.send);
	}
	return 0;
}

size_t fanout_event(struct fanout *fanout, const struct kafka_message *event)
{
	struct event_room change;
	unsigned sockets = 0;
	size_t answer = 0;

	if (event_room_parse(kafka_message_header(event, EVENT_ROOM_HEADER),
	                     &change)) {
		sockets = deliver_change(fanout, event, &change);
	} else if (kafka_message_value(event).len == 0) {
		answer = handle_answer(fanout, event);
	} else {
		settle(fanout, event);
		sockets = deliver(fanout, event, NULL);
	}
	count_metrics(event, sockets);
	return cost_of(fanout, sockets) + answer;
}

/* A step costs something also when its users have no sockets any more. */
size_t fanout_rest(struct fanout *fanout)
{
	if (fanout->served == fanout->recipient_count)
		return 0;
	return cost_of(fanout, serve_recipients(fanout)) + 1;
}
