#include "common/io/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 9000 };

static struct seal_key key, other_secret, other_purpose;

static int make_keys(void **state)
{
	(void)state;
	seal_key_derive(SPAN("a secret"), SPAN("a purpose"), &key);
	seal_key_derive(SPAN("a secres"), SPAN("a purpose"), &other_secret);
	seal_key_derive(SPAN("a secret"), SPAN("a purposf"), &other_purpose);
	return 0;
}

static enum status open(const struct seal_key *with, struct span associated,
                        struct span sealed)
{
	CLEANUP(buf_free) struct buf plain = BUF(TEXT_MAX);
	enum status status = seal_open(with, associated, sealed, &plain);

	if (status != ST_OK)
		assert_int_equal(plain.len, 0);
	return status;
}

static void close(struct span plain, struct buf *ret_sealed)
{
	assert_int_equal(seal_close(&key, SPAN("id"), plain, ret_sealed),
	                 ST_OK);
}

static void a_sealed_text_opens_unchanged(void **state)
{
	static char bytes[8192];
	const size_t lengths[] = {0, 1, 15, 16, 17, 1700, sizeof(bytes)};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		CLEANUP(buf_free) struct buf sealed = BUF(TEXT_MAX);
		CLEANUP(buf_free) struct buf plain = BUF(lengths[i]);
		struct span text = span_make(bytes, lengths[i]);

		close(text, &sealed);
		assert_int_equal(sealed.len, lengths[i] + SEAL_OVERHEAD);
		assert_int_equal(
			seal_open(&key, SPAN("id"), buf_span(&sealed), &plain),
			ST_OK);
		assert_true(span_equal(buf_span(&plain), text));
	}
}

/* Another implementation made it: the form must stay as it is. */
static void the_form_is_version_1(void **state)
{
	static const char sealed[] =
		"\x01\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x57\x52"
		"\xce\xf2\x7e\x68\xbe\x06\x75\x50\x66\x2e\x69\x46\xdf\xd0\xa9"
		"\xd1\x8f\xfd\x86\xf7\x54\x8d\x85\x5d";
	CLEANUP(buf_free) struct buf plain = BUF(TEXT_MAX);

	(void)state;
	assert_int_equal(seal_open(&key, SPAN("id"),
	                           span_make(sealed, sizeof(sealed) - 1),
	                           &plain),
	                 ST_OK);
	assert_true(span_equal(buf_span(&plain), SPAN("plain text")));
}

static void the_same_text_is_never_sealed_alike(void **state)
{
	CLEANUP(buf_free) struct buf one = BUF(TEXT_MAX), two = BUF(TEXT_MAX);

	(void)state;
	close(SPAN("plain"), &one);
	close(SPAN("plain"), &two);
	assert_false(span_equal(buf_span(&one), buf_span(&two)));
	/* Neither nonce nor text. */
	assert_memory_not_equal(one.data + 1, two.data + 1, 12);
	assert_memory_not_equal(one.data + 13, two.data + 13, 5);
}

static void another_key_or_owner_opens_nothing(void **state)
{
	CLEANUP(buf_free) struct buf sealed = BUF(TEXT_MAX);

	(void)state;
	close(SPAN("plain"), &sealed);
	assert_int_equal(open(&other_secret, SPAN("id"), buf_span(&sealed)),
	                 ST_DENIED);
	assert_int_equal(open(&other_purpose, SPAN("id"), buf_span(&sealed)),
	                 ST_DENIED);
	assert_int_equal(open(&key, SPAN("ie"), buf_span(&sealed)), ST_DENIED);
	assert_int_equal(open(&key, SPAN(""), buf_span(&sealed)), ST_DENIED);
	assert_int_equal(open(&key, SPAN("id2"), buf_span(&sealed)), ST_DENIED);
}

static void every_changed_byte_is_found(void **state)
{
	CLEANUP(buf_free) struct buf sealed = BUF(TEXT_MAX);

	(void)state;
	close(SPAN("plain"), &sealed);
	for (size_t i = 0; i < sealed.len; i++) {
		for (unsigned bit = 1; bit < 256; bit *= 2) {
			sealed.data[i] ^= (char)bit;
			assert_int_equal(
				open(&key, SPAN("id"), buf_span(&sealed)),
				i == 0 ? ST_INVALID : ST_DENIED);
			sealed.data[i] ^= (char)bit;
		}
	}
	assert_int_equal(open(&key, SPAN("id"), buf_span(&sealed)), ST_OK);
}

static void every_other_length_is_found(void **state)
{
	CLEANUP(buf_free) struct buf sealed = BUF(TEXT_MAX);

	(void)state;
	close(SPAN("plain"), &sealed);
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(
			open(&key, SPAN("id"), span_make(sealed.data, len)),
			len < SEAL_OVERHEAD ? ST_INVALID : ST_DENIED);
	buf_byte(&sealed, 'x');
	assert_int_equal(open(&key, SPAN("id"), buf_span(&sealed)), ST_DENIED);
}

static void other_texts_are_not_of_the_form(void **state)
{
	static const char *const bad[] = {
		"", "\1", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhki",
		"\2 the next version of the form, long enough for a nonce"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(open(&key, SPAN("id"), span_of(bad[i])),
		                 ST_INVALID);
	assert_int_equal(open(&key, SPAN("id"), SPAN_NONE), ST_INVALID);
}

static void a_buffer_that_is_too_small_is_no_other_fault(void **state)
{
	CLEANUP(buf_free) struct buf sealed = BUF(TEXT_MAX), small = BUF(4);

	(void)state;
	assert_int_equal(seal_close(&key, SPAN("id"), SPAN("plain"), &small),
	                 ST_TOO_LARGE);
	buf_clear(&small);
	close(SPAN("plain"), &sealed);
	assert_int_equal(seal_open(&key, SPAN("id"), buf_span(&sealed), &small),
	                 ST_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sealed_text_opens_unchanged),
		cmocka_unit_test(the_form_is_version_1),
		cmocka_unit_test(the_same_text_is_never_sealed_alike),
		cmocka_unit_test(another_key_or_owner_opens_nothing),
		cmocka_unit_test(every_changed_byte_is_found),
		cmocka_unit_test(every_other_length_is_found),
		cmocka_unit_test(other_texts_are_not_of_the_form),
		cmocka_unit_test(a_buffer_that_is_too_small_is_no_other_fault),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
