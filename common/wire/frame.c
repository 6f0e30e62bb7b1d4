#include "common/wire/frame.h"
#include "common/base/json_write.h"
#include "common/base/utf8.h"
#include "common/wire/fields.h"
#include "common/wire/identity.h"
#include "common/wire/reaction.h"
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

static const struct {
	const char *type;
	unsigned has; /* enum save_has: the members of the frame */
} kinds[] = {
	[CLIENT_MESSAGE] = {"message", SAVE_HAS_UUID | SAVE_HAS_TEXT |
                                               SAVE_HAS_TARGET |
                                               SAVE_HAS_REPLY},
	[CLIENT_DELIVERED] = {"delivered",
                              SAVE_HAS_CONVERSATION | SAVE_HAS_SEQ},
	[CLIENT_READ] = {"read", SAVE_HAS_CONVERSATION | SAVE_HAS_SEQ},
	[CLIENT_EDIT] = {"edit", SAVE_HAS_UUID | SAVE_HAS_TEXT |
                                         SAVE_HAS_CONVERSATION | SAVE_HAS_SEQ},
	[CLIENT_DELETE] = {"delete", SAVE_HAS_UUID | SAVE_HAS_CONVERSATION |
                                             SAVE_HAS_SEQ},
	[CLIENT_REACT] = {"react", SAVE_HAS_UUID | SAVE_HAS_CONVERSATION |
                                           SAVE_HAS_SEQ | SAVE_HAS_REACTION},
	[CLIENT_TYPING] = {"typing", SAVE_HAS_CONVERSATION},
	[CLIENT_PRESENCE] = {"presence", 0},
	[CLIENT_AUTH] = {"auth", 0},
};

static enum status read_type(const struct json *json,
                             enum client_frame_kind *ret_kind,
                             struct frame_fault *fault)
{
	struct span type;

	*ret_kind = CLIENT_MESSAGE;
	if (json_kind(json, FIELD_TYPE) == JSON_ABSENT)
		return ST_OK;
	if (!json_get_text(json, FIELD_TYPE, &type))
		return refuse(fault, FRAME_BAD_FRAME, "type must be a string");
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		if (span_equal(type, span_of(kinds[i].type))) {
			*ret_kind = (enum client_frame_kind)i;
			return ST_OK;
		}
	}
	return refuse(fault, FRAME_UNKNOWN_TYPE, "unknown type of frame");
}

/* A published example of the protocol has "Message". */
static enum status read_message(const struct json *json,
                                struct span *ret_message,
                                struct frame_fault *fault)
{
	bool small = json_kind(json, FIELD_MESSAGE) != JSON_ABSENT;
	bool capital = json_kind(json, "Message") != JSON_ABSENT;

	if (small && capital)
		return refuse(fault, FRAME_BAD_MESSAGE,
		              "message and Message exclude each other");
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

static bool read_number(const struct json *json, const char *name,
                        uint64_t *ret_number)
{
	return json_get_id(json, name, ret_number) && *ret_number > 0;
}

/* A message has a conversation or a user_to. */
static enum status read_target(const struct json *json, unsigned has,
                               struct client_frame *frame,
                               struct frame_fault *fault)
{
	bool to_user = json_kind(json, FIELD_USER_TO) != JSON_ABSENT;
	bool to_many = json_kind(json, FIELD_CONVERSATION) != JSON_ABSENT;

