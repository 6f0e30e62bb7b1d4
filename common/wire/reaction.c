#include "common/wire/reaction.h"

#include "common/base/utf8.h"
#include "common/io/unicode.h"

bool reaction_fits(struct span reaction)
{
	unsigned contents;

	if (reaction.len == 0 || reaction.len > REACTION_MAX ||
	    !utf8_valid(reaction))
		return false;
	contents = unicode_contents(reaction);
	if (!(contents & (UNICODE_VISIBLE | UNICODE_PRIVATE)) ||
	    contents & (UNICODE_CONTROL | UNICODE_BIDI_CONTROL |
	                UNICODE_IGNORABLE | UNICODE_SPACE))
		return false;
	return !(contents & UNICODE_NOT_WORD) ||
	       unicode_is_one_cluster(reaction);
}

bool reaction_is_stored(struct span reaction)
{
	size_t at = 0;

	if (reaction.len == 0 || reaction.len > REACTION_MAX ||
	    !utf8_valid(reaction))
		return false;
	while (at < reaction.len) {
		uint32_t point = utf8_next(reaction, &at);

		if (point == ' ' || utf8_is_control(point))
			return false;
	}
	return true;
}
