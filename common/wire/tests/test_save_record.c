#include "common/base/mem.h"
#include "common/wire/event.h"
#include "common/wire/save_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define UUID "01890a5d-ac96-774b-bcce-b302099a8057"

static const uint64_t sent_at_ms = UINT64_C(1795255200123);

static struct uuid a_uuid(void)
{
	struct uuid uuid;

	assert_true(uuid_parse(SPAN(UUID), &uuid));
	return uuid;
}

static bool is_a_uuid(const struct uuid *uuid)
{
	struct uuid wanted = a_uuid();

	return !memcmp(uuid->byte, wanted.byte, sizeof(wanted.byte));
}

static struct save_record record_of(uint64_t sender, uint64_t user_to,
                                    struct span message)
{
	return (struct save_record){.uuid = a_uuid(),
	                            .sender = sender,
	                            .user_to = user_to,
	                            .message = message,
	                            .sent_at_ms = sent_at_ms};
}

/* --- encoding --------------------------------------------------------------
 */
#define NAMED   "\"uuid\":\"" UUID "\""
#define AT      ",\"sent_at\":\"2026-11-21T10:00:00.123Z\"}"
#define IN      "\"conversation\":17,\"seq\":42"
#define IN_PAIR "\"user_to\":2," IN

/* SPAN() where a constant must stand. */
#define LITERAL(text) "" text, sizeof(text) - 1

