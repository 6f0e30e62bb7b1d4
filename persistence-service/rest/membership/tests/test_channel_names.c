/*
 * The search for channels on a real server, among many of them.
 */
#include "common/base/buf.h"
#include "common/io/json.h"
#include "persistence-service/rest/membership/channel_names.h"
#include "persistence-service/tests/chat_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ME = 7, MANY = 20000 };

static struct sql_session *session;
static struct buf json = {.max = 1024 * 1024};
static struct buf found = {.max = 64 * 1024};

static int start(void **state)
{
	(void)state;
	chat_start();
	session = sql_session_create(&chat_settings);
	assert_int_equal(sql_session_connect(session), ST_OK);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sql_session_destroy(&session);
	buf_free(&json);
	buf_free(&found);
	chat_stop();
	return 0;
}

static int empty(void **state)
{
	(void)state;
	chat_empty();
	return 0;
}

static uint64_t channel(const char *name)
{
	uint64_t id;

	chat_execute(
		"INSERT INTO conversations (kind, ckey, name, member_count,"
		" created_by, created_at) VALUES (3, UUID(), '%s', 5, 1,"
		" NOW(3))",
		name);
	id = chat_number("SELECT MAX(id) FROM conversations");
	assert_int_equal(channel_names_claim(sql_session_connection(session),
	                                     id, span_of(name)),
	                 ST_OK);
	return id;
}

/* The next page, from the cursor of the page before. */
static bool turn(struct channel_search *search, char *cursor, size_t size)
{
	struct json *page CLEANUP(json_destroy) = NULL;
	const struct json *item;
	struct span name, next;
	const char *why;

	buf_clear(&json);
	search->user = ME;
	assert_int_equal(channel_names_search(session, search, &json), ST_OK);
	assert_int_equal(json_parse_long(buf_span(&json), &page, &why), ST_OK);
	for (unsigned i = 0; (item = json_get_item(page, "channels", i)); i++) {
		assert_true(i < search->limit);
		assert_true(json_get_text(item, "name", &name));
		if (found.len)
			buf_byte(&found, '|');
		buf_append(&found, name);
	}
	if (!json_get_text(page, "next", &next))
		return false;
	assert_true(next.len < size);
	memcpy(cursor, next.data, next.len);
	search->after = span_make(cursor, next.len);
	return true;
}

/* The names on all pages. */
static const char *search_for(const char *text, unsigned limit)
{
	struct channel_search search = {.text = span_of(text), .limit = limit};
	char cursor[CHANNEL_CURSOR_MAX];

	buf_clear(&found);
	while (turn(&search, cursor, sizeof(cursor)))
		;
	return buf_text(&found);
}

static void assert_found(const char *text, const char *want)
{
	for (unsigned limit = 1; limit <= 4; limit++)
		assert_string_equal(search_for(text, limit), want);
}

static void a_channel_is_found_by_any_word_without_case_and_accents(void **s)
{
	(void)s;
	(void)channel("General chat");
	(void)channel("\u00dcber-Zo\u00eb");
	(void)channel("\u0416\u0430\u043d\u043d\u0430");
	assert_found("gen", "General chat");
	assert_found("CHAT", "General chat");
	assert_found("general c", "General chat");
	assert_found("uber", "\u00dcber-Zo\u00eb");
	assert_found("zoe", "\u00dcber-Zo\u00eb");
	assert_found("\u0436\u0410", "\u0416\u0430\u043d\u043d\u0430");
	assert_found("hat", "");
	assert_found("chat general", "");
}

/* Whatever the spelling, and by any word. */
static void a_name_that_is_taken_is_found(void **state)
{
	static const char *const pairs[][2] = {
		{"Stra\u00dfe 1", "STRASSE 1"},
		{"\ufb01sh", "fish"},
		{"\u0149ews", "\u02bcnews"},
		{"\u00c9COLE", "e\u0301cole"},
		{"\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3",
	         "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3"},
		{"\uff21lice", "alice"},
		{"\uff76\uff9e", "\u30ac"},
		{"\u2163", "iv"},
		{"\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"},
		{"\u2764\ufe0f", "\u2764"},
		{"\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u062e\u0648"},
		{"\ufdfa", "\ufdfa"},
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		(void)empty(state);
		(void)channel(pairs[i][0]);
		assert_int_equal(
			channel_names_claim(sql_session_connection(session), 99,
		                            span_of(pairs[i][1])),
			ST_CONFLICT);
		assert_found(pairs[i][0], pairs[i][0]);
		assert_found(pairs[i][1], pairs[i][0]);
		(void)empty(state);
		(void)snprintf(text, sizeof(text), "The %s", pairs[i][0]);
		(void)channel(text);
		assert_found(pairs[i][1], text);
	}
}

