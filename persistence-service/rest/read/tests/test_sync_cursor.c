#include "persistence-service/rest/read/sync_cursor.h"

#include "common/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 3000, UNLIMITED = 1000000 };

static struct sync_cursor cursor;
static struct sync_state states[MANY];
/* The states of the database: sync_cursor_advance() sorts `states`. */
static struct sync_state truth[MANY];

static int start(void **state)
{
	(void)state;
	memset(&cursor, 0, sizeof(cursor));
	for (unsigned i = 0; i < MANY; i++)
		truth[i] = (struct sync_state){
			.conversation = 1 + i * 7,
			.last_seq = 10 + i,
			.revision = i % 3,
			.read_seq = i,
			.delivered_seq = i + 1,
			.role = 1,
			.index = i,
		};
	return 0;
}

static size_t count_due(size_t count)
{
	size_t due = 0;

	for (size_t i = 0; i < count; i++)
		due += states[i].due;
	return due;
}

/* Formats and parses the cursor, as between two requests. */
static void hand_over(void)
{
	CLEANUP(buf_free) struct buf text = BUF(SYNC_CURSOR_TEXT_MAX);
	struct sync_cursor read = {0};

	sync_cursor_format(&cursor, &text);
	assert_false(buf_overflowed(&text));
	assert_true(sync_cursor_parse(buf_span(&text), &read));
	assert_int_equal(read.buckets, cursor.buckets);
	assert_int_equal(read.begin, cursor.begin);
	assert_memory_equal(read.digest, cursor.digest,
	                    read.buckets * sizeof(*read.digest));
	memset(&cursor, 0xee, sizeof(cursor));
	cursor = read;
}

static bool sync_page(size_t count, size_t limit)
{
	bool more;

	memcpy(states, truth, count * sizeof(*states));
	if (!sync_cursor_fits(&cursor, count))
		sync_cursor_start(&cursor, count);
	more = sync_cursor_advance(&cursor, states, count, limit);
	hand_over();
	return more;
}

static void sync_all(size_t count)
{
	assert_false(sync_page(count, UNLIMITED));
}

static bool is_due(uint64_t conversation, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (states[i].conversation == conversation)
			return states[i].due;
	fail();
	return false;
}

static void a_new_cursor_reports_everything(void **state)
{
	static const size_t counts[] = {0,   1,   7,   8,    9,   100,
	                                255, 256, 257, 1000, MANY};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
		memset(&cursor, 0, sizeof(cursor));
		sync_all(counts[i]);
		assert_int_equal(count_due(counts[i]), counts[i]);
		sync_all(counts[i]);
		assert_int_equal(count_due(counts[i]), 0);
	}
}

static void the_order_of_the_states_does_not_matter(void **state)
{
	struct sync_state last;

	(void)state;
	sync_all(100);
	for (unsigned i = 0; i < 50; i++) {
		last = truth[i];
		truth[i] = truth[99 - i];
		truth[99 - i] = last;
	}
	sync_all(100);
	assert_int_equal(count_due(100), 0);
}

static void each_field_of_a_state_changes_the_digest(void **state)
{
	struct sync_state *changed = &truth[50];
	struct sync_state before = *changed;

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		*changed = before;
		sync_all(100);
		switch (i) {
		case 0:
			changed->last_seq++;
			break;
		case 1:
			changed->revision++;
			break;
		case 2:
			changed->read_seq++;
			break;
		case 3:
			changed->delivered_seq++;
			break;
		case 4:
			changed->from_seq++;
			break;
		case 5:
			changed->role++;
			break;
		default:
			changed->gone = true;
		}
		sync_all(100);
		assert_true(is_due(changed->conversation, 100));
		assert_true(count_due(100) < 10);
	}
}

static void two_conversations_that_swap_their_numbers_differ(void **state)
{
	(void)state;
	truth[3].last_seq = 5;
	truth[3].read_seq = 4;
	sync_all(100);
	truth[3].last_seq = 4;
	truth[3].read_seq = 5;
	sync_all(100);
	assert_true(is_due(truth[3].conversation, 100));
	truth[0].last_seq = 8;
	truth[1].last_seq = 9;
	sync_all(100);
	truth[0].last_seq = 9;
	truth[1].last_seq = 8;
	sync_all(100);
	assert_true(is_due(truth[0].conversation, 100));
	assert_true(is_due(truth[1].conversation, 100));
}

