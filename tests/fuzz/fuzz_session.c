/*
 * The connections of a gateway from the accepted socket to the last close, with
 * a fake clock, fake sockets and a fake identity-service. The input is a
 * script: each step is an operation, a socket, and the arguments of the
 * operation.
 *
 * In every script a socket gets one HTTP answer, then whole frames in order,
 * and nothing after a close. The gateway writes nothing to a blocked or
 * finished socket. Only valid messages of open sockets become sends. `welcome`,
 * delayed or not, is the first text of a socket and comes once.
 */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/base/utf8.h"
#include "common/io/redis/redis.h"
#include "common/service/log.h"
#include "common/wire/frame.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/deliver/ephemeral_producer.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/deliver/typing.h"
#include "websocket-service/presence/presence_clock.h"
#include "websocket-service/presence/presence_queries.h"
#include "websocket-service/receive/conversation_keys.h"
#include "websocket-service/receive/error_frame.h"
#include "websocket-service/receive/frame_dispatch.h"
#include "websocket-service/receive/frame_order.h"
#include "websocket-service/receive/pending_receipts.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/receive/save_records.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/rate_limits.h"
#include "websocket-service/socket/upgrade.h"

#include <string.h>

enum {
	SOCKETS = 4,
	CONNECTIONS_MAX = 3, /* one more is refused */
	HEADS_MAX = 2,       /* at one more, the oldest is cut */
	WAITERS = 16,
	SENDS = 16,
	QUEUE_BYTES = 4096,
	RECORDS = 16,        /* that Kafka has not answered */
	REDIS_QUERIES = 200, /* the same of Redis */
	PARTITIONS = 4,
	ROOM = 17,
};

/* --- random numbers: linked with --wrap ----------------------------------- */
uint64_t __wrap_random_u64(void);

uint64_t __wrap_random_u64(void)
{
	return clock_ms / 1000;
}

/* --- the script ----------------------------------------------------------- */
static struct span story;

static uint8_t next_byte(void)
{
	uint8_t byte = story.len ? (uint8_t)*story.data : 0;

	if (story.len)
		story = span_make(story.data + 1, story.len - 1);
	return byte;
}

static struct span next_bytes(void)
{
	size_t len = next_byte();
	struct span bytes;

	if (len > story.len)
		len = story.len;
	bytes = span_make(story.data, len);
	story = span_make(story.data + len, story.len - len);
	return bytes;
}

/* --- sockets ------------------------------------------------------------- */
struct socket {
	void *connection; /* NULL: not there */
	struct websocket_reader reader;
	bool blocked, wants_writable, paused, finished, dead, ended;
	bool takes_part; /* of the next write; the rest is kept */
	bool answered, open, closed, welcomed;
};

static struct connections *set;
static struct socket sockets[SOCKETS];

static void check_http(struct socket *socket, struct span *bytes)
{
	size_t head = upgrade_head_len(*bytes);

	must(head > 0);
	must(span_starts(*bytes, SPAN("HTTP/1.1 ")));
	socket->answered = true;
	socket->open = span_starts(*bytes, SPAN("HTTP/1.1 101 "));
	*bytes = span_make(bytes->data + head, bytes->len - head);
	if (socket->open)
		return;
	must_be_json(*bytes);
	socket->closed = true;
	*bytes = SPAN_NONE;
}

static void check_text(struct socket *socket, struct span text)
{
	bool welcome = span_starts(text, SPAN("{\"type\":\"welcome\""));

	must_be_json(text);
	must(socket->welcomed != welcome);
	socket->welcomed = true;
}

static void check_frames(struct socket *socket, char *data, size_t len)
{
	struct websocket_message message;
	enum websocket_event event;

	while ((event = websocket_read(&socket->reader, &data, &len,
	                               &message)) == WEBSOCKET_MESSAGE) {
		must(!socket->closed);
		if (message.op == WEBSOCKET_TEXT)
			check_text(socket, message.payload);
		socket->closed = message.op == WEBSOCKET_CLOSE;
	}
	/* A write ends where a frame ends. */
	must(event == WEBSOCKET_MORE && len == 0);
	must(socket->reader.head_len == 0 && !socket->reader.in_payload);
}

