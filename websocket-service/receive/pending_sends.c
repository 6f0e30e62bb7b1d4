#include "websocket-service/receive/pending_sends.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/io/redis/redis.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/wire/fields.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/receive/save_records.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/slots.h"

#include <utlist.h>

enum { HINT_MAX = 128 };

static const char hint_prefix[] = "message:";

struct send {
	struct send *prev, *next; /* in `waiting` or in `told` */
	uint64_t number;
	uint64_t connection;
	uint64_t sender;
	struct uuid uuid;
	uint64_t began_us;
	bool in_log;
	bool told;      /* `accepted`: no longer counted as unsettled */
	bool hint_ours; /* Redis took our hint: we may change it */
};

struct sends {
	struct sends_options options;
	struct slots *by_number;
	struct send *waiting; /* oldest first */
	struct send *told;    /* oldest first; kept to measure them */
	struct send *spare;
	struct buf hint;
};

struct sends *sends_create(const struct sends_options *options)
{
	struct sends *sends = mem_new(sizeof(*sends));

	sends->options = *options;
	sends->by_number = slots_create(SENDS_MAX);
	sends->hint = BUF(HINT_MAX);
	return sends;
}

static void free_all(struct send *list)
{
	while (list) {
		struct send *next = list->next;

		mem_free(&list);
		list = next;
	}
}

void sends_destroy(struct sends **sends)
{
	struct sends *s = *sends;

	if (!s)
		return;
	free_all(s->waiting);
	free_all(s->told);
	free_all(s->spare);
	slots_destroy(&s->by_number);
	buf_free(&s->hint);
	mem_free(sends);
}

uint32_t sends_count(const struct sends *sends)
{
	return slots_count(sends->by_number);
}

/* --- hints: message:<uuid> → {"sender":…,"state":…} ---------------------- */

static void on_hint(void *context, uint64_t number, bool set);

static void hint(struct sends *sends, const struct send *send,
                 struct span state, enum redis_when when, redis_set_done *done)
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

static void hint_accepted(struct sends *sends, const struct send *send)
{
	if (send->hint_ours)
		hint(sends, send, SPAN("accepted"), REDIS_IF_PRESENT, NULL);
}

static void on_hint(void *context, uint64_t number, bool set)
{
	struct sends *sends = context;
	struct send *send = slots_get(sends->by_number, number);

	if (!send || !set)
		return;
	send->hint_ours = true;
	if (send->in_log)
		hint_accepted(sends, send);
}

/* --- the life of a send -------------------------------------------------- */

static void release(struct sends *sends, struct send *send)
{
	struct connection *connection =
		connections_find(sends->options.connections, send->connection);

	if (connection && !send->told)
		(*connection_unsettled(connection))--;
	if (send->told)
		DL_DELETE(sends->told, send);
	else
		DL_DELETE(sends->waiting, send);
	slots_remove(sends->by_number, send->number);
	LL_PREPEND(sends->spare, send);
}

/* Those that were told `accepted` make room for new ones. */
static struct send *take(struct sends *sends)
{
	struct send *send;
	uint64_t number;

	if (slots_count(sends->by_number) == SENDS_MAX) {
		if (!sends->told)
			return NULL;
		release(sends, sends->told);
	}
	send = sends->spare;
	if (send)
		LL_DELETE(sends->spare, send);
	else
		send = mem_new(sizeof(*send));
	number = slots_add(sends->by_number, send);
	*send = (struct send){.number = number};
	DL_APPEND(sends->waiting, send);
	return send;
}

void sends_refuse(struct connection *connection, const struct uuid *uuid,
                  enum frame_code code, const char *detail)
{
	struct buf text CLEANUP(buf_free) = BUF(1024);

	frame_state_error(&text, uuid, code, detail);
	connection_send(connection, buf_span(&text));
	metric_count(&measure_bad_frames, 1);
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

static enum status produce(struct sends *sends, const struct send *send,
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
	return records_produce(sends->options.records, &record,
	                       span_make(origin, sizeof(origin)),
	                       record_tag(RECORD_OF_SENDS, send->number));
}

void sends_begin(struct sends *sends, struct connection *connection,
                 const struct client_frame *frame, uint64_t began_us)
{
	unsigned *unsettled = connection_unsettled(connection);
	struct send *send;

	if (*unsettled >= sends->options.unsettled_max) {
		sends_refuse(connection, &frame->uuid, FRAME_TOO_MANY_UNSETTLED,
		             "too many messages of this socket are under way");
		return;
	}
	send = take(sends);
	if (!send) {
		sends_refuse(connection, &frame->uuid, FRAME_UNAVAILABLE,
		             "too many messages are under way");
		return;
	}
	send->connection = connection_id(connection);
	send->sender = connection_user(connection);
	send->uuid = frame->uuid;
	send->began_us = began_us;
	(*unsettled)++;
	FAULT_POINT("hint.before");
	hint(sends, send, SPAN("pending"), REDIS_IF_ABSENT, on_hint);
	FAULT_POINT("produce.before");
	if (produce(sends, send, frame) == ST_OK) {
		FAULT_POINT("produce.after");
		return;
	}
	metric_count(&measure_kafka_refused, 1);
	release(sends, send);
	sends_refuse(connection, &frame->uuid, FRAME_UNAVAILABLE,
	             "the message log can't take it now");
}

static bool overdue(const struct sends *sends, const struct send *send)
{
	return clock_mono_us() - send->began_us >=
	       (uint64_t)sends->options.accepted_ms * 1000;
}

/* Durable, and slow to be saved: the sender may stop worrying. */
static void tell_accepted(struct sends *sends, struct send *send)
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
	DL_APPEND(sends->told, send);
	send->told = true;
}

static void fail(struct sends *sends, struct send *send, enum status status)
{
	struct connection *connection =
		connections_find(sends->options.connections, send->connection);
	struct uuid uuid = send->uuid;

	metric_count(&measure_kafka_refused, 1);
	log_event(LOG_WARN, "send.not_in_log", F_NUMBER("user", send->sender),
	          F_TEXT("status", status_text(status)));
	release(sends, send);
	if (connection)
		sends_refuse(connection, &uuid, FRAME_UNAVAILABLE,
		             status == ST_UNCERTAIN
		                     ? "unknown whether it was taken: send the "
		                       "same uuid again"
		                     : "the message log did not take it");
}

void sends_answered(struct sends *sends, uint64_t number, enum status status)
{
	struct send *send = slots_get(sends->by_number, number);

	if (!send)
		return; /* settled already */
	if (status != ST_OK) {
		fail(sends, send, status);
		return;
	}
	FAULT_POINT("report.before");
	send->in_log = true;
	hint_accepted(sends, send);
	if (overdue(sends, send))
		tell_accepted(sends, send);
	FAULT_POINT("report.after");
}

void sends_settled(struct sends *sends, const struct event_origin *origin)
{
	struct send *send;

	if (origin->gateway != sends->options.gateway)
		return;
	send = slots_get(sends->by_number, origin->send);
	if (!send)
		return;
	metric_took(&measure_save, clock_mono_us() - send->began_us);
	if (!send->in_log)
		hint_accepted(sends, send);
	release(sends, send);
	FAULT_POINT("settled.after");
}

void sends_tick(struct sends *sends)
{
	struct send *send = sends->waiting;

	/* Oldest first: the first that is young ends the walk. */
	while (send && overdue(sends, send)) {
		struct send *next = send->next;

		if (send->in_log)
			tell_accepted(sends, send);
		send = next;
	}
	metric_set(&measure_unsettled, sends_count(sends));
}