/* Each kind, its bytes and its key. */
static const struct {
	struct save_record record; /* without uuid and sent_at_ms */
	const char *json;
	const char *key;
} samples[] = {
	{{.kind = SAVE_MESSAGE,
          .sender = 7,
          .user_to = 2,
          .message = {LITERAL("h\"i\n\xc3\xa9")}},
         "{\"kind\":\"message\"," NAMED
         ",\"sender\":7,\"user_to\":2,\"message\":\"h\\\"i\\n\xc3\xa9\"" AT,
         "d:2:7"},
	{{.kind = SAVE_MESSAGE,
          .sender = 7,
          .user_to = 2,
          .message = {LITERAL("hi")},
          .reply_to = 41},
         "{\"kind\":\"message\"," NAMED
         ",\"sender\":7,\"user_to\":2,\"message\":\"hi\",\"reply_to\":41" AT,
         "d:2:7"},
	{{.kind = SAVE_MESSAGE,
          .sender = 7,
          .conversation = 17,
          .message = {LITERAL("hi")},
          .reply_to = 41},
         "{\"kind\":\"message\"," NAMED
         ",\"sender\":7,\"conversation\":17,\"message\":\"hi\","
         "\"reply_to\":41" AT,
         "c:17"},
	{{.kind = SAVE_DELIVERED, .sender = 7, .conversation = 17, .seq = 42},
         "{\"kind\":\"delivered\",\"sender\":7," IN AT,
         "c:17"},
	{{.kind = SAVE_READ, .sender = 7, .conversation = 17, .seq = 42},
         "{\"kind\":\"read\",\"sender\":7," IN AT,
         "c:17"},
	{{.kind = SAVE_EDIT,
          .sender = 7,
          .conversation = 17,
          .seq = 42,
          .message = {LITERAL("hi!")}},
         "{\"kind\":\"edit\"," NAMED ",\"sender\":7," IN
         ",\"message\":\"hi!\"" AT,
         "c:17"},
	{{.kind = SAVE_DELETE, .sender = 7, .conversation = 17, .seq = 42},
         "{\"kind\":\"delete\"," NAMED ",\"sender\":7," IN AT,
         "c:17"},
	{{.kind = SAVE_REACT,
          .sender = 7,
          .conversation = 17,
          .seq = 42,
          .reaction = {LITERAL("\xf0\x9f\x91\x8d")}},
         "{\"kind\":\"react\"," NAMED ",\"sender\":7," IN
         ",\"reaction\":\"\xf0\x9f\x91\x8d\"" AT,
         "c:17"},
	{{.kind = SAVE_REACT,
          .sender = 7,
          .conversation = 17,
          .seq = 42,
          .reaction = {LITERAL("+1")},
          .remove = true},
         "{\"kind\":\"react\"," NAMED ",\"sender\":7," IN
         ",\"reaction\":\"+1\",\"remove\":true" AT,
         "c:17"},
	{{.kind = SAVE_DELIVERED,
          .sender = 7,
          .user_to = 2,
          .conversation = 17,
          .seq = 42},
         "{\"kind\":\"delivered\",\"sender\":7," IN_PAIR AT,
         "d:2:7"},
	{{.kind = SAVE_READ,
          .sender = 7,
          .user_to = 7,
          .conversation = 17,
          .seq = 42},
         "{\"kind\":\"read\",\"sender\":7,\"user_to\":7," IN AT,
         "d:7:7"},
	{{.kind = SAVE_EDIT,
          .sender = 7,
          .user_to = 2,
          .conversation = 17,
          .seq = 42,
          .message = {LITERAL("hi!")}},
         "{\"kind\":\"edit\"," NAMED ",\"sender\":7," IN_PAIR
         ",\"message\":\"hi!\"" AT,
         "d:2:7"},
	{{.kind = SAVE_DELETE,
          .sender = 7,
          .user_to = 2,
          .conversation = 17,
          .seq = 42},
         "{\"kind\":\"delete\"," NAMED ",\"sender\":7," IN_PAIR AT,
         "d:2:7"},
	{{.kind = SAVE_REACT,
          .sender = 7,
          .user_to = 2,
          .conversation = 17,
          .seq = 42,
          .reaction = {LITERAL("+1")}},
         "{\"kind\":\"react\"," NAMED ",\"sender\":7," IN_PAIR
         ",\"reaction\":\"+1\"" AT,
         "d:2:7"},
	{{.kind = SAVE_KEYS, .sender = 7, .conversations = {LITERAL("17,19")}},
         "{\"kind\":\"keys\",\"sender\":7,\"conversations\":\"17,19\"" AT,
         "u:7"},
	{{.kind = SAVE_ROSTER, .sender = 7, .user_to = 2, .conversation = 17},
         "{\"kind\":\"roster\",\"sender\":7,\"user_to\":2,"
         "\"conversation\":17" AT,
         "d:2:7"},
	{{.kind = SAVE_ROOMS, .sender = 7, .users = {LITERAL("7")}},
         "{\"kind\":\"rooms\",\"sender\":7,\"users\":\"7\"" AT,
         "u:7"},
	{{.kind = SAVE_ROOMS, .sender = 7, .users = {LITERAL("7,5,9")}},
         "{\"kind\":\"rooms\",\"sender\":7,\"users\":\"7,5,9\"" AT,
         "u:7"},
	{{.kind = SAVE_ROSTER, .sender = 7, .conversation = 17},
         "{\"kind\":\"roster\",\"sender\":7,\"conversation\":17" AT,
         "c:17"},
	{{.kind = SAVE_BLOCKED, .sender = 7, .user_to = 2},
         "{\"kind\":\"blocked\",\"sender\":7,\"user_to\":2" AT,
         "d:2:7"},
	{{.kind = SAVE_MEMBERSHIP, .conversation = 17, .row = 123},
         "{\"kind\":\"membership\",\"conversation\":17,\"row\":123" AT,
         "c:17"},
};

static struct save_record sample(size_t index)
{
	struct save_record record = samples[index].record;

	if (save_kind_has(record.kind, SAVE_HAS_UUID))
		record.uuid = a_uuid();
	record.sent_at_ms = sent_at_ms;
	return record;
}

static void each_kind_has_these_bytes_and_this_key(void **state)
{
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct buf json CLEANUP(buf_free) = BUF(SAVE_RECORD_MAX);
		struct buf key CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);
		struct save_record record = sample(i);

		save_record_encode(&record, &json);
		save_record_key(&record, &key);
		assert_string_equal(buf_text(&json), samples[i].json);
		assert_string_equal(buf_text(&key), samples[i].key);
		seen |= 1u << record.kind;
	}
	assert_int_equal(seen, (1u << SAVE_KIND_COUNT) - 1);
}

