#include "common/io/unicode.h"

#include "common/base/emoji.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <unigbrk.h>
#include <uninorm.h>
#include <unistr.h>

enum {
	JOINER = 0x200d,
	NON_JOINER = 0x200c,
	VIRAMA = 9, /* a combining class */
	/* Each round only takes variants away; real text needs two. */
	KEY_ROUNDS_MAX = 8,
	/* U+FDFA grows most: from 3 bytes to 33. */
	GROWTH_MAX = 11,
	CLUSTER_MAX = 256, /* bytes */
};

/* --- transformations ------------------------------------------------------ */
/* Takes `bytes` of the library; NULL: out of memory or a bug. */
static enum status take(uint8_t *bytes, size_t len, struct buf *ret_text)
{
	if (!bytes)
		return ST_INVALID;
	buf_append(ret_text, span_make(bytes, len));
	mem_wipe(bytes, len); /* it may be a password */
	free(bytes);
	return buf_overflowed(ret_text) ? ST_INVALID : ST_OK;
}

static enum status normalize(uninorm_t form, struct span text,
                             struct buf *ret_text)
{
	size_t len = 0;
	uint8_t *bytes;

	if (text.len == 0)
		return ST_OK;
	if (!utf8_valid(text))
		return ST_INVALID;
	bytes = u8_normalize(form, (const uint8_t *)text.data, text.len, NULL,
	                     &len);
	return take(bytes, len, ret_text);
}

static enum status fold(struct span text, struct buf *ret_text)
{
	size_t len = 0;
	uint8_t *bytes;

	if (text.len == 0)
		return ST_OK;
	/* The library copies bytes that it cannot decode. */
	if (!utf8_valid(text))
		return ST_INVALID;
	bytes = u8_casefold((const uint8_t *)text.data, text.len, NULL, NULL,
	                    NULL, &len);
	return take(bytes, len, ret_text);
}

static void append_point(struct buf *text, uint32_t point)
{
	uint8_t bytes[6];
	int len = u8_uctomb(bytes, (ucs4_t)point, sizeof(bytes));

	assert(len > 0);
	buf_append(text, span_make(bytes, (size_t)len));
}

static bool is_ignorable(uint32_t point)
{
	return uc_is_property(point, UC_PROPERTY_DEFAULT_IGNORABLE_CODE_POINT);
}

static enum status without_ignorable(struct span text, struct buf *ret_text)
{
	size_t at = 0;

	if (!utf8_valid(text))
		return ST_INVALID;
	while (at < text.len) {
		uint32_t point = utf8_next(text, &at);

		if (!is_ignorable(point))
			append_point(ret_text, point);
	}
	return buf_overflowed(ret_text) ? ST_INVALID : ST_OK;
}

enum status unicode_nfc(struct span text, struct buf *ret_text)
{
	return normalize(UNINORM_NFC, text, ret_text);
}

enum status unicode_casefold(struct span text, struct buf *ret_folded)
{
	return fold(text, ret_folded);
}

/* toNFKC_Casefold(NFD(text)), Unicode 3.13, D147, for decomposed text. */
static enum status key_round(struct span text, struct buf *ret_key)
{
	struct buf folded CLEANUP(buf_free) = BUF(GROWTH_MAX * text.len + 1);
	struct buf bare CLEANUP(buf_free) = BUF(GROWTH_MAX * text.len + 1);
	enum status status = fold(text, &folded);

	if (status == ST_OK)
		status = without_ignorable(buf_span(&folded), &bare);
	if (status == ST_OK)
		status = normalize(UNINORM_NFKD, buf_span(&bare), ret_key);
	return status;
}

/* The key, decomposed. */
static enum status decomposed_key(struct span text, struct buf *ret_key)
{
	struct buf next CLEANUP(buf_free) = BUF(ret_key->max);
	enum status status = normalize(UNINORM_NFD, text, ret_key);

