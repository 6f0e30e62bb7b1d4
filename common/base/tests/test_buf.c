#include "common/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void an_empty_buffer_has_an_empty_text(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(16);

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf.len, 0);
}

static void appended_bytes_follow_one_another(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(64);

	(void)state;
	buf_append(&buf, SPAN("seq "));
	buf_number(&buf, 42);
	buf_byte(&buf, '/');
	buf_format(&buf, "%s-%03d", "x", 7);
	assert_string_equal(buf_text(&buf), "seq 42/x-007");
}

static void a_number_has_all_its_digits(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(64);

	(void)state;
	buf_number(&buf, 0);
	buf_byte(&buf, ' ');
	buf_number(&buf, UINT64_MAX);
	assert_string_equal(buf_text(&buf), "0 18446744073709551615");
}

static void a_buffer_takes_exactly_its_maximum(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(4);

	(void)state;
	buf_append(&buf, SPAN("abcd"));
	assert_false(buf_overflowed(&buf));
	assert_string_equal(buf_text(&buf), "abcd");
	buf_byte(&buf, 'e');
	assert_true(buf_overflowed(&buf));
	assert_string_equal(buf_text(&buf), "abcd");
}

static void after_an_overflow_later_bytes_are_dropped(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(4);

	(void)state;
	buf_append(&buf, SPAN("abc"));
	buf_append(&buf, SPAN("too long"));
	buf_byte(&buf, 'd'); /* would fit, but would be out of place */
	buf_number(&buf, 1);
	buf_format(&buf, "%d", 1);
	assert_null(buf_space(&buf, 1));
	assert_string_equal(buf_text(&buf), "abc");
}

static void clearing_resets_the_overflow_and_keeps_the_memory(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(4);
	char *memory;

	(void)state;
	buf_append(&buf, SPAN("abcd"));
	buf_byte(&buf, 'e');
	memory = buf.data;
	buf_clear(&buf);
	assert_false(buf_overflowed(&buf));
	buf_append(&buf, SPAN("wxyz"));
	assert_string_equal(buf_text(&buf), "wxyz");
	assert_ptr_equal(buf.data, memory);
}

static void space_may_be_written_to_directly(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(1000);
	char *space;

	(void)state;
	buf_append(&buf, SPAN("1"));
	space = buf_space(&buf, 999);
	assert_non_null(space);
	memset(space, 'x', 999);
	buf_grew(&buf, 999);
	assert_int_equal(buf.len, 1000);
	assert_null(buf_space(&buf, 1));
	assert_int_equal(strlen(buf_text(&buf)), 1000);
}

static void consuming_drops_from_the_front(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(8);

	(void)state;
	buf_append(&buf, SPAN("abcdefgh"));
	buf_consume(&buf, 3);
	assert_string_equal(buf_text(&buf), "defgh");
	buf_consume(&buf, 0);
	buf_append(&buf, SPAN("ijk"));
	assert_string_equal(buf_text(&buf), "defghijk");
	buf_consume(&buf, 8);
	assert_int_equal(buf.len, 0);
}

static void growing_keeps_the_bytes(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(100000);

	(void)state;
	for (unsigned i = 0; i < 25000; i++)
		buf_format(&buf, "%04u", i % 10000);
	assert_false(buf_overflowed(&buf));
	assert_int_equal(buf.len, 100000);
	for (unsigned i = 0; i < 25000; i += 7777)
		assert_int_equal(buf.data[4 * i + 3], '0' + i % 10);
}

static void freeing_makes_it_empty_and_may_be_done_twice(void **state)
{
	struct buf buf = BUF(16);

	(void)state;
	buf_append(&buf, SPAN("abc"));
	buf_free(&buf);
	buf_free(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
}

static void bytes_of_all_values_are_kept(void **state)
{
	struct buf buf CLEANUP(buf_free) = BUF(256);

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		buf_byte(&buf, (char)i);
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal((unsigned char)buf.data[i], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_has_an_empty_text),
		cmocka_unit_test(appended_bytes_follow_one_another),
		cmocka_unit_test(a_number_has_all_its_digits),
		cmocka_unit_test(a_buffer_takes_exactly_its_maximum),
		cmocka_unit_test(after_an_overflow_later_bytes_are_dropped),
		cmocka_unit_test(
			clearing_resets_the_overflow_and_keeps_the_memory),
		cmocka_unit_test(space_may_be_written_to_directly),
		cmocka_unit_test(consuming_drops_from_the_front),
		cmocka_unit_test(growing_keeps_the_bytes),
		cmocka_unit_test(freeing_makes_it_empty_and_may_be_done_twice),
		cmocka_unit_test(bytes_of_all_values_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
