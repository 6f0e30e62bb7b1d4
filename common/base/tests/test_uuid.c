#include "common/base/clock.h"
#include "common/base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define EXAMPLE "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" /* RFC 9562, 4 */

static void a_uuid_is_read_and_written_back(void **state)
{
	static const uint8_t bytes[16] = {0xf8, 0x1d, 0x4f, 0xae, 0x7d, 0xec,
	                                  0x11, 0xd0, 0xa7, 0x65, 0x00, 0xa0,
	                                  0xc9, 0x1e, 0x6b, 0xf6};
	struct uuid uuid;
	char text[UUID_TEXT_LEN + 1];

	(void)state;
	assert_true(uuid_parse(SPAN(EXAMPLE), &uuid));
	assert_memory_equal(uuid.byte, bytes, sizeof(bytes));
	uuid_format(&uuid, text);
	assert_string_equal(text, EXAMPLE);
}

static void capitals_are_the_same_uuid(void **state)
{
	struct uuid small;
	struct uuid capital;

	(void)state;
	assert_true(uuid_parse(SPAN(EXAMPLE), &small));
	assert_true(uuid_parse(SPAN("F81D4FAE-7dec-11D0-A765-00A0C91E6BF6"),
	                       &capital));
	assert_memory_equal(&small, &capital, sizeof(small));
}

static void any_version_is_taken(void **state)
{
	struct uuid uuid;

	(void)state;
	assert_true(uuid_parse(SPAN("00000000-0000-0000-0000-000000000000"),
	                       &uuid));
	assert_true(uuid_parse(SPAN("ffffffff-ffff-ffff-ffff-ffffffffffff"),
	                       &uuid));
	assert_true(uuid_parse(SPAN("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"),
	                       &uuid));
}

static void other_shapes_are_refused(void **state)
{
	static const char *const shapes[] = {
		"",
		"f81d4fae7dec11d0a76500a0c91e6bf6",
		"{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
		"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
		"f81d4fae-7dec-11d0-a765-00a0c91e6bf",
		"f81d4fae-7dec-11d0-a765-00a0c91e6bf66",
		"f81d4fae-7dec-11d0-a76500-a0c91e6bf6",
		"f81d4fae-7dec-11d0-a765-00a0c91e6bg6",
		"f81d4fae-7dec-11d0-a765 00a0c91e6bf6",
		"f81d4fae_7dec_11d0_a765_00a0c91e6bf6",
		" 81d4fae-7dec-11d0-a765-00a0c91e6bf6",
		"f81d4fae-7dec-11d0-a765-00a0c91e6bf ",
		"+81d4fae-7dec-11d0-a765-00a0c91e6bf6",
		"0x1d4fae-7dec-11d0-a765-00a0c91e6bf6",
		"-81d4fae-7dec-11d0-a765-00a0c91e6bf6",
		"f81d4fae-7dec-11d0-a765--0a0c91e6bf6",
	};
	struct uuid uuid;
	struct uuid before;

	(void)state;
	memset(&uuid, 0x5a, sizeof(uuid));
	before = uuid;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		assert_false(uuid_parse(span_of(shapes[i]), &uuid));
	assert_memory_equal(&uuid, &before, sizeof(uuid));
}

static void a_new_one_is_of_version_7_and_of_now(void **state)
{
	uint64_t before = clock_unix_ms();
	uint64_t made_at = 0;
	struct uuid uuid;

	(void)state;
	uuid_make(&uuid);
	for (unsigned i = 0; i < 6; i++)
		made_at = made_at << 8 | uuid.byte[i];
	assert_in_range(made_at, before, clock_unix_ms());
	assert_int_equal(uuid.byte[6] >> 4, 7);
	assert_int_equal(uuid.byte[8] >> 6, 2);
}

static void no_two_are_the_same(void **state)
{
	enum { MADE = 500 };
	static struct uuid made[MADE];

	(void)state;
	for (unsigned i = 0; i < MADE; i++)
		uuid_make(&made[i]);
	for (unsigned i = 0; i < MADE; i++)
		for (unsigned k = 0; k < i; k++)
			assert_memory_not_equal(&made[i], &made[k],
			                        sizeof(made[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uuid_is_read_and_written_back),
		cmocka_unit_test(capitals_are_the_same_uuid),
		cmocka_unit_test(any_version_is_taken),
		cmocka_unit_test(other_shapes_are_refused),
		cmocka_unit_test(a_new_one_is_of_version_7_and_of_now),
		cmocka_unit_test(no_two_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
