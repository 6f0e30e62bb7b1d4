/*
 * Any record of message_save: the first line is the key, the rest the value. An
 * accepted record is encoded again and must decode to the same record.
 */
#include "common/base/utf8.h"
#include "common/wire/reaction.h"
#include "common/wire/save_record.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_round(const struct save_record *record)
{
	struct buf key CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);
	struct buf value CLEANUP(buf_free) = BUF(SAVE_RECORD_MAX);
	struct json *json CLEANUP(json_destroy) = NULL;
	struct save_record again;
	const char *why;
	bool named;

	save_record_key(record, &key);
	save_record_encode(record, &value);
	must(!buf_overflowed(&key) && !buf_overflowed(&value));
	must(save_record_decode(buf_span(&key), buf_span(&value), &json, &again,
	                        &named, &why) == ST_OK);
	must(again.kind == record->kind && again.remove == record->remove);
	must(again.sender == record->sender);
	must(again.user_to == record->user_to);
	must(again.conversation == record->conversation);
	must(again.seq == record->seq && again.reply_to == record->reply_to);
	must(again.row == record->row);
	must(again.sent_at_ms == record->sent_at_ms);
	must(named == save_kind_has(record->kind, SAVE_HAS_UUID));
	must(!named || !memcmp(&again.uuid, &record->uuid, sizeof(again.uuid)));
	must(span_equal(again.message, record->message));
	must(span_equal(again.reaction, record->reaction));
	must(span_equal(again.users, record->users));
	must(span_equal(again.conversations, record->conversations));
}

static bool has(const struct save_record *record, enum save_has what)
{
	return save_kind_has(record->kind, what);
}

static bool is_id(uint64_t number)
{
	return number >= 1 && number <= JSON_ID_MAX;
}

/* The members of the kind are set, all others are zero. */
static void check_members(const struct save_record *record)
{
	bool either = has(record, SAVE_HAS_TARGET);
	bool text = has(record, SAVE_HAS_TEXT);

	must(has(record, SAVE_NO_SENDER) ? !record->sender
	                                 : is_id(record->sender));
	if (either)
		must(!record->user_to != !record->conversation);
	else
		must((has(record, SAVE_HAS_PAIR) ||
		      has(record, SAVE_HAS_USER_TO) == !!record->user_to) &&
		     has(record, SAVE_HAS_CONVERSATION) ==
		             !!record->conversation);
	must(record->user_to <= JSON_ID_MAX &&
	     record->conversation <= JSON_ID_MAX);
	must(has(record, SAVE_HAS_SEQ) ? is_id(record->seq) : !record->seq);
	must(has(record, SAVE_HAS_ROW) ? is_id(record->row) : !record->row);
	must(record->reply_to <= JSON_ID_MAX);
	must(has(record, SAVE_HAS_REPLY) || !record->reply_to);
	must(text == (record->message.len >= 1));
	must(record->message.len <= MESSAGE_TEXT_MAX);
	must(utf8_valid(record->message));
	must(has(record, SAVE_HAS_REACTION) ==
	     reaction_is_stored(record->reaction));
	must(utf8_valid(record->reaction));
	must(has(record, SAVE_HAS_REACTION) || !record->remove);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	struct save_record record;
	const char *why = NULL;
	bool named = false;
	struct span value;
	struct span key = span_cut(span_make(data, size), '\n', &value);

	if (save_record_decode(key, value, &json, &record, &named, &why) !=
	    ST_OK) {
		must(why && *why);
		must(json == NULL);
		must(record.sender <= JSON_ID_MAX);
		return 0;
	}
	must(named || !has(&record, SAVE_HAS_UUID));
	check_members(&record);
	check_round(&record);
	return 0;
}
