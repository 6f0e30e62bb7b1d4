/*
 * A record of message_save from anybody: the first line is the key, the rest
 * the value. What is taken is written again and must read back the same.
 */
#include "common/base/utf8.h"
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
	must(named);
	must(again.sender == record->sender);
	must(again.user_to == record->user_to);
	must(again.sent_at_ms == record->sent_at_ms);
	must(!memcmp(&again.uuid, &record->uuid, sizeof(again.uuid)));
	must(span_equal(again.message, record->message));
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
	must(named);
	must(record.sender >= 1 && record.sender <= JSON_ID_MAX);
	must(record.user_to >= 1 && record.user_to <= JSON_ID_MAX);
	must(record.message.len >= 1 && record.message.len <= MESSAGE_TEXT_MAX);
	must(utf8_valid(record.message));
	check_round(&record);
	return 0;
}