static void a_new_conversation_is_reported(void **state)
{
	(void)state;
	sync_all(40);
	sync_all(41);
	assert_true(is_due(truth[40].conversation, 41));
	assert_true(count_due(41) < 10);
}

static void a_conversation_that_vanished_reports_its_bucket(void **state)
{
	(void)state;
	sync_all(41);
	sync_all(40); /* the state before, for the client has no other */
	sync_all(40);
	assert_int_equal(count_due(40), 0);
}

static void a_departure_is_reported_once_whatever_its_numbers(void **state)
{
	(void)state;
	sync_all(100);
	truth[9].gone = true;
	sync_all(100);
	assert_true(is_due(truth[9].conversation, 100));
	truth[9].last_seq += 7;
	sync_all(100);
	assert_int_equal(count_due(100), 0);
	truth[9].gone = false;
	sync_all(100);
	assert_true(is_due(truth[9].conversation, 100));
}

static void pages_report_everything_once(void **state)
{
	static const size_t limits[] = {1, 3, 50, 500};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(limits); i++) {
		size_t reported = 0, pages = 1;

		memset(&cursor, 0, sizeof(cursor));
		while (sync_page(1000, limits[i])) {
			assert_true(count_due(1000) >= limits[i]);
			assert_true(count_due(1000) < limits[i] + 20);
			reported += count_due(1000);
			assert_true(pages++ <= 1000);
		}
		reported += count_due(1000);
		assert_int_equal(reported, 1000);
		sync_all(1000);
		assert_int_equal(count_due(1000), 0);
	}
}

static void a_page_counts_only_reported_conversations(void **state)
{
	(void)state;
	sync_all(1000);
	for (unsigned i = 0; i < 30; i++)
		truth[i * 30].last_seq++;
	assert_false(sync_page(1000, 500));
	for (unsigned i = 0; i < 30; i++)
		assert_true(is_due(truth[i * 30].conversation, 1000));
	assert_true(count_due(1000) < 150);
}

static void a_departure_counts_less_than_a_conversation(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 900; i++)
		truth[i].gone = true;
	assert_false(sync_page(1000, 200));
	assert_int_equal(count_due(1000), 1000);
}

/* Although the first conversations change again and again, the last come. */
static void a_busy_conversation_does_not_starve_others(void **state)
{
	bool reported[100] = {false};
	unsigned left = 100;

	(void)state;
	for (unsigned page = 0; page < 200 && left; page++) {
		(void)sync_page(100, 1);
		for (unsigned i = 0; i < 100; i++) {
			if (states[i].due && !reported[states[i].index]) {
				reported[states[i].index] = true;
				left--;
			}
		}
		for (unsigned i = 0; i < 20; i++)
			truth[i].last_seq++;
	}
	assert_int_equal(left, 0);
}

static void far_more_conversations_need_a_new_cursor(void **state)
{
	(void)state;
	sync_all(8);
	assert_int_equal(cursor.buckets, 16);
	sync_all(60);
	assert_int_equal(cursor.buckets, 16);
	sync_all(600);
	assert_int_equal(cursor.buckets, 512);
	assert_int_equal(count_due(600), 600);
	sync_all(MANY);
	assert_int_equal(cursor.buckets, 512);
	assert_true(count_due(MANY) <= MANY);
	sync_all(3);
	assert_int_equal(cursor.buckets, 512);
}

static void a_cursor_has_two_buckets_for_each_conversation(void **state)
{
	static const struct {
		size_t count;
		unsigned buckets;
	} cases[] = {{0, 16},
	             {8, 16},
	             {9, 32},
	             {16, 32},
	             {17, 64},
	             {100, 256},
	             {256, 512},
	             {257, 512},
	             {999, 512},
	             {1, 16},
	             {SIZE_MAX / 4, 512}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		sync_cursor_start(&cursor, cases[i].count);
		assert_int_equal(cursor.buckets, cases[i].buckets);
	}
}

static void the_longest_cursor_fits_into_a_request_line(void **state)
{
	CLEANUP(buf_free) struct buf text = BUF(100000);

	(void)state;
	sync_all(MANY);
	sync_cursor_format(&cursor, &text);
	assert_true(text.len <= SYNC_CURSOR_TEXT_MAX);
	for (size_t i = 0; i < text.len; i++)
		assert_non_null(memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
		                       "nopqrstuvwxyz0123456789-_",
		                       text.data[i], 64));
}

