#include "common/base/emoji.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

enum { POINTS_MAX = 32 };

/* The code points of the sequence at the beginning of the text. */
static size_t sequence(const char *text)
{
	uint32_t points[POINTS_MAX];
	struct span all = span_of(text);
	size_t count = 0, at = 0;

	while (at < all.len) {
		assert_true(count < POINTS_MAX);
		points[count++] = utf8_next(all, &at);
	}
	return emoji_sequence(points, count);
}

static void the_longest_sequence_is_found(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
		{"", 0},
		{"a", 0},
		{"\u00e9", 0},
		{"\u0301", 0},
		{"\u200d", 0},
		{"\ufe0f", 0},
		{"\u20e3", 0},
		{"1", 1},
		{"#", 1},
		{"*", 1},
		{"12", 1},
		{"1\ufe0f", 2},
		{"1\ufe0e", 2},
		{"1\u20e3", 2},
		{"1\ufe0f\u20e3", 3},
		{"*\ufe0f\u20e3", 3},
		{"1\u200d2", 1},
		{"1\U000E0067\U000E007F", 1},
		{"1\U0001F3FB", 1},
		{"\u00a9", 1},
		{"\u00a9\ufe0f", 2},
		{"\u2764", 1},
		{"\u2764\ufe0f", 2},
		{"\u2764\ufe0fa", 2},
		{"\u2764\ufe0f\ufe0f", 2},
		{"\U0001F44D", 1},
		{"\U0001F44D\U0001F3FD", 2},
		{"\U0001F44D\U0001F3FD\U0001F3FD", 2},
		{"\U0001F44D\U0001F44D", 1},
		{"\U0001F44D\u200d", 1},
		{"\U0001F44D\u200da", 1},
		{"\U0001F44D\u200d1", 1},
		{"\U0001F44D\u200d\u200d\U0001F44D", 1},
		{"\U0001F1E9", 1},
		{"\U0001F1E9\U0001F1EA", 2},
		{"\U0001F1E9\U0001F1EA\U0001F1EB\U0001F1F7", 2},
		{"\U0001F3F3\ufe0f\u200d\U0001F308", 4},
		{"\U0001F469\u200d\U0001F4BB", 3},
		{"\U0001F469\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466",
	         7},
		/* kiss, two skin tones */
		{"\U0001F468\U0001F3FB\u200d\u2764\ufe0f\u200d\U0001F48B\u200d"
	         "\U0001F468\U0001F3FF",
	         10},
		/* England */
		{"\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067"
	         "\U000E007F",
	         7},
		/* without its end */
		{"\U0001F3F4\U000E0067\U000E0062", 1},
		{"\U0001F3F4\U000E007F", 1},
		/* of a newer Unicode than the table: reserved for emoji */
		{"\U0001FAFF", 1},
		{"\U0001FAFF\u200d\U0001FA7F", 3},
		/* pictographs that are no emoji */
		{"\u2607", 0},
		{"\U0001F322", 0},
		{"\U0001F6D4", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (sequence(rows[i].text) != rows[i].len)
			fail_msg("row %zu: %s: %zu, not %zu", i, rows[i].text,
			         sequence(rows[i].text), rows[i].len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_sequence_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