static void assert_key(uint64_t sender, uint64_t user_to, const char *wanted)
{
	struct buf key CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);
	struct save_record record = record_of(sender, user_to, SPAN("x"));

	save_record_key(&record, &key);
	assert_false(buf_overflowed(&key));
	assert_string_equal(buf_text(&key), wanted);
}

static void both_directions_have_one_key(void **state)
{
	(void)state;
	assert_key(2, 7, "d:2:7");
	assert_key(7, 2, "d:2:7");
	assert_key(5, 5, "d:5:5");
	assert_key(10, 9, "d:9:10");
	assert_key(UINT64_MAX, UINT64_MAX - 1,
	           "d:18446744073709551614:18446744073709551615");
}

/* --- round trips -----------------------------------------------------------
 */
static void assert_round_trip(struct save_record record)
{
	struct buf value CLEANUP(buf_free) = BUF(SAVE_RECORD_MAX);
	struct buf key CLEANUP(buf_free) = BUF(CONVERSATION_KEY_MAX);
	struct json *json CLEANUP(json_destroy) = NULL;
	struct save_record again;
	const char *why;
	bool named;

	save_record_encode(&record, &value);
	save_record_key(&record, &key);
	assert_false(buf_overflowed(&value));
	assert_int_equal(save_record_decode(buf_span(&key), buf_span(&value),
	                                    &json, &again, &named, &why),
	                 ST_OK);
	assert_int_equal(named, save_kind_has(record.kind, SAVE_HAS_UUID));
	assert_int_equal(again.kind, record.kind);
	assert_int_equal(again.remove, record.remove);
	assert_memory_equal(&again.uuid, &record.uuid, sizeof(again.uuid));
	assert_int_equal(again.sender, record.sender);
	assert_int_equal(again.user_to, record.user_to);
	assert_int_equal(again.conversation, record.conversation);
	assert_int_equal(again.seq, record.seq);
	assert_int_equal(again.reply_to, record.reply_to);
	assert_int_equal(again.row, record.row);
	assert_int_equal(again.sent_at_ms, record.sent_at_ms);
	assert_true(span_equal(again.message, record.message));
	assert_true(span_equal(again.reaction, record.reaction));
	assert_true(span_equal(again.users, record.users));
	assert_true(span_equal(again.conversations, record.conversations));
}

static void an_encoded_record_is_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		assert_round_trip(sample(i));
	assert_round_trip(record_of(1, 2, SPAN("hi")));
	assert_round_trip(record_of(2, 1, SPAN("\"\\/\b\f\n\r\t\x01\x1f\x7f")));
	assert_round_trip(
		record_of(3, 3, SPAN("\xf0\x9f\x98\x80\xe2\x80\xa8")));
	assert_round_trip(record_of(JSON_ID_MAX, JSON_ID_MAX - 1, SPAN("x")));
	assert_round_trip(record_of(1, JSON_ID_MAX, SPAN(" ")));
}

static void the_longest_text_fits_at_its_worst(void **state)
{
	char *text CLEANUP(mem_free) = mem_new(MESSAGE_TEXT_MAX);

	(void)state;
	memset(text, 'x', MESSAGE_TEXT_MAX);
	assert_round_trip(record_of(1, 2, span_make(text, MESSAGE_TEXT_MAX)));
	memset(text, '\x01', MESSAGE_TEXT_MAX);
	assert_round_trip(record_of(JSON_ID_MAX, JSON_ID_MAX,
	                            span_make(text, MESSAGE_TEXT_MAX)));
}