static void the_longest_name_and_its_cursor_fit(void **state)
{
	CLEANUP(buf_free) struct buf name = BUF(1000);

	(void)state;
	for (unsigned i = 0; i < NAME_MAX_POINTS - 1; i++)
		buf_append(&name, SPAN("\ufdfa"));
	(void)channel(buf_text(&name));
	buf_append(&name, SPAN("a"));
	(void)channel(buf_text(&name));
	buf_clear(&name);
	buf_append(&name, SPAN("\ufdfa"));
	assert_int_equal(strlen(search_for(buf_text(&name), 1)),
	                 2 * (NAME_MAX_POINTS - 1) * 3 + 2);
	assert_int_equal(strlen(search_for("", 1)),
	                 2 * (NAME_MAX_POINTS - 1) * 3 + 2);
}

static void a_text_of_accents_finds_nothing(void **state)
{
	(void)state;
	(void)channel("General");
	assert_found("\u0301", "");
	assert_found("\u200b", "");
	assert_found("\xff", "");
}

/* --- names of an older version ------------------------------------------- */
static uint64_t old_channel(const char *name, const char *folded)
{
	uint64_t id;

	chat_execute(
		"INSERT INTO conversations (kind, ckey, name, member_count,"
		" created_by, created_at) VALUES (3, UUID(), '%s', 5, 1,"
		" NOW(3))",
		name);
	id = chat_number("SELECT MAX(id) FROM conversations");
	chat_execute("INSERT INTO channels (conversation, name_key)"
	             " VALUES (%u, '%s')",
	             (unsigned)id, folded);
	return id;
}

static void assert_renewed(uint64_t want)
{
	uint64_t renewed;

	assert_int_equal(
		channel_names_renew(sql_session_connection(session), &renewed),
		ST_OK);
	assert_int_equal(renewed, want);
}

static void old_channels_are_found_after_the_renewal(void **state)
{
	uint64_t id;

	(void)state;
	(void)old_channel("General chat", "general chat");
	id = old_channel("Cafe\u0301 \uff21", "cafe\u0301 \uff41");
	assert_found("chat", "");
	assert_renewed(2);
	assert_found("chat", "General chat");
	assert_found("caf\u00e9", "Cafe\u0301 \uff21");
	assert_found("a", "Cafe\u0301 \uff21");
	assert_int_equal(channel_names_claim(sql_session_connection(session),
	                                     99, SPAN("CAF\u00c9 a")),
	                 ST_CONFLICT);
	assert_renewed(0);
	/* An older version, which still runs, renames it. */
	chat_execute("UPDATE channels SET name_key = 'tea' WHERE conversation"
	             " = %u",
	             (unsigned)id);
	chat_execute("UPDATE conversations SET name = 'Tea' WHERE id = %u",
	             (unsigned)id);
	assert_renewed(1);
	assert_found("tea", "Tea");
	assert_found("cafe", "");
}

/* Both stay, and both are found. */
static void old_channels_with_one_key_stay_apart(void **state)
{
	(void)state;
	(void)old_channel("Cafe\u0301", "cafe\u0301");
	(void)old_channel("Caf\u00e9", "caf\u00e9");
	(void)old_channel("\uff23af\u00e9", "\uff43af\u00e9");
	assert_renewed(3);
	assert_renewed(0);
	assert_found("cafe", "Cafe\u0301|Caf\u00e9|\uff23af\u00e9");
	assert_int_equal(chat_number("SELECT COUNT(*) FROM channels WHERE"
	                             " name_key = 'caf\u00e9'"),
	                 1);
}

static void many_old_channels_take_several_steps(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 250; i++) {
		char name[20];

		(void)snprintf(name, sizeof(name), "old %u", i);
		(void)old_channel(name, name);
	}
	assert_renewed(250);
	assert_found("249", "old 249");
	assert_int_equal(chat_number("SELECT COUNT(*) FROM channel_search"),
	                 500);
}

