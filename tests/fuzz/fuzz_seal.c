/*
 * Any sealed text: none opens that was not closed with the key. Any text that
 * is closed opens unchanged, and not after a change of one byte, which the
 * first byte of the input chooses.
 */
#include "common/base/scope.h"
#include "common/io/seal.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 1 << 20 };

static struct seal_key key;

static void check_any(struct span sealed)
{
	struct buf plain CLEANUP(buf_free) = BUF(TEXT_MAX);
	enum status status = seal_open(&key, SPAN("fuzz"), sealed, &plain);

	must(status == ST_INVALID || status == ST_DENIED);
	must(plain.len == 0);
}

static void check_own(struct span text, size_t changed)
{
	struct buf sealed CLEANUP(buf_free) = BUF(TEXT_MAX + SEAL_OVERHEAD);
	struct buf plain CLEANUP(buf_free) = BUF(TEXT_MAX);

	must(seal_close(&key, SPAN("fuzz"), text, &sealed) == ST_OK);
	must(seal_open(&key, SPAN("fuzz"), buf_span(&sealed), &plain) == ST_OK);
	must(span_equal(buf_span(&plain), text));
	sealed.data[changed % sealed.len] ^= 1;
	check_any(buf_span(&sealed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > TEXT_MAX)
		return 0;
	seal_key_derive(SPAN("secret"), SPAN("fuzz"), &key);
	check_any(span_make(data, size));
	check_own(span_make(data, size), data[0]);
	return 0;
}
