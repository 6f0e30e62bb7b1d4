#include "common/wire/fields.h"
#include "common/wire/frame.h"
#include "common/wire/identity.h"
#include "common/wire/reaction.h"
#include "common/wire/save_record.h"

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