static void a_channel_is_listed_once_over_all_pages(void **state)
{
	(void)state;
	(void)channel("b chat b chat");
	(void)channel("chat a chat z");
	(void)channel("CHAT a");
	(void)channel("Ch\u00e2t a");
	assert_found("chat", "b chat b chat|CHAT a|Ch\u00e2t a|chat a chat z");
	assert_found("b", "b chat b chat");
	assert_found("", "b chat b chat|CHAT a|chat a chat z|Ch\u00e2t a");
}

static void sql_wildcards_are_plain_text(void **state)
{
	(void)state;
	(void)channel("100% sure");
	(void)channel("a_b");
	(void)channel("back\\\\slash");
	assert_found("100%", "100% sure");
	assert_found("%", "");
	assert_found("a_", "a_b");
	assert_found("_", "");
	assert_found("' OR 1=1 --", "");
}

static void old_and_freed_names_are_not_found(void **state)
{
	uint64_t id = channel("first name");

	(void)state;
	assert_int_equal(channel_names_change(sql_session_connection(session),
	                                      id, SPAN("second")),
	                 ST_OK);
	assert_found("first", "");
	assert_found("name", "");
	assert_int_equal(chat_number("SELECT COUNT(*) FROM channel_search"), 1);
	assert_int_equal(
		channel_names_free(sql_session_connection(session), id), ST_OK);
	assert_found("", "");
}

static void only_a_cursor_of_an_answer_is_accepted(void **state)
{
	static const char *const bad[] = {"1",    "1-",   "-61",  "x-61",
	                                  "1-6",  "1-6g", "1-ff", "01-61",
	                                  "1-6A", "1 -61"};
	struct channel_search search = {.user = ME, .limit = 5};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		search.after = span_of(bad[i]);
		if (channel_names_search(session, &search, &json) != ST_INVALID)
			fail_msg("taken: %s", bad[i]);
	}
}

static void words_begin_after_spaces_and_punctuation(void **state)
{
	struct span name = SPAN("#a  b-c\u3000\u00fc .");
	static const size_t begins[] = {1, 4, 6, 10, 14};
	size_t at = 0;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(begins); i++) {
		at = channel_names_next_word(name, at);
		assert_int_equal(at, begins[i]);
	}
	assert_int_equal(at, name.len);
}

/* --- many ---------------------------------------------------------------- */
static void fill(void)
{
	chat_execute("INSERT INTO conversations (id, kind, ckey, name,"
	             " member_count, created_by, created_at)"
	             " SELECT seq, 3, CONCAT('c:', seq), CONCAT('word',"
	             " seq %% 100, ' chat ', seq), 5, 1, NOW(3)"
	             " FROM numbers WHERE seq <= %u",
	             MANY);
	chat_execute("INSERT INTO channel_search (words, conversation, place)"
	             " SELECT name, id, 0 FROM conversations UNION ALL"
	             " SELECT CONCAT('chat ', id), id, 1 FROM conversations"
	             " UNION ALL SELECT id, id, 2 FROM conversations");
	chat_execute("INSERT INTO channels (conversation, name_key)"
	             " SELECT id, name FROM conversations");
	chat_execute("ANALYZE TABLE channel_search");
}

/* The number of rows that the search has read, in all tables. */
static uint64_t rows_read(const struct channel_search *search)
{
	static const char *const counters[] = {"next", "key", "rnd_next"};
	struct sql *sql = sql_session_connection(session);
	uint64_t count = 0;

	buf_clear(&json);
	assert_int_equal(sql_execute(sql, "FLUSH STATUS"), ST_OK);
	assert_int_equal(channel_names_search(session, search, &json), ST_OK);
	for (unsigned i = 0; i < ARRAY_LEN(counters); i++) {
		struct sql_value row[2]; /* the name, the value */
		char text[80];
		uint64_t read;

		(void)snprintf(text, sizeof(text),
		               "SHOW SESSION STATUS LIKE 'Handler_read_%s'",
		               counters[i]);
		assert_int_equal(sql_run(sql, text, NULL, 0), ST_OK);
		assert_int_equal(sql_fetch(sql, row, 2), ST_OK);
		assert_true(span_to_u64(row[1].bytes, UINT64_MAX, &read));
		count += read;
	}
	return count;
}