/* The state of a client that applies the answers, against the real state. */
static void a_client_is_consistent_after_each_round_of_changes(void **state)
{
	static struct sync_state mine[MANY];
	enum { COUNT = 300 };

	(void)state;
	memset(mine, 0, sizeof(mine));
	for (unsigned round = 0; round < 60; round++) {
		bool more = true;

		for (unsigned n = (unsigned)(random_u64() % 120); n; n--) {
			struct sync_state *s = &truth[random_u64() % COUNT];

			s->last_seq += random_u64() % 3;
			s->read_seq += random_u64() % 2;
			s->revision += random_u64() % 2;
			s->gone = random_u64() % 4 == 0;
		}
		while (more) {
			more = sync_page(COUNT, 1 + random_u64() % 200);
			for (unsigned i = 0; i < COUNT; i++)
				if (states[i].due)
					mine[states[i].index] = states[i];
		}
		for (unsigned i = 0; i < COUNT; i++) {
			assert_int_equal(mine[i].gone, truth[i].gone);
			if (truth[i].gone)
				continue;
			assert_int_equal(mine[i].last_seq, truth[i].last_seq);
			assert_int_equal(mine[i].read_seq, truth[i].read_seq);
			assert_int_equal(mine[i].revision, truth[i].revision);
		}
	}
}

static void refused(const char *text, size_t len)
{
	/* Under ASan any access after the text is an error. */
	char *copy = malloc(len ? len : 1);
	struct sync_cursor read;

	memcpy(copy, text, len);
	assert_false(sync_cursor_parse(span_make(copy, len), &read));
	free(copy);
}

static void a_malformed_cursor_is_refused(void **state)
{
	CLEANUP(buf_free) struct buf text = BUF(100000);
	static const char *const bad[] = {"",  "A",        "AA",       "AAA",
	                                  "=", "AQQAAA==", "AQQAAA",   "hello",
	                                  " ", "AQQAAA\n", "\xff\xff", "0"};
	static char much[20000];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		refused(bad[i], strlen(bad[i]));
	memset(much, 'A', sizeof(much));
	refused(much, sizeof(much));
	memset(much, 'A', 4102);
	refused(much, 4102);
	sync_all(20);
	sync_cursor_format(&cursor, &text);
	for (size_t len = 0; len < text.len; len++)
		refused(text.data, len);
	buf_append(&text, SPAN("A"));
	refused(text.data, text.len);
	buf_append(&text, SPAN("AAAAAAA"));
	refused(text.data, text.len);
}

static void a_foreign_head_is_refused(void **state)
{
	CLEANUP(buf_free) struct buf text = BUF(100000);

	(void)state;
	sync_all(8); /* 100 bytes: two bits are left over in the last letter */
	sync_cursor_format(&cursor, &text);
	assert_int_equal(text.len, 134);
	for (char *at = text.data; at < text.data + 6; at++) {
		char was = *at;
		struct sync_cursor read;

		*at = *at == 'B' ? 'C' : 'B';
		if (sync_cursor_parse(buf_span(&text), &read))
			assert_true(read.begin < read.buckets);
		*at = was;
	}
	text.data[0] = 'B'; /* another version */
	refused(text.data, text.len);
	text.data[0] = 'A';
	text.data[133] = (char)(text.data[133] + 1); /* a bit in what is left */
	refused(text.data, text.len);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
	const struct CMUnitTest tests[] = {
		TEST(a_new_cursor_reports_everything),
		TEST(the_order_of_the_states_does_not_matter),
		TEST(each_field_of_a_state_changes_the_digest),
		TEST(two_conversations_that_swap_their_numbers_differ),
		TEST(a_new_conversation_is_reported),
		TEST(a_conversation_that_vanished_reports_its_bucket),
		TEST(a_departure_is_reported_once_whatever_its_numbers),
		TEST(pages_report_everything_once),
		TEST(a_page_counts_only_reported_conversations),
		TEST(a_departure_counts_less_than_a_conversation),
		TEST(a_busy_conversation_does_not_starve_others),
		TEST(far_more_conversations_need_a_new_cursor),
		TEST(a_cursor_has_two_buckets_for_each_conversation),
		TEST(the_longest_cursor_fits_into_a_request_line),
		TEST(a_client_is_consistent_after_each_round_of_changes),
		TEST(a_malformed_cursor_is_refused),
		TEST(a_foreign_head_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
