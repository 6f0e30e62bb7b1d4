#include "common/wire/frame.h"
#include "common/base/json_write.h"
#include "common/wire/fields.h"

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

void frame_auth(struct buf *out, struct span session, uint64_t expires_at_ms)
{
	struct json_writer w = json_writer(out);

	open_frame(&w, SPAN("auth"));
	json_text(&w, FIELD_SESSION, session);
	json_time(&w, FIELD_EXPIRES_AT, expires_at_ms);
	json_close(&w);
}

void frame_token(struct buf *out, uint64_t expires_at_ms)
{
	struct json_writer w = json_writer(out);

	open_frame(&w, SPAN("token"));
	json_time(&w, FIELD_EXPIRES_AT, expires_at_ms);
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

static void write_text(struct json_writer *w,
                       const struct saved_message *message)
{
	if (message->user_to)
		json_number(w, FIELD_USER_TO, message->user_to);
	write_uuid(w, &message->uuid);
	json_text(w, FIELD_MESSAGE, message->message);
	if (message->reply_to)
		json_number(w, FIELD_REPLY_TO, message->reply_to);
}

static void write_revision(struct json_writer *w,
                           const struct saved_message *message)
{
	if (message->revision)
		json_number(w, FIELD_REVISION, message->revision);
	if (message->edited_at_ms)
		json_time(w, FIELD_EDITED_AT, message->edited_at_ms);
	if (message->deleted_at_ms)
		json_time(w, FIELD_DELETED_AT, message->deleted_at_ms);
	if (message->reactions.len)
		json_raw(w, FIELD_REACTIONS, message->reactions);
}

void frame_message(struct buf *out, const struct saved_message *message)
{
	bool member = message->kind == ENTRY_MEMBER;
	struct json_writer w = json_writer(out);

	open_frame(&w, member ? SPAN("member") : SPAN("message"));
	json_number(&w, FIELD_ID, message->id);
	json_number(&w, FIELD_CONVERSATION, message->conversation);
	json_number(&w, FIELD_SEQ, message->seq);
	json_number(&w, FIELD_USER_FROM, message->user_from);
	if (member) {
		write_uuid(&w, &message->uuid);
		json_raw(&w, FIELD_CHANGE, message->message);
	} else {
		write_text(&w, message);
	}
	json_time(&w, FIELD_CREATED_AT, message->created_at_ms);
	write_revision(&w, message);
	json_close(&w);
}

void frame_change_saved(struct buf *out, const struct saved_change *change)
{
	struct json_writer w = json_writer(out);

	open_state(&w, &change->uuid, SPAN("saved"));
	json_number(&w, FIELD_CONVERSATION, change->conversation);
	json_number(&w, FIELD_SEQ, change->seq);
	json_number(&w, FIELD_REVISION, change->revision);
	json_time(&w, FIELD_CREATED_AT, change->created_at_ms);
	json_close(&w);
}

void frame_change(struct buf *out, const struct saved_change *change)
{
	struct json_writer w = json_writer(out);

	open_frame(&w, change->kind == CLIENT_EDIT     ? SPAN("edit")
	               : change->kind == CLIENT_DELETE ? SPAN("delete")
	                                               : SPAN("reaction"));
	json_number(&w, FIELD_CONVERSATION, change->conversation);
	json_number(&w, FIELD_SEQ, change->seq);
	json_number(&w, FIELD_REVISION, change->revision);
	json_number(&w, FIELD_USER_FROM, change->user);
	write_uuid(&w, &change->uuid);
	if (change->kind == CLIENT_EDIT)
		json_text(&w, FIELD_MESSAGE, change->message);
	if (change->kind == CLIENT_REACT) {
		json_text(&w, FIELD_REACTION, change->reaction);
		json_bool(&w, FIELD_REMOVE, change->remove);
	}
	json_time(&w, FIELD_CREATED_AT, change->created_at_ms);
	json_close(&w);
}

void frame_receipt(struct buf *out, const struct receipt *receipt)
{
	struct json_writer w = json_writer(out);

	open_frame(&w, SPAN("receipt"));
	json_number(&w, FIELD_CONVERSATION, receipt->conversation);
	json_number(&w, FIELD_USER, receipt->user);
	json_number(&w, FIELD_DELIVERED, receipt->delivered);
	json_number(&w, FIELD_READ, receipt->read);
	json_close(&w);
}

void frame_typing(struct buf *out, uint64_t conversation, uint64_t user)
{
	struct json_writer w = json_writer(out);

	open_frame(&w, SPAN("typing"));
	json_number(&w, FIELD_CONVERSATION, conversation);
	json_number(&w, FIELD_USER, user);
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

void frame_error_in(struct buf *out, uint64_t conversation,
                    enum frame_code code, const char *detail)
{
	struct json_writer w = json_writer(out);

	open_frame(&w, SPAN("error"));
	json_number(&w, FIELD_CONVERSATION, conversation);
	write_fault(&w, code, detail);
}

struct presence_frame frame_presence_open(struct buf *out)
{
	struct presence_frame frame = {json_writer(out)};

	open_frame(&frame.w, SPAN("presence"));
	json_open_array(&frame.w, FIELD_USERS);
	return frame;
}

void frame_presence_add(struct presence_frame *frame, uint64_t user,
                        uint64_t last_seen_ms)
{
	struct json_writer *w = &frame->w;

	json_open_object(w, NULL);
	json_number(w, FIELD_USER, user);
	json_text(w, FIELD_STATE,
	          last_seen_ms ? SPAN("offline") : SPAN("online"));
	if (last_seen_ms && last_seen_ms != UINT64_MAX)
		json_time(w, FIELD_LAST_SEEN, last_seen_ms);
	json_close(w);
}

void frame_presence_close(struct presence_frame *frame)
{
	json_close_array(&frame->w);
	json_close(&frame->w);
}
