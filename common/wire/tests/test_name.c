#include "common/wire/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *fault_of(const char *text)
{
	CLEANUP(buf_free) struct buf name = BUF(NAME_MAX_BYTES);
	CLEANUP(buf_free) struct buf key = BUF(NAME_KEY_MAX);
	const char *fault = name_read(span_of(text), &name);

	if (fault) {
		assert_int_equal(name.len, 0);
		return fault;
	}
	assert_true(name.len > 0 && !buf_overflowed(&name));
	assert_int_equal(name_key(buf_span(&name), &key), ST_OK);
	assert_true(key.len > 0);
	return NULL;
}

static void assert_name(const char *text, const char *want)
{
	CLEANUP(buf_free) struct buf name = BUF(NAME_MAX_BYTES);
	const char *fault = name_read(span_of(text), &name);

	if (fault)
		fail_msg("refused: '%s': %s", text, fault);
	if (!span_equal(buf_span(&name), span_of(want)))
		fail_msg("'%s' becomes '%s'", text, buf_text(&name));
}

/* `piece` many times. */
static const char *repeat(const char *piece, unsigned times)
{
	static char text[40000];
	size_t len = strlen(piece);

	assert_true(len * times < sizeof(text));
	for (unsigned i = 0; i < times; i++)
		memcpy(text + i * len, piece, len + 1);
	return text;
}

static void limits_count_after_normalisation(void **state)
{
	static const struct {
		const char *piece;
		unsigned most;
	} rows[] = {
		{"a", 64},
		{"\U0001F642", 64},
		{"\u0390", 64}, /* its folding grows most */
		{"\ufdfa", 64}, /* its key grows most */
		{"e\u0301", 64},
		{"\u1112\u1161\u11ab", 64},
		{"\u03b1\u0313\u0300\u0345", 64},
		{"\u0958", 32},     /* a composition exclusion: two */
		{"\U0001D160", 21}, /* three, and it stays three */
		{"x\u0301", 32},
		{"\U0001F44D\U0001F3FD", 32},
	};

	(void)state;
	assert_string_equal(fault_of(""), "name must have 1 to 64 characters");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (fault_of(repeat(rows[i].piece, rows[i].most)))
			fail_msg("%s: refused", rows[i].piece);
		if (!fault_of(repeat(rows[i].piece, rows[i].most + 1)))
			fail_msg("%s: taken", rows[i].piece);
	}
	assert_non_null(fault_of(repeat("a", 30000)));
	assert_non_null(fault_of(repeat("\u0301", 5000)));
}