	for (unsigned i = 0; status == ST_OK; i++) {
		buf_clear(&next);
		status = key_round(buf_span(ret_key), &next);
		if (status != ST_OK ||
		    span_equal(buf_span(ret_key), buf_span(&next)))
			break;
		if (i == KEY_ROUNDS_MAX)
			return ST_INVALID;
		buf_clear(ret_key);
		buf_append(ret_key, buf_span(&next));
	}
	return status;
}

enum status unicode_key(struct span text, struct buf *ret_key)
{
	struct buf apart CLEANUP(buf_free) = BUF(GROWTH_MAX * text.len + 1);
	enum status status = decomposed_key(text, &apart);

	return status == ST_OK ? unicode_nfc(buf_span(&apart), ret_key)
	                       : status;
}

/*
 * Combining classes of accents: strokes through a letter, the points of Hebrew,
 * Arabic and Syriac, and marks above, below and beside a letter. The others
 * make another letter: a nukta, a voiced kana, a vowel of Thai.
 */
static bool is_accent(uint32_t point)
{
	int class = uc_combining_class(point);

	return class == 1 || (class >= 10 && class <= 36) || class >= 200;
}

/* Letters with an accent that has no code point of its own. */
static uint32_t without_stroke(uint32_t point)
{
	switch (point) {
	case 0x00f8:
		return 'o';
	case 0x0111:
		return 'd';
	case 0x0127:
		return 'h';
	case 0x0131:
		return 'i';
	case 0x0142:
		return 'l';
	case 0x0167:
		return 't';
	default:
		return point;
	}
}

enum status unicode_search_key(struct span text, struct buf *ret_key)
{
	struct buf apart CLEANUP(buf_free) = BUF(GROWTH_MAX * text.len + 1);
	enum status status = decomposed_key(text, &apart);
	size_t at = 0;

	if (status != ST_OK)
		return status;
	while (at < apart.len) {
		uint32_t point = utf8_next(buf_span(&apart), &at);

		if (!is_accent(point))
			append_point(ret_key, without_stroke(point));
	}
	return buf_overflowed(ret_key) ? ST_INVALID : ST_OK;
}

static void wipe(struct buf *buf)
{
	if (buf->data)
		mem_wipe(buf->data, buf->capacity);
	buf_free(buf);
}

enum status unicode_opaque(struct span text, struct buf *ret_text)
{
	struct buf spaced CLEANUP(wipe) = BUF(text.len + 1);
	size_t at = 0;

	if (!utf8_valid(text))
		return ST_INVALID;
	(void)buf_space(&spaced, text.len);
	while (at < text.len) {
		size_t begin = at;
		uint32_t point = utf8_next(text, &at);

		if (uc_is_general_category(point, UC_SPACE_SEPARATOR))
			buf_byte(&spaced, ' ');
		else
			buf_append(&spaced,
			           span_make(text.data + begin, at - begin));
	}
	return unicode_nfc(buf_span(&spaced), ret_text);
}

/* --- contents ------------------------------------------------------------- */
bool unicode_is_space(uint32_t point)
{
	return uc_is_property(point, UC_PROPERTY_WHITE_SPACE);
}

/* U+FFF9 to U+FFFB hide what stands between them. */
static bool is_control(uint32_t point)
{
	return utf8_is_control(point) || point == 0x2028 || point == 0x2029 ||
	       (point >= 0xfff9 && point <= 0xfffb);
}

/* Symbols and letters whose glyph is blank. */
static bool is_blank(uint32_t point)
{
	return point == 0x2800 || point == 0x1d159 || point == 0x13441 ||
	       point == 0x13442;
}

static bool is_unassigned(uint32_t point)
{
	return uc_is_general_category(point, UC_UNASSIGNED);
}

static bool is_letter(uint32_t point)
{
	return uc_is_general_category(point, UC_LETTER);
}

static bool is_mark(uint32_t point)
{
	return uc_is_general_category(point, UC_MARK);
}

static bool joins_left(int type)
{
	return type == UC_JOINING_TYPE_L || type == UC_JOINING_TYPE_D;
}

static bool joins_right(int type)
{
	return type == UC_JOINING_TYPE_R || type == UC_JOINING_TYPE_D;
}