	if (has & SAVE_HAS_TARGET && to_user && to_many)
		return refuse(fault, FRAME_BAD_CONVERSATION,
		              "user_to and conversation exclude each other");
	if (has & SAVE_HAS_CONVERSATION || (has & SAVE_HAS_TARGET && to_many)) {
		if (!read_number(json, FIELD_CONVERSATION,
		                 &frame->conversation))
			return refuse(fault, FRAME_BAD_CONVERSATION,
			              "conversation must be a whole number "
			              "from 1 to 2^53-1");
	} else if (has & SAVE_HAS_TARGET &&
	           !read_number(json, FIELD_USER_TO, &frame->user_to)) {
		return refuse(
			fault, FRAME_BAD_USER,
			"user_to must be a whole number from 1 to 2^53-1");
	}
	if (has & SAVE_HAS_SEQ && !read_number(json, FIELD_SEQ, &frame->seq))
		return refuse(fault, FRAME_BAD_SEQ,
		              "seq must be a whole number from 1 to 2^53-1");
	if (has & SAVE_HAS_REPLY &&
	    json_kind(json, FIELD_REPLY_TO) != JSON_ABSENT &&
	    !read_number(json, FIELD_REPLY_TO, &frame->reply_to))
		return refuse(fault, FRAME_BAD_SEQ,
		              "reply_to must be a seq of this conversation");
	return ST_OK;
}

static enum status read_reaction(const struct json *json,
                                 struct client_frame *frame,
                                 struct frame_fault *fault)
{
	if (json_kind(json, FIELD_REMOVE) != JSON_ABSENT &&
	    !json_get_bool(json, FIELD_REMOVE, &frame->remove))
		return refuse(fault, FRAME_BAD_REACTION,
		              "remove must be true or false");
	/* A client may remove what it added under an older rule. */
	if (!json_get_text(json, FIELD_REACTION, &frame->reaction) ||
	    !(frame->remove ? reaction_is_stored(frame->reaction)
	                    : reaction_fits(frame->reaction)))
		return refuse(fault, FRAME_BAD_REACTION,
		              "reaction must be one character or emoji, or "
		              "letters and digits, of at most 64 bytes");
	return ST_OK;
}

static enum status read_users(const struct json *json,
                              struct client_frame *frame,
                              struct frame_fault *fault)
{
	uint64_t user;

	if (json_kind(json, FIELD_USERS) != JSON_ARRAY)
		return refuse(fault, FRAME_BAD_USER, "users must be an array");
	while (json_get_item(json, FIELD_USERS, frame->user_count)) {
		if (frame->user_count == PRESENCE_USERS_MAX)
			return refuse(fault, FRAME_TOO_MANY,
			              "at most 60 users in one frame");
		if (!json_item_id(json, FIELD_USERS, frame->user_count,
		                  &user) ||
		    user == 0)
			return refuse(fault, FRAME_BAD_USER,
			              "users must be whole numbers from 1 to "
			              "2^53-1");
		frame->user_count++;
	}
	frame->json = json;
	return ST_OK;
}

static enum status read_token(const struct json *json, struct span *ret_token,
                              struct frame_fault *fault)
{
	if (!json_get_text(json, FIELD_TOKEN, ret_token))
		return refuse(fault, FRAME_BAD_TOKEN, "token must be a string");
	if (!identity_token_fits(*ret_token))
		return refuse(fault, FRAME_BAD_TOKEN,
		              "token must be 1 to 4096 printable ASCII bytes");
	return ST_OK;
}

bool frame_has_uuid(const struct client_frame *frame)
{
	return (kinds[frame->kind].has & SAVE_HAS_UUID) != 0;
}

uint64_t frame_presence_user(const struct client_frame *frame, unsigned index)
{
	uint64_t user = 0;

	(void)json_item_id(frame->json, FIELD_USERS, index, &user);
	return user;
}

/* Reads the uuid first, so that every later fault can name the message. */
static enum status read_members(const struct json *json,
                                struct client_frame *frame,
                                struct frame_fault *fault)
{
	struct frame_fault no_uuid = *fault;
	enum status has_uuid = read_uuid(json, &frame->uuid, &no_uuid);
	enum status st;
	unsigned has;

	fault->has_uuid = no_uuid.has_uuid;
	fault->uuid = no_uuid.uuid;
	if (read_type(json, &frame->kind, fault) != ST_OK)
		return ST_INVALID;
	has = kinds[frame->kind].has;
	if (has & SAVE_HAS_UUID && has_uuid != ST_OK) {
		*fault = no_uuid;
		return ST_INVALID;
	}
	st = ST_OK;
	if (has & SAVE_HAS_TEXT)
		st = read_message(json, &frame->message, fault);
	if (st == ST_OK)
		st = read_target(json, has, frame, fault);
	if (st == ST_OK && has & SAVE_HAS_REACTION)
		st = read_reaction(json, frame, fault);
	if (st == ST_OK && frame->kind == CLIENT_PRESENCE)
		st = read_users(json, frame, fault);
	if (st == ST_OK && frame->kind == CLIENT_AUTH)
		st = read_token(json, &frame->token, fault);
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
	*ret_frame = (struct client_frame){0};
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
