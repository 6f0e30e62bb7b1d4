#include "common/wire/save_record.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/wire/fields.h"

static const char kind_message[] = "message";

void save_record_encode(const struct save_record *record, struct buf *ret_json)
{
	struct json_writer w = json_writer(ret_json);
	char uuid[UUID_TEXT_LEN + 1];

	uuid_format(&record->uuid, uuid);
	json_open(&w);
	json_text(&w, FIELD_KIND, span_of(kind_message));
	json_text(&w, FIELD_UUID, span_make(uuid, UUID_TEXT_LEN));
	json_number(&w, FIELD_SENDER, record->sender);
	json_number(&w, FIELD_USER_TO, record->user_to);
	json_text(&w, FIELD_MESSAGE, record->message);
	json_time(&w, FIELD_SENT_AT, record->sent_at_ms);
	json_close(&w);
}

void save_record_key(const struct save_record *record, struct buf *ret_key)
{
	bool rising = record->sender <= record->user_to;

	buf_append(ret_key, SPAN("d:"));
	buf_number(ret_key, rising ? record->sender : record->user_to);
	buf_byte(ret_key, ':');
	buf_number(ret_key, rising ? record->user_to : record->sender);
}

/* The key decides which consumer keeps the order: a wrong one breaks it. */
static bool key_fits(const struct save_record *record, struct span key)
{
	struct buf wanted CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);

	save_record_key(record, &wanted);
	return span_equal(buf_span(&wanted), key);
}

static const char *read_members(const struct json *json,
                                struct save_record *record, bool *named)
{
	struct span text;

	if (!json_get_id(json, FIELD_SENDER, &record->sender))
		record->sender = 0;
	if (json_get_text(json, FIELD_UUID, &text))
		*named = uuid_parse(text, &record->uuid);
	if (record->sender == 0)
		return "sender is missing or no id";
	if (!*named)
		return "uuid is missing or malformed";
	if (!json_get_text(json, FIELD_KIND, &text))
		return "kind is missing";
	if (!span_equal(text, span_of(kind_message)))
		return "kind is not known";
	if (!json_get_id(json, FIELD_USER_TO, &record->user_to) ||
	    record->user_to == 0)
		return "user_to is missing or no id";
	if (!json_get_text(json, FIELD_MESSAGE, &record->message))
		return "message is missing";
	if (record->message.len == 0 || record->message.len > MESSAGE_TEXT_MAX)
		return "message is empty or too long";
	if (!json_get_text(json, FIELD_SENT_AT, &text) ||
	    !clock_parse(text, &record->sent_at_ms))
		return "sent_at is missing or no time";
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
