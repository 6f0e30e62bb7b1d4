#include "client-test/client/upgrade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* The key and its answer are those of RFC 6455 1.3. */
static const struct upgrade sample = {"dGhlIHNhbXBsZSBub25jZQ=="};

#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define ANSWER(upgrade_, connection_, accept_) \
	"HTTP/1.1 101 Switching Protocols\r\n" \
	"upgrade: " upgrade_ "\r\nConnection: " connection_ "\r\n" \
	"Sec-WebSocket-Accept: " accept_ "\r\n\r\n"

static enum upgrade_result read_text(const char *text, size_t *ret_len,
                                     unsigned *ret_http)
{
	return upgrade_read(&sample, span_of(text), ret_len, ret_http);
}

static void a_right_answer_opens(void **state)
{
	const char *text = ANSWER("WebSocket", "Upgrade", ACCEPT) "frames";
	unsigned http;
	size_t len;

	(void)state;
	assert_int_equal(read_text(text, &len, &http), UPGRADE_OPEN);
	assert_string_equal(text + len, "frames");
}

static void an_answer_may_arrive_in_pieces(void **state)
{
	struct span answer = SPAN(ANSWER("websocket", "Upgrade", ACCEPT));
	unsigned http;
	size_t len;

	(void)state;
	for (size_t i = 0; i < answer.len; i++)
		assert_int_equal(upgrade_read(&sample,
		                              span_make(answer.data, i), &len,
		                              &http),
		                 UPGRADE_MORE);
	assert_int_equal(upgrade_read(&sample, answer, &len, &http),
	                 UPGRADE_OPEN);
}

static void a_refusal_has_its_code(void **state)
{
	unsigned http;
	size_t len;

	(void)state;
	assert_int_equal(
		read_text("HTTP/1.1 401 Unauthorized\r\n\r\n", &len, &http),
		UPGRADE_REFUSED);
	assert_int_equal(http, 401);
}

static void a_wrong_answer_is_broken(void **state)
{
	static const char *const texts[] = {
		ANSWER("h2c", "Upgrade", ACCEPT),
		ANSWER("websocket", "close", ACCEPT),
		ANSWER("websocket", "Upgrade", "s3pPLMBiTxaQ9kYGzzhZRbK+xOp="),
		ANSWER("websocket", "Upgrade", "S3PPLMBITXAQ9KYGZZHZRBK+XOO="),
		ANSWER("websocket", "Upgrade", ""),
		"HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"HTTP/1.0 101 Switching Protocols\r\n\r\n",
		"HTTP/1.1 1x1 What\r\n\r\n",
		"SSH-2.0-OpenSSH\r\n\r\n",
	};
	unsigned http;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(read_text(texts[i], &len, &http),
		                 UPGRADE_BROKEN);
}

static void an_endless_answer_is_broken(void **state)
{
	static char endless[UPGRADE_ANSWER_MAX];
	unsigned http;
	size_t len;

	(void)state;
	memset(endless, 'a', sizeof(endless));
	assert_int_equal(upgrade_read(&sample,
	                              span_make(endless, sizeof(endless)), &len,
	                              &http),
	                 UPGRADE_BROKEN);
}

static void every_request_has_a_key_of_its_own(void **state)
{
	struct buf request CLEANUP(buf_free) = BUF(4096);
	struct upgrade one, two;

	(void)state;
	upgrade_request(&one, "chat.example", SPAN("abc"), &request);
	upgrade_request(&two, "chat.example", SPAN("abc"), &request);
	assert_string_not_equal(one.key, two.key);
	assert_non_null(strstr(buf_text(&request), one.key));
	assert_non_null(strstr(buf_text(&request),
	                       "\r\nAuthorization: Bearer abc\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_answer_opens),
		cmocka_unit_test(an_answer_may_arrive_in_pieces),
		cmocka_unit_test(a_refusal_has_its_code),
		cmocka_unit_test(a_wrong_answer_is_broken),
		cmocka_unit_test(an_endless_answer_is_broken),
		cmocka_unit_test(every_request_has_a_key_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