/*
 * The joiner at points[at] stands between two letters, with marks at most, that
 * either have a virama between them or join by their Joining_Type (after RFC
 * 5892, A.1 and A.2).
 */
static bool is_between_joining_letters(const uint32_t *points, size_t count,
                                       size_t at)
{
	size_t left = at, right = at + 1;
	bool virama = false;

	while (left > 0 && is_mark(points[left - 1]))
		virama |= uc_combining_class(points[--left]) == VIRAMA;
	while (right < count && is_mark(points[right]))
		virama |= uc_combining_class(points[right++]) == VIRAMA;
	if (left == 0 || right == count || !is_letter(points[left - 1]) ||
	    !is_letter(points[right]))
		return false;
	return virama || (joins_left(uc_joining_type(points[left - 1])) &&
	                  joins_right(uc_joining_type(points[right])));
}

static unsigned content_of_ignorable(const uint32_t *points, size_t count,
                                     size_t at)
{
	if ((points[at] == JOINER || points[at] == NON_JOINER) &&
	    is_between_joining_letters(points, count, at))
		return 0;
	return UNICODE_IGNORABLE | UNICODE_NOT_WORD;
}

static unsigned content_of(const uint32_t *points, size_t count, size_t at)
{
	uint32_t point = points[at];

	if (is_control(point))
		return UNICODE_CONTROL | UNICODE_NOT_WORD |
		       (unicode_is_space(point) ? UNICODE_SPACE : 0);
	if (uc_is_property(point, UC_PROPERTY_BIDI_CONTROL))
		return UNICODE_BIDI_CONTROL | UNICODE_NOT_WORD;
	if (is_unassigned(point))
		return UNICODE_UNASSIGNED | UNICODE_NOT_WORD;
	if (uc_is_general_category(point, UC_PRIVATE_USE))
		return UNICODE_PRIVATE | UNICODE_NOT_WORD;
	if (is_ignorable(point))
		return content_of_ignorable(points, count, at);
	if (unicode_is_space(point))
		return UNICODE_SPACE | UNICODE_NOT_WORD;
	if (is_blank(point))
		return UNICODE_NOT_WORD;
	if (is_letter(point) ||
	    uc_is_general_category(point, UC_DECIMAL_DIGIT_NUMBER))
		return UNICODE_VISIBLE;
	if (is_mark(point))
		return at == 0 ? UNICODE_NOT_WORD : 0;
	return UNICODE_VISIBLE | UNICODE_NOT_WORD;
}

/* A digit, # or * alone is no emoji. */
static size_t emoji_at(const uint32_t *points, size_t count, size_t at)
{
	size_t len = emoji_sequence(points + at, count - at);

	return len == 1 && points[at] < 0x80 ? 0 : len;
}

unsigned unicode_contents(struct span text)
{
	uint32_t points[UNICODE_POINTS_MAX];
	size_t count = 0, at = 0;
	unsigned contents = 0;

	while (at < text.len) {
		assert(count < UNICODE_POINTS_MAX);
		points[count++] = utf8_next(text, &at);
	}
	at = 0;
	while (at < count) {
		size_t emoji = emoji_at(points, count, at);

		if (emoji == 0)
			contents |= content_of(points, count, at++);
		else
			contents |= UNICODE_VISIBLE | UNICODE_NOT_WORD;
		/* A newer Unicode may have more emoji. */
		for (; emoji > 0 && at < count; emoji--) {
			if (is_unassigned(points[at++]))
				contents |= UNICODE_UNASSIGNED;
		}
	}
	return contents;
}

bool unicode_is_one_cluster(struct span text)
{
	char breaks[CLUSTER_MAX];
	unsigned clusters = 0;

	if (text.len == 0 || text.len > CLUSTER_MAX)
		return false;
	u8_grapheme_breaks((const uint8_t *)text.data, text.len, breaks);
	for (size_t i = 0; i < text.len; i++)
		clusters += breaks[i] == 1;
	return clusters == 1;
}
