#include "common/base/span.h"

#include <strings.h>

bool span_equal_nocase(struct span a, struct span b)
{
	return a.len == b.len &&
	       (a.len == 0 || !strncasecmp(a.data, b.data, a.len));
}

bool span_starts(struct span s, struct span prefix)
{
	return s.len >= prefix.len &&
	       span_equal(span_make(s.data, prefix.len), prefix);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
	while (s.len && blank(s.data[0])) {
		s.data++;
		s.len--;
	}
	while (s.len && blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

struct span span_cut(struct span s, char separator, struct span *rest)
{
	const char *at = s.len ? memchr(s.data, separator, s.len) : NULL;

	if (!at) {
		*rest = s.len ? span_make(s.data + s.len, 0) : s;
		return s;
	}
	*rest = span_make(at + 1, s.len - (size_t)(at + 1 - s.data));
	return span_make(s.data, (size_t)(at - s.data));
}

bool span_to_u64(struct span s, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (s.len == 0 || (s.len > 1 && s.data[0] == '0'))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.data[i] - (unsigned)'0';

		if (digit > 9 || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return number <= max;
}
