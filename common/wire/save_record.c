#include "common/wire/save_record.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/wire/event.h"
#include "common/wire/fields.h"
#include "common/wire/reaction.h"

static const struct {
	const char *text;
	unsigned has;
} kinds[] = {
#define SAVE_KIND_ROW(name, text, has) {text, has},
	SAVE_KINDS(SAVE_KIND_ROW)
#undef SAVE_KIND_ROW
};

bool save_kind_has(enum save_kind kind, enum save_has what)
{
	return (kinds[kind].has & what) != 0;
}

/* --- writing ------------------------------------------------------------- */
static void write_target(struct json_writer *w,
                         const struct save_record *record)
{
	if (record->user_to)
		json_number(w, FIELD_USER_TO, record->user_to);
	if (record->conversation)
		json_number(w, FIELD_CONVERSATION, record->conversation);
	if (save_kind_has(record->kind, SAVE_HAS_SEQ))
		json_number(w, FIELD_SEQ, record->seq);
	if (save_kind_has(record->kind, SAVE_HAS_ROW))
		json_number(w, FIELD_ROW, record->row);
}

static void write_content(struct json_writer *w,
                          const struct save_record *record)
{
	if (save_kind_has(record->kind, SAVE_HAS_TEXT))
		json_text(w, FIELD_MESSAGE, record->message);
	if (record->reply_to)
		json_number(w, FIELD_REPLY_TO, record->reply_to);
	if (save_kind_has(record->kind, SAVE_HAS_REACTION))
		json_text(w, FIELD_REACTION, record->reaction);
	if (record->remove)
		json_bool(w, FIELD_REMOVE, true);
	if (save_kind_has(record->kind, SAVE_HAS_USERS))
		json_text(w, FIELD_USERS, record->users);
	if (save_kind_has(record->kind, SAVE_HAS_CONVERSATIONS))
		json_text(w, FIELD_CONVERSATIONS, record->conversations);
}

void save_record_encode(const struct save_record *record, struct buf *ret_json)
{
	struct json_writer w = json_writer(ret_json);
	char uuid[UUID_TEXT_LEN + 1];

	json_open(&w);
	json_text(&w, FIELD_KIND, span_of(kinds[record->kind].text));
	if (save_kind_has(record->kind, SAVE_HAS_UUID)) {
		uuid_format(&record->uuid, uuid);
		json_text(&w, FIELD_UUID, span_make(uuid, UUID_TEXT_LEN));
	}
	if (!save_kind_has(record->kind, SAVE_NO_SENDER))
		json_number(&w, FIELD_SENDER, record->sender);
	write_target(&w, record);
	write_content(&w, record);
	json_time(&w, FIELD_SENT_AT, record->sent_at_ms);
	json_close(&w);
}

void save_record_key(const struct save_record *record, struct buf *ret_key)
{
	bool rising = record->sender <= record->user_to;

	if (!record->user_to) {
		buf_append(ret_key,
		           record->conversation ? SPAN("c:") : SPAN("u:"));
		buf_number(ret_key, record->conversation ? record->conversation
		                                         : record->sender);
		return;
	}
	buf_append(ret_key, SPAN("d:"));
	buf_number(ret_key, rising ? record->sender : record->user_to);
	buf_byte(ret_key, ':');
	buf_number(ret_key, rising ? record->user_to : record->sender);
}

/* --- reading ------------------------------------------------------------- */
/* The key selects the consumer: a wrong key would break the order. */
static bool key_fits(const struct save_record *record, struct span key)
{
	struct buf wanted CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);

	save_record_key(record, &wanted);
	return span_equal(buf_span(&wanted), key);
}

static bool read_id(const struct json *json, const char *name, uint64_t *ret_id)
{
	uint64_t id;

	if (!json_get_id(json, name, &id) || id == 0)
		return false;
	*ret_id = id;
	return true;
}

static const char *read_target(const struct json *json,
                               struct save_record *record)
{
	bool either = save_kind_has(record->kind, SAVE_HAS_TARGET);
	bool to_user = json_kind(json, FIELD_USER_TO) != JSON_ABSENT;

	if ((save_kind_has(record->kind, SAVE_HAS_USER_TO) ||
	     (to_user &&
	      (either || save_kind_has(record->kind, SAVE_HAS_PAIR)))) &&
	    !read_id(json, FIELD_USER_TO, &record->user_to))
		return "user_to is missing or not an id";
	if ((save_kind_has(record->kind, SAVE_HAS_CONVERSATION) ||
	     (either && !to_user)) &&
	    !read_id(json, FIELD_CONVERSATION, &record->conversation))
		return either ? "user_to and conversation are missing or not "
		                "an id"
		              : "conversation is missing or not an id";
	if (either && to_user &&
	    json_kind(json, FIELD_CONVERSATION) != JSON_ABSENT)
		return "user_to and conversation exclude each other";
	if (save_kind_has(record->kind, SAVE_HAS_SEQ) &&
	    !read_id(json, FIELD_SEQ, &record->seq))
		return "seq is missing or not a seq";
	if (save_kind_has(record->kind, SAVE_HAS_ROW) &&
	    !read_id(json, FIELD_ROW, &record->row))
		return "row is missing or not an id";
	return NULL;
}

