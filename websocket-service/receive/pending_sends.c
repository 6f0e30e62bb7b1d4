#include "websocket-service/receive/pending_sends.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/io/kafka/kafka.h"
#include "common/io/redis/redis.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/wire/fields.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/receive/error_frame.h"
#include "websocket-service/receive/save_records.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/slot_map.h"

#include <utlist.h>

enum { HINT_MAX = 128 };

static const char hint_prefix[] = "message:";

struct pending_send {
	struct pending_send *prev, *next; /* in `waiting` or in `accepted` */
	uint64_t number;
	uint64_t connection;
	uint64_t sender;
	struct uuid uuid;
	uint64_t began_us;
	bool in_log;
	bool accepted;  /* `accepted` is sent: no longer counted as unsettled */
	bool owns_hint; /* Redis stored our hint: we may change it */
};

struct pending_sends {
	struct pending_sends_options options;
	struct slot_map *by_number;
	struct pending_send *waiting;  /* oldest first */
	struct pending_send *accepted; /* oldest first; kept for metrics */
	struct pending_send *spare;    /* allocated and unused */
	struct buf hint;
};

struct pending_sends *
pending_sends_create(const struct pending_sends_options *options)
{
	struct pending_sends *sends = mem_new(sizeof(*sends));

	sends->options = *options;
	sends->by_number = slot_map_create(PENDING_SENDS_MAX);
	sends->hint = BUF(HINT_MAX);
	return sends;
}

static void free_all(struct pending_send *list)
{
	while (list) {
		struct pending_send *next = list->next;

		mem_free(&list);
		list = next;
	}
}

void pending_sends_destroy(struct pending_sends **sends)
{
	struct pending_sends *s = *sends;

	if (!s)
		return;
	free_all(s->waiting);
	free_all(s->accepted);
	free_all(s->spare);
	slot_map_destroy(&s->by_number);
	buf_free(&s->hint);
	mem_free(sends);
}

/* --- hints: message:<uuid> → {"sender":…,"state":…} ---------------------- */

static void set_hint(struct pending_sends *sends,
                     const struct pending_send *send, struct span state,
                     enum redis_when when, redis_set_done *done)
{
	char key[sizeof(hint_prefix) + UUID_TEXT_LEN] = {0};
	struct json_writer w = json_writer(&sends->hint);

	memcpy(key, hint_prefix, sizeof(hint_prefix) - 1);
	uuid_format(&send->uuid, key + sizeof(hint_prefix) - 1);
	buf_clear(&sends->hint);
	json_open(&w);
	json_number(&w, FIELD_SENDER, send->sender);
	json_text(&w, FIELD_STATE, state);
	json_close(&w);
	(void)redis_set(sends->options.redis, span_of(key),
	                buf_span(&sends->hint), sends->options.hint_ttl_s, when,
	                done, sends, send->number);
}

static void hint_accepted(struct pending_sends *sends,
                          const struct pending_send *send)
{
	if (send->owns_hint)
		set_hint(sends, send, SPAN("accepted"), REDIS_IF_PRESENT, NULL);
}

static void on_hint(void *context, uint64_t number, bool set)
{
	struct pending_sends *sends = context;
	struct pending_send *send = slot_map_get(sends->by_number, number);

	if (!send || !set)
		return;
	send->owns_hint = true;
	if (send->in_log)
		hint_accepted(sends, send);
}

/* --- the life of a send -------------------------------------------------- */

static void release(struct pending_sends *sends, struct pending_send *send)
{
	struct connection *connection =
		connections_find(sends->options.connections, send->connection);

	if (connection && !send->accepted)
		(*connection_unsettled(connection))--;
	if (send->accepted)
		DL_DELETE(sends->accepted, send);
	else
		DL_DELETE(sends->waiting, send);
	slot_map_remove(sends->by_number, send->number);
	LL_PREPEND(sends->spare, send);
}

/*
 * When the map is full, the oldest accepted send makes room. NULL when there is
 * none.
 */
static struct pending_send *make(struct pending_sends *sends)
{
	struct pending_send *send;
	uint64_t number;

	if (slot_map_count(sends->by_number) == PENDING_SENDS_MAX) {
		if (!sends->accepted)
			return NULL;
		release(sends, sends->accepted);
	}
	send = sends->spare;
	if (send)
		LL_DELETE(sends->spare, send);
	else
		send = mem_new(sizeof(*send));
	number = slot_map_add(sends->by_number, send);
	*send = (struct pending_send){.number = number};
	DL_APPEND(sends->waiting, send);
	return send;
}

static enum save_kind record_kind(enum client_frame_kind kind)
{
	static const enum save_kind kinds[] = {
		[CLIENT_MESSAGE] = SAVE_MESSAGE,
		[CLIENT_EDIT] = SAVE_EDIT,
		[CLIENT_DELETE] = SAVE_DELETE,
		[CLIENT_REACT] = SAVE_REACT,
	};

	return kinds[kind];
}

static enum status produce(struct pending_sends *sends,
                           const struct pending_send *send,
                           const struct client_frame *frame)
{
	char origin[EVENT_ORIGIN_LEN];
	struct save_record record = {
		.kind = record_kind(frame->kind),
		.remove = frame->remove,
		.uuid = frame->uuid,
		.sender = send->sender,
		.user_to = frame->user_to,
		.conversation = frame->conversation,
		.seq = frame->seq,
		.reply_to = frame->reply_to,
		.message = frame->message,
		.reaction = frame->reaction,
	};

	event_origin_format(
		&(struct event_origin){.gateway = sends->options.gateway,
	                               .connection = send->connection,
	                               .send = send->number},
		origin);
	return save_records_produce(
		sends->options.records, &record,
		span_make(origin, sizeof(origin)),
		save_records_tag(SAVE_RECORDS_OF_SENDS, send->number));
}

