#include "common/wire/frame.h"
#include "common/base/json_write.h"
#include "common/base/utf8.h"
#include "common/wire/fields.h"
#include "common/wire/save_record.h"

const char *frame_code_text(enum frame_code code)
{
	static const char *const texts[] = {
#define FRAME_CODE_TEXT(name, text, retryable) text,
		FRAME_CODES(FRAME_CODE_TEXT)
#undef FRAME_CODE_TEXT
	};

	return texts[code];
}

bool frame_code_retryable(enum frame_code code)
{
	static const bool retryables[] = {
#define FRAME_CODE_RETRYABLE(name, text, retryable) retryable,
		FRAME_CODES(FRAME_CODE_RETRYABLE)
#undef FRAME_CODE_RETRYABLE
	};

	return retryables[code];
}

/* --- client → server ----------------------------------------------------- */

static enum status refuse(struct frame_fault *fault, enum frame_code code,
                          const char *detail)
{
	fault->code = code;
	fault->detail = detail;
	return ST_INVALID;
}

static enum status read_uuid(const struct json *json, struct uuid *ret_uuid,
                             struct frame_fault *fault)
{
	struct span text;

	if (!json_get_text(json, FIELD_UUID, &text))
		return refuse(fault, FRAME_BAD_UUID, "uuid must be a string");
	if (!uuid_parse(text, ret_uuid))
		return refuse(fault, FRAME_BAD_UUID,
		              "uuid is not in the form of RFC 9562");
	fault->has_uuid = true;
	fault->uuid = *ret_uuid;
	return ST_OK;
}

static enum status check_type(const struct json *json,
                              struct frame_fault *fault)
{
	struct span type;

	if (json_kind(json, FIELD_TYPE) == JSON_ABSENT)
		return ST_OK;
	if (!json_get_text(json, FIELD_TYPE, &type))
		return refuse(fault, FRAME_BAD_FRAME, "type must be a string");
	if (!span_equal(type, SPAN("message")))
		return refuse(fault, FRAME_UNKNOWN_TYPE,
		              "this type of frame is not known");
	return ST_OK;
}

/* A published example of the protocol writes Message. */
static enum status read_message(const struct json *json,
                                struct span *ret_message,
                                struct frame_fault *fault)
{
	bool small = json_kind(json, FIELD_MESSAGE) != JSON_ABSENT;
	bool capital = json_kind(json, "Message") != JSON_ABSENT;

	if (small && capital)
		return refuse(fault, FRAME_BAD_MESSAGE,
		              "message and Message are both there");
	if (!json_get_text(json, capital ? "Message" : FIELD_MESSAGE,
	                   ret_message))
		return refuse(fault, FRAME_BAD_MESSAGE,
		              "message must be a string");
	if (ret_message->len == 0)
		return refuse(fault, FRAME_BAD_MESSAGE, "message is empty");
	if (ret_message->len > MESSAGE_TEXT_MAX)
		return refuse(fault, FRAME_MESSAGE_TOO_LONG,
		              "message is longer than 16384 bytes");
	return ST_OK;
}

static enum status read_user(const struct json *json, uint64_t *ret_user,
                             struct frame_fault *fault)
{
	if (json_get_id(json, FIELD_USER_TO, ret_user) && *ret_user > 0)
		return ST_OK;
	return refuse(fault, FRAME_BAD_USER,
	              "user_to must be a whole number from 1 to 2^53-1");
}

/* The uuid first: with it, every later fault can name the message. */
static enum status read_members(const struct json *json,
                                struct client_frame *frame,
                                struct frame_fault *fault)
{
	enum status st = read_uuid(json, &frame->uuid, fault);
	struct frame_fault typed = *fault;

	if (check_type(json, &typed) != ST_OK) {
		*fault = typed;
		return ST_INVALID;
	}
	if (st == ST_OK)
		st = read_message(json, &frame->message, fault);
	if (st == ST_OK)
		st = read_user(json, &frame->user_to, fault);
	return st;
}