static void names_are_normalised_and_nothing_else(void **state)
{
	static const char *const rows[][2] = {
		{"Zoe\u0308", "Zo\u00eb"},
		{"A\u030a", "\u00c5"},
		{"\u212b", "\u00c5"},
		{"\u1112\u1161\u11ab", "\ud55c"},
		{"q\u0323\u0307", "q\u0323\u0307"},
		{"q\u0307\u0323", "q\u0323\u0307"},
		{"\ufb01sh", "\ufb01sh"},
		{"\uff21lice", "\uff21lice"},
		{"Stra\u00dfe", "Stra\u00dfe"},
		{"a  b", "a  b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_name(rows[i][0], rows[i][1]);
}

static void names_that_people_have_are_taken(void **state)
{
	static const char *const good[] = {
		"a",
		"0",
		"-",
		"a b",
		"a\u00a0b",
		"a\u3000b",
		"<b>",
		"\\",
		"'; DROP TABLE users; --",
		"\u00bd",
		"\u2163",
		"\u2764",
		"\U0001F642",
		"\u0301a",
		/* joiners: Persian, Hindi, Sinhala, Bengali */
		"\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
		"\u0915\u094d\u200d\u0937",
		"\u0dc1\u0dca\u200d\u0dbb\u0dd3",
		"\u09b0\u200d\u09cd\u09af\u09be\u09ae",
		/* emoji */
		"\U0001F469\u200d\U0001F4BB",
		"\u2764\ufe0f",
		"1\ufe0f\u20e3",
		("\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067"
	         "\U000E007F"),
		"\U0001F1E9\U0001F1EA",
		"Team \U0001F469\U0001F3FD\u200d\U0001F52C!",
		/* right to left */
		"\u05e9\u05dc\u05d5\u05dd",
		"\u0645\u062d\u0645\u062f",
		/* a number sign of Arabic: a format character with a glyph */
		"\u0600\u0661",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const char *fault = fault_of(good[i]);

		if (fault)
			fail_msg("refused: '%s': %s", good[i], fault);
	}
}

static void other_names_are_refused_with_the_reason(void **state)
{
	static const struct {
		const char *reason;
		const char *names[24];
	} rows[] = {
		{"name is not UTF-8",
	         {"\xff", "a\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}},
		{"name must not have control characters",
	         {"\ta", "a\n", "a\tb", "a\x01",
	          "a\x7f"
	          "b",
	          "a\xc2\x85-", "a\xc2\x9f-", "\xc2\x80", "a\u2028b", "a\u2029",
	          "a\ufff9b", "a\ufffbb"}},
		{"name must not have characters that control the direction of "
	         "text",
	         {"\u202e", "\u202ea", "a\u202db", "a\u200eb", "\u200fa",
	          "a\u061cb", "a\u2066b\u2069", "a\u202cb"}},
		{"name must not have unassigned code points",
	         {"a\u0378", "\uffff", "a\ufdd0", "a\U000323B0", "a\U000E0FFF",
	          "a\U0010FFFF", "\U0001FAFF"}},
		{"name must not have private-use characters",
	         {"\ue000", "a\uf8ff", "a\U000F0000", "a\U0010FFFD"}},
		{"name must not have invisible characters",
	         {"\u200b",           "\u2060\u2060", "\u3164",
	          "adm\u00adin",      "a\u034fb",     "\u115fa",
	          "a\u1160",          "a\u17b4",      "a\u180b",
	          "a\u180eb",         "a\u200cb",     "a\u200db",
	          "a\u2064b",         "a\ufe0f",      "a\ufeffb",
	          "\uffa0",           "a\U0001BCA0",  "a\U0001D173",
	          "a\U000E0001",      "a\U000E0041",  "\u4e00\U000E0100",
	          "\U0001F44D\u200d", "\u0628\u200c", "\ufe0f"}},
		{"name must have a visible character",
	         {"\u2800", "\u2800\u2800", "\u0301", "\U0001D159",
	          "\u2800 \u2800"}},
		{"name must not begin with a space",
	         {" a", "\u00a0a", "\u3000a", "\u1680a", "\u202fa"}},
		{"name must not end with a space",
	         {"a ", "a\u00a0", "a\u2003", "a\u205f"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (unsigned j = 0; j < 24 && rows[i].names[j]; j++) {
			const char *fault = fault_of(rows[i].names[j]);

			if (!fault || strcmp(fault, rows[i].reason) != 0)
				fail_msg("'%s' (%zu, %u): %s", rows[i].names[j],
				         i, j, fault ? fault : "taken");
		}
	}
	assert_non_null(fault_of(" "));
	assert_non_null(fault_of("\u3000"));
}

/* --- keys ----------------------------------------------------------------- */
static void the_same_name_has_one_key(void **state)
{
	static const char *const pairs[][2] = {
		{"Stra\u00dfe", "STRASSE"},
		{"\ufb01sh", "FISH"},
		{"\u0149ews", "\u02bcnews"},
		{"\u00c9COLE", "e\u0301cole"},
		{"\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3",
	         "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3"},
		{"\u03c2", "\u03c3"},
		{"\uff21lice", "alice"},
		{"\uff76\uff9e", "\u30ac"},
		{"\u2764\ufe0f", "\u2764"},
		{"\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u062e"},
		{"1\ufe0f\u20e3", "1\u20e3"},
		{"\u2163", "iv"},
		{"\u210c", "h"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		CLEANUP(buf_free) struct buf a = BUF(NAME_KEY_MAX);
		CLEANUP(buf_free) struct buf b = BUF(NAME_KEY_MAX);

		assert_int_equal(name_key(span_of(pairs[i][0]), &a), ST_OK);
		assert_int_equal(name_key(span_of(pairs[i][1]), &b), ST_OK);
		if (!span_equal(buf_span(&a), buf_span(&b)))
			fail_msg("%s, %s", pairs[i][0], pairs[i][1]);
	}
}

static void a_look_up_has_the_key_of_today_and_of_before(void **state)
{
	static const struct {
		const char *text, *key, *folded;
	} rows[] = {
		{"Alice", "alice", "alice"},
		{"Zoe\u0308", "zo\u00eb", "zoe\u0308"},
		{"\uff21", "a", "\uff41"},
		/* names of older accounts; the rules refuse them today */
		{"\u200b", "", "\u200b"},
		{"adm\u00adin", "admin", "adm\u00adin"},
		{"a\ue000", "a\ue000", "a\ue000"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(name_keys_free) struct name_keys keys = {0};
		const char *fault =
			name_keys_read(span_of(rows[i].text), &keys);

		if (fault)
			fail_msg("%s: %s", rows[i].text, fault);
		assert_true(
			span_equal(buf_span(&keys.key), span_of(rows[i].key)));
		assert_true(span_equal(buf_span(&keys.folded),
		                       span_of(rows[i].folded)));
	}
}

static void what_never_was_a_name_is_not_looked_up(void **state)
{
	static const char *const bad[] = {
		"", " a", "a ", "a\nb", "\u3000a", "\xff", "a\xc2\x85",
	};
	struct name_keys keys;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (!name_keys_read(span_of(bad[i]), &keys))
			fail_msg("taken: '%s'", bad[i]);
	}
	assert_non_null(name_keys_read(span_of(repeat("a", 65)), &keys));
	assert_non_null(name_keys_read(span_of(repeat("a", 30000)), &keys));
	/* As sent, or normalised, 64 code points are enough. */
	assert_null(name_keys_read(span_of(repeat("e\u0301", 64)), &keys));
	name_keys_free(&keys);
	assert_null(name_keys_read(span_of(repeat("\u0958", 64)), &keys));
	name_keys_free(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_count_after_normalisation),
		cmocka_unit_test(names_are_normalised_and_nothing_else),
		cmocka_unit_test(names_that_people_have_are_taken),
		cmocka_unit_test(other_names_are_refused_with_the_reason),
		cmocka_unit_test(the_same_name_has_one_key),
		cmocka_unit_test(a_look_up_has_the_key_of_today_and_of_before),
		cmocka_unit_test(what_never_was_a_name_is_not_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
