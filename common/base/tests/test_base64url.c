#include "common/base/base64url.h"
#include "common/base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* RFC 4648 section 10, without padding, and the two letters of section 5. */
static const struct {
	const char *bytes;
	const char *text;
} pairs[] = {
	{"", ""},
	{"f", "Zg"},
	{"fo", "Zm8"},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg"},
	{"fooba", "Zm9vYmE"},
	{"foobar", "Zm9vYmFy"},
	{"\xfb\xff\xbf", "-_-_"},
};

static void the_vectors_of_the_rfc_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		CLEANUP(buf_free) struct buf text = BUF(100);
		CLEANUP(buf_free) struct buf bytes = BUF(100);

		base64url_encode(span_of(pairs[i].bytes), &text);
		assert_string_equal(buf_text(&text), pairs[i].text);
		assert_true(base64url_decode(span_of(pairs[i].text), &bytes));
		assert_string_equal(buf_text(&bytes), pairs[i].bytes);
	}
}

static void every_byte_comes_back(void **state)
{
	unsigned char all[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)(i * 7);
	for (size_t len = 0; len <= sizeof(all); len++) {
		CLEANUP(buf_free) struct buf text = BUF(400);
		CLEANUP(buf_free) struct buf bytes = BUF(256);

		base64url_encode(span_make(all, len), &text);
		assert_true(base64url_decode(buf_span(&text), &bytes));
		assert_true(span_equal(buf_span(&bytes), span_make(all, len)));
	}
}

static void other_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"A",    "AAAAA", "Zh",   "Zm9",    "Zg=",     "Zg==",
		"Zm9+", "Zm9/",  "Zm 9", "Zm9v\n", "Zm9\xc3",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(buf_free) struct buf bytes = BUF(100);

		assert_false(base64url_decode(span_of(texts[i]), &bytes));
	}
}

static void a_value_beyond_the_room_is_refused(void **state)
{
	CLEANUP(buf_free) struct buf bytes = BUF(2);

	(void)state;
	assert_false(base64url_decode(SPAN("Zm9v"), &bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_rfc_hold),
		cmocka_unit_test(every_byte_comes_back),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(a_value_beyond_the_room_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
