#include "persistence-service/outbox_records.h"

#include "common/base/buf.h"
#include "common/wire/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS = 4, SENT_MAX = 16 };

static const struct settings settings = {
	.topic_save = "saves",
	.topic_events = "events",
	.kafka_partitions = PARTITIONS,
};

static struct {
	char topic[16];
	int32_t partition;
	char key[256];
	char header[64];
} sent[SENT_MAX];
static unsigned count;
static enum status answer;

static void copy(char *to, size_t size, struct span from)
{
	assert_true(from.len < size);
	memcpy(to, from.data ? from.data : "", from.len);
	to[from.len] = '\0';
}

static enum status take(void *context, const struct kafka_record *record)
{
	assert_string_equal(context, "context");
	assert_true(count < SENT_MAX);
	assert_true(span_equal(record->value, SPAN("{}")));
	copy(sent[count].topic, sizeof(sent[count].topic),
	     span_of(record->topic));
	copy(sent[count].key, sizeof(sent[count].key), record->key);
	copy(sent[count].header, sizeof(sent[count].header),
	     record->header.value);
	if (record->header.name)
		assert_string_equal(record->header.name, "room");
	sent[count++].partition = record->partition;
	return answer;
}

static enum status send_row(enum outbox_kind kind, const char *target,
                            const char *room)
{
	static char context[] = "context";
	struct outbox_row row = {.kind = kind,
	                         .target = span_of(target),
	                         .room = span_of(room),
	                         .body = SPAN("{}")};

	count = 0;
	return outbox_records_each(&settings, &row, take, context);
}

static int start(void **state)
{
	(void)state;
	answer = ST_OK;
	return 0;
}

static void each_user_is_named_by_the_record_of_its_partition(void **state)
{
	bool seen[101] = {false};
	CLEANUP(buf_free) struct buf target = BUF(1000);

	(void)state;
	for (uint64_t user = 1; user <= 100; user++)
		event_key_add(&target, user);
	assert_int_equal(send_row(OUTBOX_EVENT, buf_text(&target), "17:43:="),
	                 ST_OK);
	assert_int_equal(count, PARTITIONS);
	for (unsigned i = 0; i < count; i++) {
		struct span key = span_of(sent[i].key);
		uint64_t user;

		assert_string_equal(sent[i].topic, "events");
		assert_string_equal(sent[i].header, "17:43:=");
		while (event_key_next(&key, &user)) {
			assert_int_equal(event_partition(user, PARTITIONS),
			                 sent[i].partition);
			assert_false(seen[user]);
			seen[user] = true;
		}
	}
	for (unsigned user = 1; user <= 100; user++)
		assert_true(seen[user]);
}

static void one_user_is_one_record(void **state)
{
	(void)state;
	assert_int_equal(send_row(OUTBOX_EVENT, "17", ""), ST_OK);
	assert_int_equal(count, 1);
	assert_string_equal(sent[0].key, "17");
	assert_string_equal(sent[0].header, "");
}

static void a_room_gets_a_record_on_every_partition(void **state)
{
	(void)state;
	assert_int_equal(send_row(OUTBOX_EVENT, "c:17", "17:43:+5,6"), ST_OK);
	assert_int_equal(count, PARTITIONS);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(sent[i].partition, i);
		assert_string_equal(sent[i].key, "c:17");
		assert_string_equal(sent[i].header, "17:43:+5,6");
	}
}

static void a_save_record_is_partitioned_by_its_key(void **state)
{
	(void)state;
	assert_int_equal(send_row(OUTBOX_SAVE, "d:1:2", ""), ST_OK);
	assert_int_equal(count, 1);
	assert_string_equal(sent[0].topic, "saves");
	assert_int_equal(sent[0].partition, KAFKA_BY_KEY);
	assert_string_equal(sent[0].key, "d:1:2");
}

static void a_malformed_row_sends_nothing(void **state)
{
	static const char *const bad[] = {"", "x", "1,", "1,x", "c:", "d:1:2"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(send_row(OUTBOX_EVENT, bad[i], ""),
		                 ST_INVALID);
		assert_int_equal(count, 0);
	}
	assert_int_equal(send_row(3, "17", ""), ST_INVALID);
}

static void a_refusal_ends_the_row(void **state)
{
	(void)state;
	answer = ST_TOO_LARGE;
	assert_int_equal(send_row(OUTBOX_EVENT, "c:17", "17:1:="),
	                 ST_TOO_LARGE);
	assert_int_equal(count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
	const struct CMUnitTest tests[] = {
		TEST(each_user_is_named_by_the_record_of_its_partition),
		TEST(one_user_is_one_record),
		TEST(a_room_gets_a_record_on_every_partition),
		TEST(a_save_record_is_partitioned_by_its_key),
		TEST(a_malformed_row_sends_nothing),
		TEST(a_refusal_ends_the_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