static void
the_cost_of_a_page_does_not_depend_on_the_number_of_channels(void **state)
{
	struct channel_search search = {.user = ME, .limit = 50};
	static const char *const texts[] = {"", "chat", "word5", "chat 19999",
	                                    "none"};
	static const char *const after[] = {"", "777-63686174203130303030"};

	(void)state;
	fill();
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		for (unsigned j = 0; j < ARRAY_LEN(after); j++) {
			uint64_t read;

			search.text = span_of(texts[i]);
			search.after = span_of(after[j]);
			read = rows_read(&search);
			if (read > 1000)
				fail_msg("'%s' after '%s' reads %llu rows",
				         texts[i], after[j],
				         (unsigned long long)read);
		}
	}
	assert_int_equal(strlen(search_for("word7 ", 200)) > 0, 1);
}

/* A row is read twice, with the words of its channel; a listed one, in joins
 * too. */
enum { REPEATED = 200, WORDS = 31, ROW_COST = WORDS + 2, LISTED_COST = 5 };

/* What one user can make: names of 64 characters that repeat one word. */
static void fill_with_repeated_words(void)
{
	chat_execute("INSERT INTO conversations (id, kind, ckey, name,"
	             " member_count, created_by, created_at)"
	             " SELECT seq, 3, CONCAT('c:', seq), CONCAT(1000 + seq,"
	             " REPEAT(' z', 30)), 5, 1, NOW(3)"
	             " FROM numbers WHERE seq <= %u",
	             REPEATED);
	chat_execute("INSERT INTO channel_search (words, conversation, place)"
	             " SELECT IF(n.seq = %u, c.name,"
	             " SUBSTRING(REPEAT('z ', n.seq), 1, 2 * n.seq - 1)), c.id,"
	             " %u - n.seq FROM conversations c JOIN numbers n"
	             " ON n.seq <= %u",
	             WORDS, WORDS, WORDS);
	chat_execute("ANALYZE TABLE channel_search");
}

/* Found are all channels by their first match; the rest are later matches. */
static void names_that_repeat_a_word_make_no_page_expensive(void **state)
{
	static const struct {
		const char *text;
		unsigned limit, channels;
	} rows[] = {
		{"z", 50, REPEATED},
		{"z", 7, REPEATED},
		{"z", 200, REPEATED},
		{"z z", 50, REPEATED},
		{"z z z z z z z z z z z z z z z z z z z z z z z z z z z z z z",
	         50, REPEATED},
		{"1", 50, REPEATED},
		{"1100 z", 50, 1},
		{"zz", 50, 0},
	};

	(void)state;
	fill_with_repeated_words();
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct channel_search search = {.text = span_of(rows[i].text),
		                                .limit = rows[i].limit};
		char cursor[CHANNEL_CURSOR_MAX];
		unsigned channels = 0;
		bool more = true;

		while (more) {
			uint64_t read;

			search.user = ME;
			read = rows_read(&search);
			if (read >
			    (uint64_t)CHANNEL_SEARCH_ROWS_MAX * ROW_COST +
			            rows[i].limit * LISTED_COST)
				fail_msg("'%s' reads %llu rows", rows[i].text,
				         (unsigned long long)read);
			buf_clear(&found);
			more = turn(&search, cursor, sizeof(cursor));
			for (size_t at = 0; at < found.len; at++)
				channels += found.data[at] == '|';
			channels += found.len > 0;
		}
		assert_int_equal(channels, rows[i].channels);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty)
	const struct CMUnitTest tests[] = {
		TEST(a_channel_is_found_by_any_word_without_case_and_accents),
		TEST(a_name_that_is_taken_is_found),
		TEST(the_longest_name_and_its_cursor_fit),
		TEST(a_text_of_accents_finds_nothing),
		TEST(old_channels_are_found_after_the_renewal),
		TEST(old_channels_with_one_key_stay_apart),
		TEST(many_old_channels_take_several_steps),
		TEST(a_channel_is_listed_once_over_all_pages),
		TEST(sql_wildcards_are_plain_text),
		TEST(old_and_freed_names_are_not_found),
		TEST(only_a_cursor_of_an_answer_is_accepted),
		TEST(words_begin_after_spaces_and_punctuation),
		TEST(the_cost_of_a_page_does_not_depend_on_the_number_of_channels),
		TEST(names_that_repeat_a_word_make_no_page_expensive),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
