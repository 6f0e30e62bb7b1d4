#include "common/base/cookie.h"

unsigned cookie_find(struct span header, struct span name,
                     struct span *ret_value)
{
	unsigned count = 0;

	while (header.len) {
		struct span cookie = span_cut(header, ';', &header);
		struct span value;

		/* Browsers send a cookie without a name without its "=". */
		if (!memchr(cookie.data, '=', cookie.len) ||
		    !span_equal(span_trim(span_cut(cookie, '=', &value)), name))
			continue;
		if (count++ == 0)
			*ret_value = span_trim(value);
	}
	return count;
}
