#include "common/base/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz"
			       "0123456789-_";

void base64url_encode(struct span bytes, struct buf *out)
{
	unsigned bits = 0, bit_count = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		bits = (bits << 8 | (unsigned char)bytes.data[i]) & 0x3fff;
		bit_count += 8;
		while (bit_count >= 6) {
			bit_count -= 6;
			buf_byte(out, alphabet[bits >> bit_count & 63]);
		}
	}
	if (bit_count)
		buf_byte(out, alphabet[bits << (6 - bit_count) & 63]);
}

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

bool base64url_decode(struct span text, struct buf *out)
{
	unsigned bits = 0, bit_count = 0;

	for (size_t i = 0; i < text.len; i++) {
		int digit = digit_of(text.data[i]);

		if (digit < 0)
			return false;
		bits = (bits << 6 | (unsigned)digit) & 0xffff;
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			buf_byte(out, (char)(bits >> bit_count));
		}
	}
	return bit_count < 6 && (bits & ((1u << bit_count) - 1)) == 0 &&
	       !buf_overflowed(out);
}
