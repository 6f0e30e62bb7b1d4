/*
 * How long answers become, whatever the entries hold: pages of messages, the
 * list of conversations and GET /sync, against the real server of chat_fixture.
 */
#include "persistence-service/rest/read/tests/history_fixture.h"
#include "tests/support/text_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	ME = 1,
	GROUP = 20,
	ENTRIES = 100, /* of GROUP */
	FIRST = 1000,
	GROUPS = 70, /* from FIRST on, with one message each */
	/* Whole, with one more entry of the longest text and reactions. */
	PAGE_MAX_BYTES = (512 + 160) * 1024,
	LIST_MAX_BYTES = (1024 + 160) * 1024,
};

/* --- rows ----------------------------------------------------------------- */
static void group(unsigned id, unsigned entries)
{
	chat_execute("INSERT INTO conversations (id, kind, ckey, name,"
	             " created_by, created_at, last_seq, last_message_id,"
	             " revision) VALUES (%u, 2, 'c:%u', 'Tea', 1, NOW(3), %u,"
	             " %u, %u)",
	             id, id, entries, id * 1000 + entries, entries);
	chat_execute("INSERT INTO members (user, conversation, joined_at)"
	             " VALUES (%u, %u, NOW(3))",
	             ME, id);
	for (unsigned seq = 1; seq <= entries; seq++) {
		chat_execute("INSERT INTO messages (conversation, seq, id,"
		             " sender, uuid, created_at, body, revision)"
		             " VALUES (%u, %u, %u, 5, UNHEX(MD5('%u/%u')),"
		             " NOW(3), 'hi', %u)",
		             id, seq, id * 1000 + seq, id, seq, seq);
		chat_execute("INSERT INTO revisions (conversation, revision,"
		             " seq, kind, sender, uuid, created_at) VALUES"
		             " (%u, %u, %u, 3, 5, UNHEX(MD5('%u.%u')), NOW(3))",
		             id, seq, seq, id, seq);
	}
}

static const struct content {
	const char *what;
	const char *body; /* SQL; NULL: short */
	unsigned reactions, users;
} contents[] = {
	{"short texts", NULL, 0, 0},
	{"control characters", "REPEAT(CHAR(1), 16000)", 0, 0},
	{"quotation marks", "REPEAT('\"', 16000)", 0, 0},
	{"long texts", "REPEAT('x', 16000)", 0, 0},
	{"characters of four bytes", "REPEAT('🎉', 4000)", 0, 0},
	{"many reactions", NULL, 20, 60},
	{"control characters with reactions", "REPEAT(CHAR(1), 16000)", 20, 5},
	{"texts of a few hundred bytes", "REPEAT('x', 300)", 0, 0},
};

/* The entries' own numbers serve as names of reactions and as users. */
static void fill(const struct content *content)
{
	chat_empty();
	group(GROUP, ENTRIES);
	for (unsigned i = 0; i < GROUPS; i++)
		group(FIRST + i, 1);
	if (content->body)
		chat_execute("UPDATE messages SET body = %s", content->body);
	for (unsigned seq = 1; seq <= ENTRIES && content->reactions; seq++)
		chat_execute("INSERT INTO reactions (conversation, seq,"
		             " reaction, user) SELECT m.conversation, m.seq,"
		             " CONCAT('reaction ', r.seq), 90000 + u.seq"
		             " FROM messages m"
		             " JOIN messages r ON r.conversation = %u"
		             " AND r.seq <= %u"
		             " JOIN messages u ON u.conversation = %u"
		             " AND u.seq <= %u WHERE m.conversation = %u"
		             " AND m.seq = %u",
		             GROUP, content->reactions, GROUP, content->users,
		             GROUP, seq);
}

/* --- walks ---------------------------------------------------------------- */
/* 0: null */
static uint64_t next_of(const char *text)
{
	const char *at = strstr(text, "],\"next\":");
	const char *last = NULL;

	for (; at; at = strstr(at + 1, "],\"next\":"))
		last = at;
	assert_non_null(last);
	return strtoull(last + strlen("],\"next\":"), NULL, 10);
}

/* Each entry once, in the order of the pages; the texts are whole. */
static void walk_messages(enum history_part part, uint64_t from, unsigned limit)
{
	unsigned found = 0;
	bool seen[ENTRIES + 1] = {false};

	do {
		struct history_page page = {GROUP, part, from, limit};
		unsigned count = 0;
		const char *text;

		buf_clear(&json);
		assert_int_equal(history_messages(history, ME, &page, &json),
		                 ST_OK);
		text = answer_text(PAGE_MAX_BYTES);
		for (const char *at = text;
		     (at = strstr(at, "\"conversation\":20,\"seq\":"));) {
			at += strlen("\"conversation\":20,\"seq\":");
			uint64_t seq = strtoull(at, NULL, 10);

			assert_in_range(seq, 1, ENTRIES);
			assert_false(seen[seq]);
			seen[seq] = true;
			count++;
		}
		assert_true(count > 0 && count <= limit);
		found += count;
		from = next_of(text);
	} while (from);
	assert_int_equal(found, ENTRIES);
}