bool socket_write(struct socket *socket, struct span bytes)
{
	char *copy;

	must(!socket->blocked && !socket->finished);
	must(bytes.len > 0);
	if (socket->dead)
		return false;
	if (!socket->answered)
		check_http(socket, &bytes);
	if (bytes.len) {
		must(socket->open);
		copy = mem_text(bytes.data, bytes.len);
		check_frames(socket, copy, bytes.len);
		mem_free(&copy);
	}
	socket->blocked = socket->takes_part;
	socket->takes_part = false;
	return true;
}

bool socket_blocked(struct socket *socket)
{
	return socket->blocked;
}

void socket_want_writable(struct socket *socket)
{
	socket->wants_writable = true;
}

void socket_pause(struct socket *socket, bool paused)
{
	socket->paused = paused;
}

void socket_shutdown(struct socket *socket)
{
	must(socket->closed || socket->dead);
	socket->finished = true;
}

static void leave(struct socket *socket)
{
	if (!socket->connection)
		return;
	connection_events.closed(socket->connection);
	websocket_reader_free(&socket->reader);
	*socket = (struct socket){0};
}

/* Later, from the loop: see end_some(). */
void socket_abort(struct socket *socket)
{
	socket->ended = true;
}

static void end_some(void)
{
	for (unsigned i = 0; i < SOCKETS; i++) {
		if (sockets[i].ended)
			leave(&sockets[i]);
	}
}

static void arrive(struct socket *socket)
{
	if (socket->connection)
		return;
	websocket_reader_start(&socket->reader, false, false, FRAME_OUT_MAX);
	socket->connection = connection_events.opened(set, socket);
	must(socket->connection != NULL);
}

/* Sends two pieces when `cut` lies within the bytes. */
static void say(struct socket *socket, struct span bytes, size_t cut)
{
	size_t first = cut < bytes.len ? cut : bytes.len;
	struct span pieces[] = {
		{bytes.data, first},
		{bytes.data + first, bytes.len - first},
	};

	for (unsigned i = 0; i < ARRAY_LEN(pieces); i++) {
		char *copy;

		if (!socket->connection || socket->paused || !pieces[i].len)
			continue;
		copy = mem_text(pieces[i].data, pieces[i].len);
		must(connection_events.received(socket->connection, copy,
		                                pieces[i].len));
		mem_free(&copy);
	}
}

/* --- identity ------------------------------------------------------------ */
static struct identity_waiter *waiters[WAITERS];
static uint8_t mood; /* what identity answers at once */

static struct identity_response response_of(uint8_t byte)
{
	static const enum status statuses[] = {ST_OK, ST_OK, ST_DENIED,
	                                       ST_NOT_FOUND, ST_UNAVAILABLE};

	return (struct identity_response){
		.status = statuses[byte % ARRAY_LEN(statuses)],
		.user = 1 + byte % 3u,
		.expires_at_ms = clock_unix_ms() + byte * 500u,
		.session = "1",
	};
}

bool identity_client_get(struct identity_client *client,
                         const struct identity_request *request,
                         struct identity_waiter *waiter,
                         struct identity_response *ret_response)
{
	char path[IDENTITY_PATH_MAX];

	(void)client;
	identity_request_path(request, path);
	must(identity_request_key(request).len > 0 && path[0] == '/');
	must(request->token.len > 0 && request->token.len <= TOKEN_MAX);
	must(!waiter->inflight);
	for (unsigned i = 0; i < WAITERS && mood % 2; i++) {
		if (waiters[i])
			continue;
		waiters[i] = waiter;
		waiter->inflight =
			(struct identity_inflight *)(void *)&waiters[i];
		return false;
	}
	*ret_response = response_of(mood);
	return true;
}

void identity_client_cancel(struct identity_waiter *waiter)
{
	for (unsigned i = 0; waiter->inflight && i < WAITERS; i++) {
		if (waiters[i] == waiter)
			waiters[i] = NULL;
	}
	waiter->inflight = NULL;
}

bool identity_client_peek(struct identity_client *client,
                          const struct identity_request *request,
                          struct identity_response *ret_response)
{
	(void)client;
	must(identity_request_key(request).len > 0);
	*ret_response = response_of(mood);
	return mood % 4 == 2;
}

static void answer_one(uint8_t which, uint8_t what)
{
	struct identity_waiter *waiter = waiters[which % WAITERS];
	struct identity_response response = response_of(what);

	if (!waiter)
		return;
	identity_client_cancel(waiter);
	waiter->done(waiter->context, &response);
}

/* --- sends --------------------------------------------------------------- */
static struct conversation_keys *keys;
static struct frame_order *order;
static struct frame_dispatch *dispatch;
static uint64_t under_way[SENDS]; /* connection numbers */

