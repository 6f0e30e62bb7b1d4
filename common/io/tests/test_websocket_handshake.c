#include "common/io/websocket_handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_accept(const char *key, const char *wanted)
{
	char accept[WEBSOCKET_ACCEPT_LEN + 1];

	memset(accept, 'x', sizeof(accept));
	websocket_accept_make(span_of(key), accept);
	assert_string_equal(accept, wanted);
}

static void the_example_of_the_rfc_is_answered(void **state)
{
	(void)state; /* 1.3 */
	assert_accept("dGhlIHNhbXBsZSBub25jZQ==",
	              "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_accept("x3JJHMbDL1EzLkh9GBhXDw==",
	              "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

static void only_sixteen_bytes_in_base64_are_a_key(void **state)
{
	static const char *const bad[] = {
		"",
		"AAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAAA===",
		"AAAAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAA===",
		"AAAAAAAAAAAAAAAAAAAAAA=A",
		" AAAAAAAAAAAAAAAAAAAAA==",
		"AAAAAAAAAA-AAAAAAAAAAA==",
		"AAAAAAAAAA_AAAAAAAAAAA==",
		"AAAAAAAAAA\nAAAAAAAAAAA==",
		"AAAAAAAAAA\303\251AAAAAAAAAA==",
		"AAAAAAAAAAAAAAAAAAAAAA== ",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
	};

	(void)state;
	assert_true(websocket_key_valid(SPAN("dGhlIHNhbXBsZSBub25jZQ==")));
	assert_true(websocket_key_valid(SPAN("AZaz09+/AAAAAAAAAAAAAA==")));
	assert_false(websocket_key_valid(SPAN_NONE));
	assert_false(websocket_key_valid(SPAN("AAAAAAAAAA\0AAAAAAAAAAA==")));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (websocket_key_valid(span_of(bad[i])))
			fail_msg("a key: '%s'", bad[i]);
	}
}

static void made_keys_are_valid_and_never_the_same(void **state)
{
	char before[WEBSOCKET_KEY_LEN + 1] = "";

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		char key[WEBSOCKET_KEY_LEN + 1];

		memset(key, 'x', sizeof(key));
		websocket_key_make(key);
		assert_true(websocket_key_valid(span_of(key)));
		assert_string_not_equal(key, before);
		memcpy(before, key, sizeof(key));
	}
}

static void the_accept_depends_on_every_letter_of_the_key(void **state)
{
	char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
	char accept[WEBSOCKET_ACCEPT_LEN + 1];

	(void)state;
	for (unsigned i = 0; i < 22; i++) {
		char letter = key[i];

		key[i] = '/';
		websocket_accept_make(span_of(key), accept);
		assert_string_not_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
		assert_int_equal(strlen(accept), WEBSOCKET_ACCEPT_LEN);
		key[i] = letter;
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_rfc_is_answered),
		cmocka_unit_test(only_sixteen_bytes_in_base64_are_a_key),
		cmocka_unit_test(made_keys_are_valid_and_never_the_same),
		cmocka_unit_test(the_accept_depends_on_every_letter_of_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
