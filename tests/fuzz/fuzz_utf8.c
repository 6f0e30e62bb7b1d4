/*
 * Compares utf8_valid() with a decoder written from the definition, and checks
 * the same text in three pieces: the split must not change the result.
 */
#include "common/base/utf8.h"
#include "tests/fuzz/fuzz.h"

/* Length of the sequence at `at`; 0: not a sequence. */
static size_t sequence(const uint8_t *at, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = at[0] < 0x80             ? 1
	             : (at[0] & 0xe0) == 0xc0 ? 2
	             : (at[0] & 0xf0) == 0xe0 ? 3
	             : (at[0] & 0xf8) == 0xf0 ? 4
	                                      : 0;
	uint32_t point = len == 1 ? at[0] : at[0] & (0x7fu >> len);

	if (len == 0 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (at[i] & 0x3f);
	}
	if (point < least[len] || point > 0x10ffff ||
	    (point >= 0xd800 && point <= 0xdfff))
		return 0;
	return len;
}

static bool by_definition(const uint8_t *data, size_t size, size_t *ret_points)
{
	size_t at = 0;

	*ret_points = 0;
	while (at < size) {
		size_t len = sequence(data + at, size - at);

		if (len == 0)
			return false;
		at += len;
		(*ret_points)++;
	}
	return true;
}

static bool in_three(struct span text, size_t a, size_t b)
{
	struct utf8 utf8 = {0};

	return utf8_feed(&utf8, span_make(text.data, a)) &&
	       utf8_feed(&utf8, span_make(text.data + a, b - a)) &&
	       utf8_feed(&utf8, span_make(text.data + b, text.len - b)) &&
	       utf8_complete(&utf8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make(data, size);
	size_t points;
	bool right = by_definition(data, size, &points);
	size_t a = size ? data[0] % (size + 1) : 0;
	size_t b = size ? a + data[size - 1] % (size - a + 1) : 0;
	size_t at = 0;

	must(utf8_valid(text) == right);
	must(in_three(text, a, b) == right);
	if (!right)
		return 0;
	must(utf8_count(text) == points);
	for (size_t i = 0; i < points; i++)
		must(utf8_next(text, &at) <= 0x10ffff);
	must(at == size);
	return 0;
}