enum status frame_decode(struct span text, struct json **ret_json,
                         struct client_frame *ret_frame,
                         struct frame_fault *ret_fault)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	const char *why;
	enum status st;

	*ret_fault = (struct frame_fault){0};
	if (json_parse(text, &json, &why) != ST_OK)
		return refuse(ret_fault, FRAME_BAD_JSON, why);
	st = read_members(json, ret_frame, ret_fault);
	if (st == ST_OK)
		*ret_json = MOVE(json);
	return st;
}

/* --- server → client ----------------------------------------------------- */

static void open_frame(struct json_writer *w, struct span type)
{
	json_open(w);
	json_text(w, FIELD_TYPE, type);
}

static void write_uuid(struct json_writer *w, const struct uuid *uuid)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(uuid, text);
	json_text(w, FIELD_UUID, span_make(text, UUID_TEXT_LEN));
}

static void open_state(struct json_writer *w, const struct uuid *uuid,
                       struct span state)
{
	open_frame(w, SPAN("state"));
	write_uuid(w, uuid);
	json_text(w, FIELD_STATE, state);
}

static void write_fault(struct json_writer *w, enum frame_code code,
                        const char *detail)
{
	json_text(w, FIELD_CODE, span_of(frame_code_text(code)));
	json_text(w, FIELD_DETAIL, span_of(detail));
	json_bool(w, FIELD_RETRYABLE, frame_code_retryable(code));
	json_close(w);
}

void frame_welcome(struct buf *out, uint64_t user, struct span session,
                   unsigned ping_interval_s)
{
	struct json_writer w = json_writer(out);

	open_frame(&w, SPAN("welcome"));
	json_number(&w, FIELD_USER, user);
	json_text(&w, FIELD_SESSION, session);
	json_number(&w, FIELD_PING_INTERVAL_S, ping_interval_s);
	json_close(&w);
}

void frame_accepted(struct buf *out, const struct uuid *uuid)
{
	struct json_writer w = json_writer(out);

	open_state(&w, uuid, SPAN("accepted"));
	json_close(&w);
}

void frame_saved(struct buf *out, const struct saved_message *message)
{
	struct json_writer w = json_writer(out);

	open_state(&w, &message->uuid, SPAN("saved"));
	json_number(&w, FIELD_ID, message->id);
	json_number(&w, FIELD_CONVERSATION, message->conversation);
	json_number(&w, FIELD_SEQ, message->seq);
	json_time(&w, FIELD_CREATED_AT, message->created_at_ms);
	json_close(&w);
}

void frame_message(struct buf *out, const struct saved_message *message)
{
	struct json_writer w = json_writer(out);

	open_frame(&w, SPAN("message"));
	json_number(&w, FIELD_ID, message->id);
	json_number(&w, FIELD_CONVERSATION, message->conversation);
	json_number(&w, FIELD_SEQ, message->seq);
	json_number(&w, FIELD_USER_FROM, message->user_from);
	json_number(&w, FIELD_USER_TO, message->user_to);
	write_uuid(&w, &message->uuid);
	json_text(&w, FIELD_MESSAGE, message->message);
	json_time(&w, FIELD_CREATED_AT, message->created_at_ms);
	json_close(&w);
}

void frame_state_error(struct buf *out, const struct uuid *uuid,
                       enum frame_code code, const char *detail)
{
	struct json_writer w = json_writer(out);

	open_state(&w, uuid, SPAN("error"));
	write_fault(&w, code, detail);
}

void frame_error(struct buf *out, const struct uuid *uuid, enum frame_code code,
                 const char *detail)
{
	struct json_writer w = json_writer(out);

	open_frame(&w, SPAN("error"));
	if (uuid)
		write_uuid(&w, uuid);
	write_fault(&w, code, detail);
}