static void one_query_is_about_no_more_than_these(void **state)
{
	static const struct {
		enum save_kind kind;
		unsigned max;
		const char *why;
	} rows[] = {
		{SAVE_ROOMS, SAVE_USERS_MAX, "users are not ids, or too many"},
		{SAVE_KEYS, SAVE_CONVERSATIONS_MAX,
	         "conversations are not ids, none, or too many"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf ids CLEANUP(buf_free) = BUF(SAVE_RECORD_MAX);
		struct buf value CLEANUP(buf_free) = BUF(SAVE_RECORD_MAX);
		struct json *json CLEANUP(json_destroy) = NULL;
		struct save_record record = {.kind = rows[i].kind,
		                             .sender = JSON_ID_MAX,
		                             .sent_at_ms = sent_at_ms};
		struct span *list = rows[i].kind == SAVE_ROOMS
		                            ? &record.users
		                            : &record.conversations;
		const char *why = NULL;
		bool named;

		for (unsigned k = 0; k < rows[i].max; k++)
			event_key_add(&ids, JSON_ID_MAX - k);
		*list = buf_span(&ids);
		assert_round_trip(record);
		event_key_add(&ids, 1);
		*list = buf_span(&ids);
		save_record_encode(&record, &value);
		assert_int_equal(save_record_decode(SPAN("u:9007199254740991"),
		                                    buf_span(&value), &json,
		                                    &record, &named, &why),
		                 ST_INVALID);
		assert_string_equal(why, rows[i].why);
	}
}

/* --- refused records -------------------------------------------------------
 */
struct refusal {
	uint64_t sender;
	bool named;
	const char *why;
};

static struct refusal refused(struct span key, struct span value)
{
	struct json *json = NULL;
	struct save_record record;
	struct refusal refusal = {0};
	enum status st = save_record_decode(key, value, &json, &record,
	                                    &refusal.named, &refusal.why);

	if (st != ST_INVALID)
		fail_msg("taken: %.*s", (int)value.len, value.data);
	assert_null(json);
	if (refusal.named)
		assert_true(is_a_uuid(&record.uuid));
	refusal.sender = record.sender;
	return refusal;
}

#define KIND    "\"kind\":\"message\""
#define SENDER  "\"sender\":1"
#define USER_TO "\"user_to\":2"
#define TEXT    "\"message\":\"hi\""
#define SENT_AT "\"sent_at\":\"2026-11-21T10:00:00.123Z\""
#define AFTER   "," USER_TO "," TEXT "," SENT_AT

static void a_refusal_has_the_readable_members(void **state)
{
	static const struct {
		const char *value;
		uint64_t sender;
		bool named;
		const char *why;
	} rows[] = {
		/* no JSON: nothing can be read */
		{"", 0, false, NULL},
		{"hello", 0, false, NULL},
		{"[]", 0, false, NULL},
		{"{" KIND "," NAMED "," SENDER AFTER, 0, false, NULL},
		{"{" KIND "," NAMED "," SENDER "," SENDER AFTER "}", 0, false,
	         NULL},
		/* the sender */
		{"{}", 0, false, "sender is missing or not an id"},
		{"{" KIND "," NAMED AFTER "}", 0, true,
	         "sender is missing or not an id"},
		{"{" KIND "," NAMED ",\"sender\":0" AFTER "}", 0, true,
	         "sender is missing or not an id"},
		{"{" KIND "," NAMED ",\"sender\":\"1\"" AFTER "}", 0, true,
	         "sender is missing or not an id"},
		{"{" KIND "," NAMED ",\"sender\":1.5" AFTER "}", 0, true,
	         "sender is missing or not an id"},
		{"{" KIND "," NAMED ",\"sender\":9007199254740992" AFTER "}", 0,
	         true, "sender is missing or not an id"},
		/* the uuid */
		{"{" KIND "," SENDER AFTER "}", 1, false,
	         "uuid is missing or malformed"},
		{"{" KIND ",\"uuid\":7," SENDER AFTER "}", 1, false,
	         "uuid is missing or malformed"},
		{"{" KIND ",\"uuid\":\"7\"," SENDER AFTER "}", 1, false,
	         "uuid is missing or malformed"},
		{"{" KIND ",\"uuid\":\"{" UUID "}\"," SENDER AFTER "}", 1,
	         false, "uuid is missing or malformed"},
		/* the kind */
		{"{" NAMED "," SENDER AFTER "}", 1, true, "kind is missing"},
		{"{\"kind\":1," NAMED "," SENDER AFTER "}", 1, true,
	         "kind is missing"},
		{"{\"kind\":\"reads\"," NAMED "," SENDER AFTER "}", 1, true,
	         "kind is unknown"},
		{"{\"kind\":\"Message\"," NAMED "," SENDER AFTER "}", 1, true,
	         "kind is unknown"},
		/* recipients */
		{"{" KIND "," NAMED "," SENDER "," TEXT "," SENT_AT "}", 1,
	         true, "user_to and conversation are missing or not an id"},
		{"{" KIND "," NAMED "," SENDER ",\"user_to\":0," TEXT
	         "," SENT_AT "}",
	         1, true, "user_to is missing or not an id"},
		{"{" KIND "," NAMED "," SENDER ",\"user_to\":\"2\"," TEXT
	         "," SENT_AT "}",
	         1, true, "user_to is missing or not an id"},
		{"{" KIND "," NAMED "," SENDER ",\"user_to\":-2," TEXT
	         "," SENT_AT "}",
	         1, true, "user_to is missing or not an id"},
		/* the text */
		{"{" KIND "," NAMED "," SENDER "," USER_TO "," SENT_AT "}", 1,
	         true, "message is missing"},
		{"{" KIND "," NAMED "," SENDER "," USER_TO
	         ",\"message\":null," SENT_AT "}",
	         1, true, "message is missing"},
		{"{" KIND "," NAMED "," SENDER "," USER_TO
	         ",\"Message\":\"x\"," SENT_AT "}",
	         1, true, "message is missing"},
		{"{" KIND "," NAMED "," SENDER "," USER_TO
	         ",\"message\":\"\"," SENT_AT "}",
	         1, true, "message is empty or too long"},
		/* the time */
		{"{" KIND "," NAMED "," SENDER "," USER_TO "," TEXT "}", 1,
	         true, "sent_at is missing or not a time"},
		{"{" KIND "," NAMED "," SENDER "," USER_TO "," TEXT
	         ",\"sent_at\":1795255200123}",
	         1, true, "sent_at is missing or not a time"},
		{"{" KIND "," NAMED "," SENDER "," USER_TO "," TEXT
	         ",\"sent_at\":\"2026-11-21T10:00:00Z\"}",
	         1, true, "sent_at is missing or not a time"},
		{"{" KIND "," NAMED "," SENDER "," USER_TO "," TEXT
	         ",\"sent_at\":\"2026-02-30T10:00:00.123Z\"}",
	         1, true, "sent_at is missing or not a time"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct refusal r =
			refused(SPAN("d:1:2"), span_of(rows[i].value));

		if (r.sender != rows[i].sender || r.named != rows[i].named)
			fail_msg("%s", rows[i].value);
		assert_non_null(r.why);
		if (rows[i].why)
			assert_string_equal(r.why, rows[i].why);
	}
}

#define BY_7  ",\"sender\":7,"
#define EDIT  "{\"kind\":\"edit\"," NAMED BY_7
#define ROOMS "{\"kind\":\"rooms\",\"sender\":7"
#define KEYS  "{\"kind\":\"keys\",\"sender\":7"
#define REACT "{\"kind\":\"react\"," NAMED BY_7 "\"conversation\":17,\"seq\":42"

/* What each kind misses, or has and should not; in the order of reading. */
static void each_kind_wants_its_members(void **state)
{
	static const struct {
		const char *value;
		bool named;
		const char *why;
	} rows[] = {
		{"{\"kind\":\"message\"," NAMED BY_7 TEXT
	         ",\"conversation\":0" AT,
	         true, "user_to and conversation are missing or not an id"},
		{"{\"kind\":\"message\"," NAMED BY_7 USER_TO "," TEXT
	         ",\"conversation\":17" AT,
	         true, "user_to and conversation exclude each other"},
		{"{\"kind\":\"message\"," NAMED BY_7 TEXT
	         ",\"conversation\":17,\"reply_to\":0" AT,
	         true, "reply_to is not a seq"},
		{"{\"kind\":\"message\"," NAMED BY_7 TEXT
	         ",\"conversation\":17,\"reply_to\":\"41\"" AT,
	         true, "reply_to is not a seq"},
		{"{\"kind\":\"delivered\",\"sender\":7,\"seq\":42" AT, false,
	         "conversation is missing or not an id"},
		{"{\"kind\":\"read\",\"sender\":7,\"user_to\":2,\"seq\":42" AT,
	         false, "conversation is missing or not an id"},
		{"{\"kind\":\"read\",\"sender\":7,\"conversation\":17" AT,
	         false, "seq is missing or not a seq"},
		{"{\"kind\":\"read\"," NAMED BY_7
	         "\"conversation\":17,\"seq\":0" AT,
	         true, "seq is missing or not a seq"},
		{"{\"kind\":\"read\",\"sender\":7," IN "}", false,
	         "sent_at is missing or not a time"},
		{"{\"kind\":\"edit\",\"sender\":7," IN "," TEXT AT, false,
	         "uuid is missing or malformed"},
		{EDIT IN AT, true, "message is missing"},
		{EDIT IN ",\"message\":\"\"" AT, true,
	         "message is empty or too long"},
		{EDIT "\"conversation\":17," TEXT AT, true,
	         "seq is missing or not a seq"},
		{EDIT "\"seq\":42," TEXT AT, true,
	         "conversation is missing or not an id"},
		{"{\"kind\":\"delete\",\"sender\":7," IN AT, false,
	         "uuid is missing or malformed"},
		{"{\"kind\":\"delete\"," NAMED BY_7 "\"conversation\":17" AT,
	         true, "seq is missing or not a seq"},
		{REACT AT, true, "reaction is missing or invalid"},
		{REACT ",\"reaction\":1" AT, true,
	         "reaction is missing or invalid"},
		{REACT ",\"reaction\":\"\"" AT, true,
	         "reaction is missing or invalid"},
		{REACT ",\"reaction\":\"a b\"" AT, true,
	         "reaction is missing or invalid"},
		{REACT ",\"reaction\":\"+1\",\"remove\":1" AT, true,
	         "remove is neither true nor false"},
		{REACT ",\"reaction\":\"+1\",\"remove\":null" AT, true,
	         "remove is neither true nor false"},
		{ROOMS "}", false, "users are missing"},
		{ROOMS ",\"users\":[7]" AT, false, "users are missing"},
		{ROOMS ",\"users\":\"7,\"" AT, false,
	         "users are not ids, or too many"},
		{ROOMS ",\"users\":\"7,0\"" AT, false,
	         "users are not ids, or too many"},
		{ROOMS ",\"users\":\"7, 8\"" AT, false,
	         "users are not ids, or too many"},
		{ROOMS ",\"users\":\"\"" AT, false,
	         "the first of the users is not the sender"},
		{ROOMS ",\"users\":\"8,7\"" AT, false,
	         "the first of the users is not the sender"},
		{ROOMS ",\"users\":\"7\"}", false,
	         "sent_at is missing or not a time"},
		{"{\"kind\":\"roster\",\"sender\":7" AT, false,
	         "conversation is missing or not an id"},
		{"{\"kind\":\"roster\",\"sender\":7,\"conversation\":17,"
	         "\"user_to\":0" AT,
	         false, "user_to is missing or not an id"},
		{EDIT IN ",\"user_to\":\"2\"," TEXT AT, true,
	         "user_to is missing or not an id"},
		{"{\"kind\":\"read\",\"sender\":7," IN ",\"user_to\":null" AT,
	         false, "user_to is missing or not an id"},
		{KEYS AT, false, "conversations are missing"},
		{KEYS ",\"conversations\":17" AT, false,
	         "conversations are missing"},
		{KEYS ",\"conversations\":\"\"" AT, false,
	         "conversations are not ids, none, or too many"},
		{KEYS ",\"conversations\":\"17,\"" AT, false,
	         "conversations are not ids, none, or too many"},
		{KEYS ",\"conversations\":\"17,0\"" AT, false,
	         "conversations are not ids, none, or too many"},
		{"{\"kind\":\"blocked\",\"sender\":7" AT, false,
	         "user_to is missing or not an id"},
		{"{\"kind\":\"blocked\",\"sender\":7,\"user_to\":0" AT, false,
	         "user_to is missing or not an id"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct refusal r =
			refused(SPAN("c:17"), span_of(rows[i].value));

		if (r.sender != 7 || r.named != rows[i].named ||
		    strcmp(r.why, rows[i].why) != 0)
			fail_msg("%s: %s", rows[i].value, r.why);
	}
}

static void each_kind_has_one_key_only(void **state)
{
	static const char *const keys[] = {"d:2:7", "c:17",  "u:7", "c:7",
	                                   "u:17",  "d:7:7", "c:2", "u:2"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			if (strcmp(keys[k], samples[i].key) != 0)
				(void)refused(span_of(keys[k]),
				              span_of(samples[i].json));
		}
	}
}

static void only_the_key_of_the_conversation_fits(void **state)
{
	static const char good[] = "{" KIND "," NAMED "," SENDER AFTER "}";
	static const char *const keys[] = {
		"",       "d",       "d:",     "d:1",   "d:1:",   "d:2:1",
		"d:1:3",  "d:1:2 ",  " d:1:2", "D:1:2", "c:1:2",  "d:1:22",
		"d:01:2", "d:1:2:3", "1:2",    "d:1,2", "d:11:2", "c:1",
	};
	struct json *json CLEANUP(json_destroy) = NULL;
	struct save_record record;
	const char *why;
	bool named;

	(void)state;
	assert_int_equal(save_record_decode(SPAN("d:1:2"), span_of(good), &json,
	                                    &record, &named, &why),
	                 ST_OK);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct refusal r = refused(span_of(keys[i]), span_of(good));

		assert_string_equal(r.why,
		                    "the key is not that of the conversation");
		assert_int_equal(r.sender, 1);
		assert_true(r.named);
	}
}

static void a_record_without_key_or_value_is_refused(void **state)
{
	struct refusal r = refused(SPAN_NONE, SPAN_NONE);

	(void)state;
	assert_int_equal(r.sender, 0);
	assert_false(r.named);
	(void)refused(SPAN("d:1:2"), SPAN_NONE);
	(void)refused(SPAN_NONE, SPAN("{" KIND "," NAMED "," SENDER AFTER "}"));
}

static struct refusal refused_with_text(size_t bytes)
{
	struct buf value CLEANUP(buf_free) = BUF(4 * SAVE_RECORD_MAX);

	buf_append(&value, SPAN("{" KIND "," NAMED "," SENDER "," USER_TO
	                        "," SENT_AT ",\"message\":\""));
	for (size_t i = 0; i < bytes; i++)
		buf_byte(&value, 'x');
	buf_append(&value, SPAN("\"}"));
	return refused(SPAN("d:1:2"), buf_span(&value));
}

static void a_text_or_a_record_too_long_is_refused(void **state)
{
	struct refusal r = refused_with_text(MESSAGE_TEXT_MAX + 1);

	(void)state;
	assert_string_equal(r.why, "message is empty or too long");
	assert_int_equal(r.sender, 1);
	assert_true(r.named);
	r = refused_with_text(SAVE_RECORD_MAX);
	assert_string_equal(r.why, "the record is too large");
	assert_int_equal(r.sender, 0);
	assert_false(r.named);
}

static void members_that_are_not_known_are_passed_over(void **state)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	struct save_record record;
	const char *why;
	bool named;

	(void)state;
	assert_int_equal(
		save_record_decode(SPAN("d:1:2"),
	                           SPAN("{\"later\":[1]," KIND "," NAMED
	                                "," SENDER AFTER "}"),
	                           &json, &record, &named, &why),
		ST_OK);
	assert_true(span_equal(record.message, SPAN("hi")));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_these_bytes_and_this_key),
		cmocka_unit_test(both_directions_have_one_key),
		cmocka_unit_test(an_encoded_record_is_decoded),
		cmocka_unit_test(the_longest_text_fits_at_its_worst),
		cmocka_unit_test(one_query_is_about_no_more_than_these),
		cmocka_unit_test(a_refusal_has_the_readable_members),
		cmocka_unit_test(each_kind_wants_its_members),
		cmocka_unit_test(each_kind_has_one_key_only),
		cmocka_unit_test(only_the_key_of_the_conversation_fits),
		cmocka_unit_test(a_record_without_key_or_value_is_refused),
		cmocka_unit_test(a_text_or_a_record_too_long_is_refused),
		cmocka_unit_test(members_that_are_not_known_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