static const char *read_content(const struct json *json,
                                struct save_record *record)
{
	if (save_kind_has(record->kind, SAVE_HAS_TEXT)) {
		if (!json_get_text(json, FIELD_MESSAGE, &record->message))
			return "message is missing";
		if (record->message.len == 0 ||
		    record->message.len > MESSAGE_TEXT_MAX)
			return "message is empty or too long";
	}
	if (save_kind_has(record->kind, SAVE_HAS_REPLY) &&
	    json_kind(json, FIELD_REPLY_TO) != JSON_ABSENT &&
	    !read_id(json, FIELD_REPLY_TO, &record->reply_to))
		return "reply_to is not a seq";
	if (!save_kind_has(record->kind, SAVE_HAS_REACTION))
		return NULL;
	if (!json_get_text(json, FIELD_REACTION, &record->reaction) ||
	    !reaction_is_stored(record->reaction))
		return "reaction is missing or invalid";
	if (json_kind(json, FIELD_REMOVE) != JSON_ABSENT &&
	    !json_get_bool(json, FIELD_REMOVE, &record->remove))
		return "remove is neither true nor false";
	return NULL;
}

static const char *read_users(const struct json *json,
                              struct save_record *record)
{
	struct span left;
	uint64_t user, first = 0;
	unsigned count = 0;

	if (!save_kind_has(record->kind, SAVE_HAS_USERS))
		return NULL;
	if (!json_get_text(json, FIELD_USERS, &record->users))
		return "users are missing";
	left = record->users;
	while (event_key_next(&left, &user)) {
		if (count++ == 0)
			first = user;
	}
	if (left.len || count > SAVE_USERS_MAX)
		return "users are not ids, or too many";
	return first == record->sender
	               ? NULL
	               : "the first of the users is not the sender";
}

static const char *read_conversations(const struct json *json,
                                      struct save_record *record)
{
	struct span left;
	uint64_t conversation;
	unsigned count = 0;

	if (!save_kind_has(record->kind, SAVE_HAS_CONVERSATIONS))
		return NULL;
	if (!json_get_text(json, FIELD_CONVERSATIONS, &record->conversations))
		return "conversations are missing";
	left = record->conversations;
	while (event_key_next(&left, &conversation))
		count++;
	return left.len || count == 0 || count > SAVE_CONVERSATIONS_MAX
	               ? "conversations are not ids, none, or too many"
	               : NULL;
}

static bool find_kind(struct span text, enum save_kind *ret_kind)
{
	for (unsigned i = 0; i < SAVE_KIND_COUNT; i++) {
		if (span_equal(text, span_of(kinds[i].text))) {
			*ret_kind = (enum save_kind)i;
			return true;
		}
	}
	return false;
}

/* Reads the sender first, so that the sender can be notified of later faults.
 */
static const char *read_members(const struct json *json,
                                struct save_record *record, bool *named)
{
	struct span text;
	const char *why;
	bool has_kind = json_get_text(json, FIELD_KIND, &text);
	bool known = has_kind && find_kind(text, &record->kind);

	if (!json_get_id(json, FIELD_SENDER, &record->sender))
		record->sender = 0;
	if (json_get_text(json, FIELD_UUID, &text))
		*named = uuid_parse(text, &record->uuid);
	if (known && save_kind_has(record->kind, SAVE_NO_SENDER))
		record->sender = 0;
	else if (record->sender == 0)
		return "sender is missing or not an id";
	if (!has_kind)
		return "kind is missing";
	if (!known)
		return "kind is unknown";
	if (save_kind_has(record->kind, SAVE_HAS_UUID) && !*named)
		return "uuid is missing or malformed";
	why = read_target(json, record);
	if (!why)
		why = read_content(json, record);
	if (!why)
		why = read_users(json, record);
	if (!why)
		why = read_conversations(json, record);
	if (why)
		return why;
	if (!json_get_text(json, FIELD_SENT_AT, &text) ||
	    !clock_parse(text, &record->sent_at_ms))
		return "sent_at is missing or not a time";
	return NULL;
}

enum status save_record_decode(struct span key, struct span value,
                               struct json **ret_json,
                               struct save_record *ret_record, bool *ret_named,
                               const char **ret_why)
{
	struct json *json CLEANUP(json_destroy) = NULL;

	*ret_record = (struct save_record){0};
	*ret_named = false;
	if (value.len > SAVE_RECORD_MAX) {
		*ret_why = "the record is too large";
		return ST_INVALID;
	}
	if (json_parse(value, &json, ret_why) != ST_OK)
		return ST_INVALID;
	*ret_why = read_members(json, ret_record, ret_named);
	if (*ret_why)
		return ST_INVALID;
	if (!key_fits(ret_record, key)) {
		*ret_why = "the key is not that of the conversation";
		return ST_INVALID;
	}
	*ret_json = MOVE(json);
	return ST_OK;
}