/*
 * What the sender is told. Kafka will never accept the record of a permanent
 * refusal, so the client must not repeat it: docs/adr/0017.
 */
static enum frame_code refusal(enum status status, const char **ret_detail)
{
	switch (kafka_verdict(status)) {
	case KAFKA_RECORD_REFUSED:
		if (status == ST_TOO_LARGE) {
			*ret_detail = "the message log takes no message of "
				      "this size";
			return FRAME_MESSAGE_TOO_LONG;
		}
		*ret_detail = "the message log refuses it";
		return FRAME_NOT_STORABLE;
	case KAFKA_TOPIC_REFUSED:
		*ret_detail = "the message log refuses all messages";
		return FRAME_NOT_STORABLE;
	default:
		*ret_detail = status == ST_UNCERTAIN
		                      ? "the message may have been accepted: "
		                        "send the same uuid again"
		                      : "the message log did not accept it";
		return FRAME_UNAVAILABLE;
	}
}

static void fail(struct pending_sends *sends, struct pending_send *send,
                 enum status status)
{
	struct connection *connection =
		connections_find(sends->options.connections, send->connection);
	struct uuid uuid = send->uuid;
	const char *detail;
	enum frame_code code = refusal(status, &detail);

	metric_count(&gateway_metrics.kafka_refused, 1);
	log_event(LOG_WARN, "send.not_in_log", F_NUMBER("user", send->sender),
	          F_TEXT("status", status_text(status)),
	          F_TEXT("code", frame_code_text(code)));
	release(sends, send);
	if (connection)
		error_frame_send_state(connection, &uuid, code, detail);
}

void pending_sends_begin(struct pending_sends *sends,
                         struct connection *connection,
                         const struct client_frame *frame, uint64_t began_us)
{
	unsigned *unsettled = connection_unsettled(connection);
	struct pending_send *send;
	enum status status;

	if (*unsettled >= sends->options.unsettled_max) {
		error_frame_send_state(
			connection, &frame->uuid, FRAME_TOO_MANY_UNSETTLED,
			"too many messages of this socket are under way");
		return;
	}
	send = make(sends);
	if (!send) {
		error_frame_send_state(connection, &frame->uuid,
		                       FRAME_UNAVAILABLE,
		                       "too many messages are under way");
		return;
	}
	send->connection = connection_id(connection);
	send->sender = connection_user(connection);
	send->uuid = frame->uuid;
	send->began_us = began_us;
	(*unsettled)++;
	FAULT_POINT("hint.before");
	set_hint(sends, send, SPAN("pending"), REDIS_IF_ABSENT, on_hint);
	FAULT_POINT("produce.before");
	status = produce(sends, send, frame);
	if (status == ST_OK) {
		FAULT_POINT("produce.after");
		return;
	}
	fail(sends, send, status);
}

static bool overdue(const struct pending_sends *sends,
                    const struct pending_send *send)
{
	return clock_mono_us() - send->began_us >=
	       (uint64_t)sends->options.accepted_ms * 1000;
}

/* The message is durable, but saving takes long: the client can stop waiting.
 */
static void send_accepted(struct pending_sends *sends,
                          struct pending_send *send)
{
	struct connection *connection =
		connections_find(sends->options.connections, send->connection);
	struct buf text CLEANUP(buf_free) = BUF(256);

	FAULT_POINT("accepted.before");
	if (connection) {
		(*connection_unsettled(connection))--;
		frame_accepted(&text, &send->uuid);
		connection_send(connection, buf_span(&text));
	}
	DL_DELETE(sends->waiting, send);
	DL_APPEND(sends->accepted, send);
	send->accepted = true;
}

void pending_sends_acknowledged(struct pending_sends *sends, uint64_t number,
                                enum status status)
{
	struct pending_send *send = slot_map_get(sends->by_number, number);

	if (!send)
		return; /* already settled */
	if (status != ST_OK) {
		fail(sends, send, status);
		return;
	}
	FAULT_POINT("report.before");
	send->in_log = true;
	hint_accepted(sends, send);
	if (overdue(sends, send))
		send_accepted(sends, send);
	FAULT_POINT("report.after");
}

void pending_sends_settled(struct pending_sends *sends,
                           const struct event_origin *origin)
{
	struct pending_send *send;

	if (origin->gateway != sends->options.gateway)
		return;
	send = slot_map_get(sends->by_number, origin->send);
	if (!send)
		return;
	metric_observe_us(&gateway_metrics.save_time,
	                  clock_mono_us() - send->began_us);
	if (!send->in_log)
		hint_accepted(sends, send);
	release(sends, send);
	FAULT_POINT("settled.after");
}

void pending_sends_tick(struct pending_sends *sends)
{
	struct pending_send *send = sends->waiting;

	/* Oldest first: stop at the first send that is not overdue. */
	while (send && overdue(sends, send)) {
		struct pending_send *next = send->next;

		if (send->in_log)
			send_accepted(sends, send);
		send = next;
	}
	metric_set(&gateway_metrics.sends_unsettled,
	           slot_map_count(sends->by_number));
}
