#include "common/wire/name.h"

#include "common/base/utf8.h"
#include "common/io/unicode.h"

/* A normal form may have fewer code points than the text, but not 16 times. */
enum { TEXT_MAX = 16 * NAME_MAX_BYTES };

static const char wrong_length[] = "name must have 1 to 64 characters";

static uint32_t last_point(struct span text)
{
	size_t at = text.len - 1;

	while (((unsigned char)text.data[at] & 0xc0) == 0x80)
		at--;
	return utf8_next(text, &at);
}

static const char *space_fault(struct span name)
{
	size_t at = 0;

	if (unicode_is_space(utf8_next(name, &at)))
		return "name must not begin with a space";
	if (unicode_is_space(last_point(name)))
		return "name must not end with a space";
	return NULL;
}

static const char *content_fault(struct span name)
{
	static const struct {
		unsigned content;
		const char *fault;
	} faults[] = {
		{UNICODE_CONTROL, "name must not have control characters"},
		{UNICODE_BIDI_CONTROL,
	         "name must not have characters that control the direction of "
	         "text"},
		{UNICODE_UNASSIGNED,
	         "name must not have unassigned code points"},
		{UNICODE_PRIVATE, "name must not have private-use characters"},
		{UNICODE_IGNORABLE, "name must not have invisible characters"},
	};
	unsigned contents = unicode_contents(name);

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		if (contents & faults[i].content)
			return faults[i].fault;
	}
	return contents & UNICODE_VISIBLE
	               ? NULL
	               : "name must have a visible character";
}

static const char *fault_of(struct span name)
{
	const char *fault;

	if (name.len == 0 || utf8_count(name) > NAME_MAX_POINTS)
		return wrong_length;
	fault = content_fault(name);
	return fault ? fault : space_fault(name);
}

const char *name_read(struct span text, struct buf *ret_name)
{
	struct buf name CLEANUP(buf_free) = BUF(3 * TEXT_MAX);
	const char *fault;

	if (!utf8_valid(text))
		return "name is not UTF-8";
	if (text.len > TEXT_MAX)
		return wrong_length;
	if (unicode_nfc(text, &name) != ST_OK)
		return "name cannot be normalised";
	fault = fault_of(buf_span(&name));
	if (!fault)
		buf_append(ret_name, buf_span(&name));
	return fault;
}

enum status name_key(struct span name, struct buf *ret_key)
{
	return unicode_key(name, ret_key);
}

/* --- looking up ----------------------------------------------------------- */
void name_keys_free(struct name_keys *keys)
{
	buf_free(&keys->key);
	buf_free(&keys->folded);
}

/* The rules that every stored name keeps. */
static const char *lookup_fault(struct span text)
{
	struct buf name CLEANUP(buf_free) = BUF(3 * TEXT_MAX);
	size_t at = 0;

	if (!utf8_valid(text))
		return "name is not UTF-8";
	if (text.len == 0 || text.len > TEXT_MAX)
		return wrong_length;
	if (unicode_nfc(text, &name) != ST_OK)
		return "name cannot be normalised";
	if (utf8_count(text) > NAME_MAX_POINTS &&
	    utf8_count(buf_span(&name)) > NAME_MAX_POINTS)
		return wrong_length;
	while (at < text.len) {
		if (utf8_is_control(utf8_next(text, &at)))
			return "name must not have control characters";
	}
	return space_fault(text);
}

const char *name_keys_read(struct span text, struct name_keys *ret_keys)
{
	struct name_keys keys = {.key = BUF(TEXT_MAX * 11),
	                         .folded = BUF(TEXT_MAX * 3)};
	const char *fault = lookup_fault(text);

	if (fault)
		return fault;
	if (unicode_key(text, &keys.key) != ST_OK ||
	    unicode_casefold(text, &keys.folded) != ST_OK) {
		name_keys_free(&keys);
		return "name cannot be normalised";
	}
	*ret_keys = keys;
	return NULL;
}
