#include "client-test/cli/line_splitter.h"
#include "common/base/buf.h"
#include "common/base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LINE_LONGEST = 8 };

#define BYTES(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

/* Every line as [text], or as <text> if it was cut. */
static const struct {
	struct span input;
	struct span lines;
} cases[] = {
	{BYTES(""), BYTES("")},
	{BYTES("a"), BYTES("[a]")},
	{BYTES("a\n"), BYTES("[a]")},
	{BYTES("a\r\n"), BYTES("[a]")},
	{BYTES("a\r"), BYTES("[a]")},
	{BYTES("\n"), BYTES("[]")},
	{BYTES("\r\n"), BYTES("[]")},
	{BYTES("\n\na\n"), BYTES("[][][a]")},
	{BYTES("a\nb"), BYTES("[a][b]")},
	{BYTES("a\rb\n"), BYTES("[a\rb]")},
	{BYTES("a\r\r\n"), BYTES("[a\r]")},
	{BYTES("a\0b\n"), BYTES("[a\0b]")},
	{BYTES("\xff\n"), BYTES("[\xff]")},
	{BYTES("12345678\n"), BYTES("[12345678]")},
	{BYTES("12345678\r\n"), BYTES("[12345678]")},
	{BYTES("12345678"), BYTES("[12345678]")},
	{BYTES("123456789\n"), BYTES("<12345678>")},
	{BYTES("123456789"), BYTES("<12345678>")},
	{BYTES("123456789\r\n"), BYTES("<12345678>")},
	{BYTES("1234567890123456789\nb\n"), BYTES("<12345678>[b]")},
	{BYTES("12345678\r9\nb"), BYTES("<12345678>[b]")},
};

static void write_line(struct buf *out, const struct split_line *line)
{
	buf_byte(out, line->too_long ? '<' : '[');
	buf_append(out, line->text);
	buf_byte(out, line->too_long ? '>' : ']');
}

/* Splits the input in pieces of `size` bytes. */
static void split(struct span input, size_t size, struct buf *out)
{
	struct line_splitter *splitter CLEANUP(line_splitter_destroy) =
		line_splitter_create(LINE_LONGEST);
	uint64_t number = 0;
	struct split_line line;

	for (size_t at = 0; at < input.len; at += size) {
		size_t left = input.len - at;

		line_splitter_feed(
			splitter,
			span_make(input.data + at, left < size ? left : size));
		while (line_splitter_next(splitter, &line)) {
			assert_int_equal(line.number, ++number);
			write_line(out, &line);
		}
	}
	if (line_splitter_last(splitter, &line)) {
		assert_int_equal(line.number, ++number);
		write_line(out, &line);
	}
	assert_int_equal(line_splitter_count(splitter), number);
}

static void an_input_is_cut_the_same_way_in_pieces_of_any_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t size = 1; size <= cases[i].input.len + 1; size++) {
			struct buf out CLEANUP(buf_free) = BUF(256);

			split(cases[i].input, size, &out);
			assert_true(span_equal(buf_span(&out), cases[i].lines));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_input_is_cut_the_same_way_in_pieces_of_any_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
