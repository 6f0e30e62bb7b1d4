/*
 * A server's answer to the opening handshake of client-test, whole and in two
 * pieces: the split must not change the result.
 */
#include "client-test/client/upgrade.h"
#include "common/base/mem.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* The key of RFC 6455 1.3; the corpus has its answer. */
static const struct upgrade sample = {"dGhlIHNhbXBsZSBub25jZQ=="};

static enum upgrade_result read_copy(struct span text, size_t *ret_len,
                                     unsigned *ret_http)
{
	char *copy = mem_new(text.len + 1);
	enum upgrade_result result;

	if (text.len)
		memcpy(copy, text.data, text.len);
	result = upgrade_read(&sample, span_make(copy, text.len), ret_len,
	                      ret_http);
	mem_free(&copy);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make(data, size);
	size_t cut = size ? data[size - 1] % size : 0;
	size_t len = 0, part_len = 0;
	unsigned http = 0, part_http = 0;
	enum upgrade_result result = read_copy(text, &len, &http);
	enum upgrade_result part =
		read_copy(span_make(data, cut), &part_len, &part_http);

	if (result == UPGRADE_OPEN) {
		must(http == 101);
		must(len >= 4 && len <= size);
		must(!memcmp(data + len - 4, "\r\n\r\n", 4));
	}
	if (result == UPGRADE_REFUSED)
		must(http != 101 && http <= 999);
	if (result == UPGRADE_MORE)
		must(size < UPGRADE_ANSWER_MAX);
	if (part != UPGRADE_MORE) {
		must(part == result && part_http == http);
		must(part_len == len);
	}
	return 0;
}