static void walk_list(unsigned limit)
{
	uint64_t before = INT64_MAX;
	unsigned found = 0;

	do {
		unsigned count;

		buf_clear(&json);
		assert_int_equal(history_conversations(history, ME, before,
		                                       limit, &json),
		                 ST_OK);
		count = occurrences(answer_text(LIST_MAX_BYTES), "\"kind\":");
		assert_true(count > 0 && count <= limit);
		found += count;
		before = next_of(buf_text(&json));
	} while (before);
	assert_int_equal(found, 1 + GROUPS);
}

static void walk_sync(unsigned limit)
{
	struct sync_cursor cursor = {0};
	unsigned found = 0;
	bool more;

	do {
		unsigned count;

		buf_clear(&json);
		assert_int_equal(
			history_sync(history, ME, &cursor, limit, &json),
			ST_OK);
		count = occurrences(answer_text(LIST_MAX_BYTES), "\"kind\":");
		assert_true(count > 0);
		found += count;
		more = strstr(buf_text(&json), "\"more\":true") != NULL;
	} while (more);
	assert_int_equal(found, 1 + GROUPS);
}

static void every_answer_is_bounded_and_nothing_is_left_out(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(contents); i++) {
		print_message("%s\n", contents[i].what);
		fill(&contents[i]);
		walk_messages(PART_AFTER, 0, PAGE_MAX);
		walk_messages(PART_BEFORE, ENTRIES + 1, PAGE_MAX);
		walk_messages(PART_REVISED, 0, PAGE_MAX);
		walk_messages(PART_BEFORE, ENTRIES + 1, 7);
		walk_list(PAGE_MAX);
		walk_list(3);
		walk_sync(SYNC_MAX);
		walk_sync(3);
	}
}

/* The client sees the last message of each, save for the longest texts. */
static void usual_lists_have_all_last_messages(void **state)
{
	struct sync_cursor cursor = {0};

	(void)state;
	fill(&contents[ARRAY_LEN(contents) - 1]);
	buf_clear(&json);
	assert_int_equal(history_sync(history, ME, &cursor, SYNC_MAX, &json),
	                 ST_OK);
	assert_int_equal(
		occurrences(answer_text(LIST_MAX_BYTES), "\"last_message\":{"),
		1 + GROUPS);
	assert_has(buf_text(&json), "\"more\":false");
}

static void many_departures_come_over_several_pages(void **state)
{
	struct sync_cursor cursor = {0};
	unsigned found = 0;
	bool more;

	(void)state;
	fill(&contents[0]);
	/* ENTRIES squared, from the numbers of the entries. */
	chat_execute("INSERT INTO departures (user, conversation, seq)"
	             " SELECT %u, 100000 + a.seq * 1000 + b.seq, 1"
	             " FROM messages a JOIN messages b"
	             " ON b.conversation = a.conversation"
	             " WHERE a.conversation = %u",
	             ME, GROUP);
	do {
		const char *gone;

		buf_clear(&json);
		assert_int_equal(history_sync(history, ME, &cursor, 50, &json),
		                 ST_OK);
		gone = strstr(answer_text(LIST_MAX_BYTES), "\"gone\":[");
		assert_non_null(gone);
		for (gone += strlen("\"gone\":["); *gone != ']'; gone++)
			found += *gone == ',' || gone[-1] == '[';
		more = strstr(buf_text(&json), "\"more\":true") != NULL;
	} while (more);
	assert_int_equal(found, ENTRIES * ENTRIES);
}

static void the_newest_departures_are_read(void **state)
{
	struct sync_cursor cursor = {0};
	unsigned found = 0;
	bool more;

	(void)state;
	fill(&contents[0]);
	for (unsigned i = 0; i < 2; i++)
		chat_execute("INSERT INTO departures (user, conversation, seq)"
		             " SELECT %u, %u + a.seq * 100 + b.seq, 1"
		             " FROM messages a JOIN messages b"
		             " ON b.conversation = a.conversation"
		             " WHERE a.conversation = %u",
		             ME, 100000 * (i + 1), GROUP);
	do {
		const char *gone;

		buf_clear(&json);
		assert_int_equal(history_sync(history, ME, &cursor, 500, &json),
		                 ST_OK);
		gone = strstr(answer_text(LIST_MAX_BYTES), "\"gone\":[");
		assert_non_null(gone);
		for (gone += strlen("\"gone\":["); *gone != ']'; gone++) {
			if (gone[-1] != '[' && gone[-1] != ',')
				continue;
			assert_true(strtoull(gone, NULL, 10) > 200000);
			found++;
		}
		more = strstr(buf_text(&json), "\"more\":true") != NULL;
	} while (more);
	assert_int_equal(found, ENTRIES * ENTRIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_answer_is_bounded_and_nothing_is_left_out),
		cmocka_unit_test(usual_lists_have_all_last_messages),
		cmocka_unit_test(the_newest_departures_are_read),
		cmocka_unit_test(many_departures_come_over_several_pages),
	};

	return cmocka_run_group_tests(tests, history_fixture_start,
	                              history_fixture_stop);
}
