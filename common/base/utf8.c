#include "common/base/utf8.h"

/* The bytes that must follow a first byte; need 0: it cannot be a first byte.
 */
static struct utf8 after(unsigned char first)
{
	if (first >= 0xc2 && first <= 0xdf)
		return (struct utf8){1, 0x80, 0xbf};
	if (first == 0xe0)
		return (struct utf8){2, 0xa0, 0xbf};
	if (first == 0xed)
		return (struct utf8){2, 0x80, 0x9f};
	if (first >= 0xe1 && first <= 0xef)
		return (struct utf8){2, 0x80, 0xbf};
	if (first == 0xf0)
		return (struct utf8){3, 0x90, 0xbf};
	if (first >= 0xf1 && first <= 0xf3)
		return (struct utf8){3, 0x80, 0xbf};
	if (first == 0xf4)
		return (struct utf8){3, 0x80, 0x8f};
	return (struct utf8){0, 0, 0};
}

/* Most messages are ASCII: reads eight bytes at a time. */
static size_t skip_ascii(struct span bytes, size_t at)
{
	uint64_t eight;

	while (bytes.len - at >= sizeof(eight)) {
		memcpy(&eight, bytes.data + at, sizeof(eight));
		if (eight & 0x8080808080808080u)
			break;
		at += sizeof(eight);
	}
	return at;
}

bool utf8_feed(struct utf8 *state, struct span bytes)
{
	for (size_t at = 0; at < bytes.len; at++) {
		unsigned char c;

		if (state->need == 0) {
			at = skip_ascii(bytes, at);
			if (at == bytes.len)
				return true;
		}
		c = (unsigned char)bytes.data[at];
		if (state->need) {
			if (c < state->low || c > state->high)
				return false;
			*state = (struct utf8){(uint8_t)(state->need - 1), 0x80,
			                       0xbf};
		} else if (c >= 0x80) {
			*state = after(c);
			if (state->need == 0)
				return false;
		}
	}
	return true;
}

bool utf8_valid(struct span text)
{
	struct utf8 state = {0};

	return utf8_feed(&state, text) && utf8_complete(&state);
}

uint32_t utf8_next(struct span text, size_t *at)
{
	unsigned char first = (unsigned char)text.data[(*at)++];
	unsigned need = after(first).need;
	uint32_t point = need ? first & (0x3fu >> need) : first;

	while (need-- && *at < text.len)
		point = point << 6 | ((unsigned char)text.data[(*at)++] & 0x3f);
	return point;
}

size_t utf8_count(struct span valid_text)
{
	size_t count = 0;

	for (size_t i = 0; i < valid_text.len; i++)
		count += ((unsigned char)valid_text.data[i] & 0xc0) != 0x80;
	return count;
}
