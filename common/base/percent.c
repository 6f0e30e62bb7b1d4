#include "common/base/percent.h"

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool percent_decode(struct span raw, bool plus_is_blank, char *out,
                    size_t *ret_len)
{
	size_t len = 0;

	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.data[i];

		if (c == '%') {
			bool whole = raw.len - i > 2;
			int high = whole ? hex_digit(raw.data[i + 1]) : -1;
			int low = whole ? hex_digit(raw.data[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		out[len++] = c;
	}
	*ret_len = len;
	return true;
}