static void check_send(const struct client_frame *frame)
{
	must(frame->kind == CLIENT_MESSAGE || frame->kind == CLIENT_EDIT ||
	     frame->kind == CLIENT_DELETE || frame->kind == CLIENT_REACT);
	must(frame->user_to <= JSON_ID_MAX);
	must(frame->conversation <= JSON_ID_MAX);
	must(frame->user_to || frame->conversation);
	must(frame->kind == CLIENT_MESSAGE
	             ? !frame->user_to == !!frame->conversation
	             : frame->conversation && frame->seq);
	must(utf8_valid(frame->message) && utf8_valid(frame->reaction));
}

void pending_sends_begin(struct pending_sends *sends,
                         struct connection *connection,
                         const struct client_frame *frame, uint64_t began_us)
{
	(void)sends;
	(void)began_us;
	must(connections_find(set, connection_id(connection)) == connection);
	must(connection_user(connection) >= 1);
	check_send(frame);
	for (unsigned i = 0; i < SENDS; i++) {
		if (under_way[i])
			continue;
		under_way[i] = connection_id(connection);
		(*connection_unsettled(connection))++;
		return;
	}
	error_frame_send_state(connection, &frame->uuid, FRAME_UNAVAILABLE,
	                       "full");
}

static void settle(uint8_t which)
{
	uint64_t *number = &under_way[which % SENDS];
	struct connection *connection = connections_find(set, *number);
	struct buf text CLEANUP(buf_free) = BUF(256);
	struct uuid uuid = {{0}};

	if (*number && connection) {
		must(*connection_unsettled(connection) > 0);
		(*connection_unsettled(connection))--;
		frame_accepted(&text, &uuid);
		connection_send(connection, buf_span(&text));
	}
	*number = 0;
}

static void on_text(void *context, struct connection *connection,
                    struct span text)
{
	(void)context;
	frame_dispatch_text(dispatch, connection, text);
}

/* --- what stands behind the other frames --------------------------------- */
static struct rooms *rooms;
static struct pending_receipts *receipts;
static struct typing *typing;
static uint64_t rooms_number, roster_number; /* of the latest queries */
static struct presence_queries *presence;
static const struct presence_clock redis_time;
static struct rate_limits *rate_limits;
static uint64_t record_tags[RECORDS];
static unsigned record_count;
static struct redis_query {
	redis_done *done;
	void *context;
	uint64_t tag;
} redis_queries[REDIS_QUERIES];
static unsigned redis_query_count;

static void on_typing(void *context, struct connection *connection,
                      const struct client_frame *frame)
{
	(void)context;
	typing_started(typing, connection_user(connection), frame->conversation,
	               frame->user_to);
}

static void on_presence(void *context, struct connection *connection,
                        const struct client_frame *frame)
{
	(void)context;
	presence_queries_request(presence, connection, frame);
}

enum status save_records_produce(struct save_records *records,
                                 struct save_record *record, struct span origin,
                                 uint64_t tag)
{
	(void)records;
	must(origin.len == 0);
	must(record->sender >= 1 && record->kind < SAVE_KIND_COUNT);
	must(!save_kind_has(record->kind, SAVE_HAS_CONVERSATION) ||
	     record->conversation);
	must(!save_kind_has(record->kind, SAVE_HAS_SEQ) || record->seq);
	if (record_count == RECORDS)
		return ST_BUSY;
	record_tags[record_count++] = tag;
	return ST_OK;
}

static void acknowledge_records(enum status status)
{
	unsigned count = record_count;
	uint64_t tags[RECORDS];

	memcpy(tags, record_tags, sizeof(tags));
	record_count = 0;
	for (unsigned i = 0; i < count; i++) {
		if (save_records_owner(tags[i]) == SAVE_RECORDS_OF_RECEIPTS)
			pending_receipts_acknowledged(
				receipts, save_records_number(tags[i]), status);
	}
}

void ephemeral_producer_send(struct ephemeral_producer *ephemeral,
                             uint32_t partition, struct span key,
                             struct span frame)
{
	uint64_t user;

	(void)ephemeral;
	must_be_json(frame);
	while (event_key_next(&key, &user))
		must(event_partition(user, PARTITIONS) == partition);
	must(key.len == 0);
}

bool redis_is_up(const struct redis *redis)
{
	(void)redis;
	return !(mood & 32);
}

