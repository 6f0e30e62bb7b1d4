#include "client-test/client/address.h"
#include "common/base/span.h"

#include <stdint.h>
#include <stdio.h>

static bool copy(char *to, size_t size, struct span text)
{
	if (text.len == 0 || text.len >= size)
		return false;
	memcpy(to, text.data, text.len);
	to[text.len] = '\0';
	return true;
}

bool address_parse(const char *url, struct address *ret_address)
{
	const struct span scheme = SPAN("http://");
	struct span rest = span_of(url);
	struct span port;
	uint64_t number = 80;

	if (!span_starts(rest, scheme))
		return false;
	rest = span_of(url + scheme.len);
	if (rest.len && rest.data[rest.len - 1] == '/')
		rest.len--;
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.data[i] <= ' ' || strchr("/?#@[]", rest.data[i]))
			return false;
	}
	if (!copy(ret_address->authority, sizeof(ret_address->authority), rest))
		return false;
	if (!copy(ret_address->host, sizeof(ret_address->host),
	          span_cut(rest, ':', &port)))
		return false;
	if (memchr(rest.data, ':', rest.len) &&
	    (!span_to_u64(port, 65535, &number) || number == 0))
		return false;
	(void)snprintf(ret_address->port, sizeof(ret_address->port), "%u",
	               (unsigned)number);
	return true;
}
