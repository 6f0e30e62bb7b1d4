/*
 * Any bytes as a name, a reaction, a password and a search: what is accepted
 * keeps the rules, a key does not change when it is made again, and a name that
 * is taken is found under its key.
 */
#include "common/base/utf8.h"
#include "common/io/unicode.h"
#include "common/wire/name.h"
#include "common/wire/reaction.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 64 * 1024, BYTES_MAX = 4096 };

static void check_stable(struct span key)
{
	struct buf again CLEANUP(buf_free) = BUF(TEXT_MAX);

	must(unicode_key(key, &again) == ST_OK);
	must(span_equal(buf_span(&again), key));
}

/* The search key of a text is that of its key. */
static void check_search(struct span text, struct span key)
{
	struct buf of_text CLEANUP(buf_free) = BUF(TEXT_MAX);
	struct buf of_key CLEANUP(buf_free) = BUF(TEXT_MAX);

	must(unicode_search_key(text, &of_text) == ST_OK);
	must(unicode_search_key(key, &of_key) == ST_OK);
	must(span_equal(buf_span(&of_text), buf_span(&of_key)));
	must(utf8_valid(buf_span(&of_text)));
}

static void check_key(struct span text)
{
	struct buf key CLEANUP(buf_free) = BUF(TEXT_MAX);

	must(unicode_key(text, &key) == ST_OK);
	must(utf8_valid(buf_span(&key)));
	check_stable(buf_span(&key));
	check_search(text, buf_span(&key));
}

static void check_name(struct span text)
{
	struct buf name CLEANUP(buf_free) = BUF(NAME_MAX_BYTES);
	struct buf again CLEANUP(buf_free) = BUF(NAME_MAX_BYTES);
	struct buf key CLEANUP(buf_free) = BUF(NAME_KEY_MAX);
	struct name_keys keys CLEANUP(name_keys_free) = {0};

	if (name_read(text, &name))
		return;
	must(!buf_overflowed(&name) && name.len > 0);
	must(utf8_count(buf_span(&name)) <= NAME_MAX_POINTS);
	must(!name_read(buf_span(&name), &again));
	must(span_equal(buf_span(&again), buf_span(&name)));
	must(name_key(buf_span(&name), &key) == ST_OK && key.len > 0);
	must(!name_keys_read(text, &keys));
	must(span_equal(buf_span(&keys.key), buf_span(&key)));
}

static void check_reaction(struct span text)
{
	if (!reaction_fits(text))
		return;
	must(text.len >= 1 && text.len <= REACTION_MAX);
	must(utf8_valid(text));
	must(reaction_is_stored(text));
}

static void check_password(struct span text)
{
	struct buf once CLEANUP(buf_free) = BUF(TEXT_MAX);
	struct buf twice CLEANUP(buf_free) = BUF(TEXT_MAX);

	must(unicode_opaque(text, &once) == ST_OK);
	must(unicode_opaque(buf_span(&once), &twice) == ST_OK);
	must(span_equal(buf_span(&once), buf_span(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make(data, size);

	check_name(text);
	check_reaction(text);
	if (size > BYTES_MAX || !utf8_valid(text))
		return 0;
	check_key(text);
	check_password(text);
	return 0;
}