bool redis_command(struct redis *redis, const struct span *words,
                   unsigned count, redis_done *done, void *context,
                   uint64_t tag)
{
	(void)words;
	must(count <= REDIS_WORDS_MAX && done);
	if (!redis_is_up(redis) || redis_query_count == REDIS_QUERIES)
		return false;
	redis_queries[redis_query_count++] =
		(struct redis_query){done, context, tag};
	return true;
}

struct redis_reply redis_item(const struct redis_reply *list, unsigned index)
{
	const uint8_t *odd = list->items;

	return (struct redis_reply){
		.kind = REDIS_TEXT,
		.text = index == 0 ? SPAN("life")
	                : *odd     ? SPAN("1800000000001")
	                           : SPAN("1780000000000"),
	};
}

/* Alternately online and offline, unless Redis is down. */
static void answer_redis_queries(uint8_t how)
{
	struct redis_query answered[REDIS_QUERIES];
	unsigned count = redis_query_count;

	memcpy(answered, redis_queries, sizeof(answered));
	redis_query_count = 0;
	for (unsigned i = 0; i < count; i++) {
		uint8_t odd = (how + i) & 1;
		struct redis_reply reply = {
			.kind = how & 64 ? REDIS_NO_REPLY : REDIS_LIST,
			.count = how & 32 ? 0 : 2,
			.items = &odd,
		};

		answered[i].done(answered[i].context, answered[i].tag, &reply);
	}
}

static void on_query_rooms(void *context, uint64_t number, uint64_t first,
                           struct span users)
{
	uint64_t user;
	unsigned count = 0;

	(void)context;
	rooms_number = number;
	while (event_key_next(&users, &user)) {
		must(user == first || count);
		count++;
	}
	must(number >= 1 && users.len == 0 && count >= 1 &&
	     count <= SAVE_USERS_MAX);
}

static void on_query_keys(void *context, uint64_t number, uint64_t user,
                          struct span conversations)
{
	uint64_t conversation;
	unsigned count = 0;

	(void)context;
	while (event_key_next(&conversations, &conversation))
		count++;
	must(number >= 1 && user >= 1 && conversations.len == 0 && count >= 1 &&
	     count <= SAVE_CONVERSATIONS_MAX);
}

static void on_key_learned(void *context, uint64_t conversation)
{
	(void)context;
	pending_receipts_key_known(receipts, conversation);
}

static void on_keys_known(void *context)
{
	(void)context;
	frame_order_keys_known(order);
}

static void on_pass(void *context, struct connection *connection,
                    const struct client_frame *frame, uint64_t began_us)
{
	(void)context;
	must(connections_find(set, connection_id(connection)) == connection);
	frame_dispatch_pass(dispatch, connection, frame, began_us);
}

static void on_welcome(void *context, uint64_t user)
{
	(void)context;
	connections_welcome(set, user);
}

static void on_welcomed_early(void *context, uint64_t user)
{
	(void)context;
	(void)connections_close_welcomed(set, user, WEBSOCKET_TRY_LATER, "");
}

static void on_blockers_known(void *context, uint64_t user)
{
	(void)context;
	presence_queries_blockers_known(presence, user);
}

static bool on_query_roster(void *context, const struct typing_query *query)
{
	(void)context;
	must(query->number > roster_number);
	must(query->user >= 1 && query->conversation);
	roster_number = query->number;
	return true;
}

/* In one mode of the fake identity-service `welcome` waits for rooms. */
static bool on_opened(void *context, struct connection *connection)
{
	uint64_t user = connection_user(connection);

	(void)context;
	if (mood & 64)
		return rooms_user_connected(rooms, user);
	(void)rooms_user_connected(rooms, user);
	return true;
}

static void on_closed(void *context, struct connection *connection, bool last)
{
	uint64_t user = connection_user(connection);

	(void)context;
	must(user >= 1);
	must(last == !connections_has_user(set, user));
	presence_queries_socket_closed(presence, connection_id(connection));
	if (last)
		rooms_user_disconnected(rooms, user);
}

/*
 * The rooms and roster of a user, a change of the members of a room, or the
 * keys of conversations.
 */
static void tell_rooms(uint8_t what, struct span text)
{
	uint64_t user = 1 + what % 3u;
	struct event_roster roster;
	struct event_room room;

	if (event_room_parse(text, &room)) {
		typing_evict(typing, room.conversation);
		rooms_changed(rooms, event_partition(user, PARTITIONS), &room);
	} else if (text.len && memchr(text.data, '=', text.len) && what & 32) {
		conversation_keys_answered(keys, what, text);
	} else if (what & 128 && event_roster_parse(text, &roster)) {
		typing_answered(typing, what & 64 ? what : roster_number, user,
		                &roster);
	} else if (!text.len) {
		rooms_blockers_changed(rooms, user);
	} else {
		rooms_answered(rooms, what & 64 ? 1 : rooms_number, text);
	}
}

static void deliver_room_to(void *context, uint64_t user)
{
	const struct span *framed = context;

	(void)connections_deliver(set, user, *framed, 0);
}

/* --- steps --------------------------------------------------------------- */
#define REQUEST \
	"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define CHAT \
	"{\"uuid\":\"0198c0de-0000-7000-8000-000000000001\"," \
	"\"message\":\"hi\",\"user_to\":2}"

static void say_head(struct socket *socket, uint8_t which)
{
	static const char *const heads[] = {
		REQUEST "Authorization: Bearer tok\r\n\r\n",
		REQUEST "Sec-WebSocket-Protocol: parley, bearer.tok\r\n\r\n",
		REQUEST "\r\n",
		"POST /ws HTTP/1.1\r\nHost: h\r\n\r\n",
	};

	say(socket, span_of(heads[which & 3]), which >> 2);
}

static void say_frame(struct socket *socket, uint8_t op, struct span payload)
{
	static const uint8_t mask[4] = {1, 2, 3, 4};
	struct buf frame CLEANUP(buf_free) = BUF(FRAME_MAX);

	websocket_write(&frame, op & 15, payload, mask);
	if (op & 16) /* a fragment */
		frame.data[0] = (char)(frame.data[0] & 0x7f);
	say(socket, buf_span(&frame), op >> 4);
}

/* Delivers to one of the users, at most half of the queue bound. */
static void deliver(uint8_t user, uint8_t size)
{
	struct buf frame CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct buf text CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	buf_append(&text, SPAN("{\"a\":\""));
	for (unsigned i = 0; i < size; i++)
		buf_append(&text, SPAN("12345678"));
	buf_append(&text, SPAN("\"}"));
	websocket_write(&frame, WEBSOCKET_TEXT, buf_span(&text), NULL);
	if (user & 64) {
		struct span framed = buf_span(&frame);

		for (uint32_t p = 0; p < PARTITIONS; p++)
			rooms_each_member(rooms, ROOM, p, UINT64_MAX,
			                  deliver_room_to, &framed);
		return;
	}
	(void)connections_deliver(set, 1 + user % 3u, buf_span(&frame),
	                          user & 128 ? under_way[0] : 0);
}

static void pass(uint8_t seconds)
{
	clock_ms += seconds * UINT64_C(1000) + seconds;
	connections_tick(set);
	conversation_keys_tick(keys);
	frame_order_tick(order);
	pending_receipts_tick(receipts);
	rooms_tick(rooms);
	presence_queries_tick(presence);
}

static void unblock(struct socket *socket)
{
	socket->blocked = false;
	if (!socket->wants_writable || !socket->connection)
		return;
	socket->wants_writable = false;
	connection_events.writable(socket->connection);
}

/* In older corpus entries this byte meant a drain: its lowest values. */
static void more(uint8_t what)
{
	switch (what >> 5) {
	case 7:
		answer_redis_queries(next_byte());
		break;
	case 6:
		acknowledge_records(next_byte() & 1 ? ST_OK : ST_UNAVAILABLE);
		break;
	case 5:
		tell_rooms(what, next_bytes());
		break;
	case 4:
		tell_rooms(what | 128, next_bytes());
		break;
	case 3:
		presence_queries_redis_up(presence, what & 1);
		rooms_invalidate_all(rooms);
		break;
	default:
		connections_close_all(set, what & 1, WEBSOCKET_GOING_AWAY,
		                      "bye");
	}
}

/* Arguments are read one by one: C leaves their order in a call open. */
static void step(uint8_t what, struct socket *socket)
{
	struct span bytes;
	uint8_t first;

	switch (what) {
	case 0:
		arrive(socket);
		break;
	case 1:
		say_head(socket, next_byte());
		break;
	case 2:
		bytes = next_bytes();
		say(socket, bytes, next_byte());
		break;
	case 3:
		first = next_byte();
		say_frame(socket, first, next_bytes());
		break;
	case 4:
		say_frame(socket, WEBSOCKET_TEXT, SPAN(CHAT));
		break;
	case 5:
		leave(socket);
		break;
	case 6:
		mood = next_byte();
		break;
	case 7:
		first = next_byte();
		answer_one(first, next_byte());
		break;
	case 8:
		settle(next_byte());
		break;
	case 9:
		pass(next_byte());
		break;
	case 10:
		socket->takes_part = true;
		break;
	case 11:
		unblock(socket);
		break;
	case 12:
		socket->dead = socket->connection != NULL;
		break;
	case 13:
		first = next_byte();
		deliver(first, next_byte());
		break;
	case 14:
		more(next_byte());
		break;
	default:
		rooms_flush(rooms);
		conversation_keys_flush(keys);
		connections_flush(set);
	}
}

static void check_counts(void)
{
	uint32_t live = 0;

	for (unsigned i = 0; i < SOCKETS; i++)
		live += sockets[i].connection != NULL;
	must(connections_count(set) == live);
}

/* One of three users has events on another gateway. */
static bool serves_user(void *context, uint64_t user)
{
	(void)context;
	return user % 3 != 0;
}

static void start(void)
{
	log_start("fuzz", LOG_ERROR);
	clock_ms = 5000000;
	mood = 0;
	set = connections_create(&(struct connections_options){
		.origins = "",
		.ping_s = 25,
		.silent_s = 60,
		.queue_bytes = QUEUE_BYTES,
		.connections_max = CONNECTIONS_MAX,
		.handshakes_max = HEADS_MAX,
		.serves_user = serves_user,
		.text = on_text,
		.opened = on_opened,
		.closed = on_closed,
	});
	rooms_number = roster_number = 0;
	rooms = rooms_create(&(struct rooms_options){
		.partitions = PARTITIONS,
		.absent_max = 1,
		.query = on_query_rooms,
		.welcome = on_welcome,
		.welcomed_early = on_welcomed_early,
		.blockers_known = on_blockers_known,
	});
	typing = typing_create(
		&(struct typing_options){.partitions = PARTITIONS,
	                                 .rosters_max = 3,
	                                 .query = on_query_roster});
	presence = presence_queries_create(set, NULL, &redis_time, rooms);
	rate_limits = rate_limits_create(5, 100, 2);
	keys = conversation_keys_create(&(struct conversation_keys_options){
		.keys_max = 3,
		.query = on_query_keys,
		.learned = on_key_learned,
		.answered = on_keys_known,
	});
	receipts = pending_receipts_create(NULL, keys, 4);
	order = frame_order_create(&(struct frame_order_options){
		.connections = set,
		.keys = keys,
		.unsettled_max = 8,
		.pass = on_pass,
	});
	dispatch = frame_dispatch_create(&(struct frame_dispatch_options){
		.rate_limits = rate_limits,
		.order = order,
		.receipts = receipts,
		.typing = on_typing,
		.presence = on_presence,
	});
}

static void stop(void)
{
	for (unsigned i = 0; i < SOCKETS; i++)
		leave(&sockets[i]);
	check_counts();
	frame_dispatch_destroy(&dispatch);
	frame_order_destroy(&order);
	conversation_keys_destroy(&keys);
	for (unsigned i = 0; i < WAITERS; i++)
		must(!waiters[i]);
	must(presence_queries_subscriptions(presence) == 0);
	presence_queries_destroy(&presence);
	typing_destroy(&typing);
	pending_receipts_destroy(&receipts);
	rooms_destroy(&rooms);
	rate_limits_destroy(&rate_limits);
	connections_destroy(&set);
	record_count = 0;
	redis_query_count = 0;
	memset(under_way, 0, sizeof(under_way));
}

static void play(struct span script)
{
	story = script;
	start();
	while (story.len) {
		uint8_t byte = next_byte();

		step(byte >> 4, &sockets[byte % SOCKETS]);
		end_some();
		check_counts();
	}
	connections_flush(set);
}

/* A harness whose sockets never open checks nothing. */
static void check_that_a_socket_opens(void)
{
	static const char opens[] = "\x60\xf0\x00\x10\x00\xf0";
	static bool checked;

	if (checked)
		return;
	play(span_make(opens, sizeof(opens) - 1));
	must(sockets[0].open);
	stop();
	checked = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_that_a_socket_opens();
	play(span_make(data, size));
	stop();
	return 0;
}
