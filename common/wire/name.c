#include "common/wire/name.h"

#include "common/base/utf8.h"
#include "common/io/casefold.h"

/* Unicode does not add code points to White_Space. PropList.txt */
bool name_is_space(uint32_t point)
{
	return point == ' ' || (point >= 0x09 && point <= 0x0d) ||
	       point == 0x85 || point == 0xa0 || point == 0x1680 ||
	       (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
	       point == 0x2029 || point == 0x202f || point == 0x205f ||
	       point == 0x3000;
}

const char *name_fault(struct span name)
{
	size_t at = 0;
	uint32_t point = 0;

	if (!utf8_valid(name))
		return "name is not UTF-8";
	if (name.len == 0 || utf8_count(name) > NAME_MAX_POINTS)
		return "name must have 1 to 64 characters";
	while (at < name.len) {
		bool first = at == 0;

		point = utf8_next(name, &at);
		if (utf8_is_control(point))
			return "name must not have control characters";
		if (first && name_is_space(point))
			return "name must not begin with a space";
	}
	return name_is_space(point) ? "name must not end with a space" : NULL;
}

bool name_key(struct span name, struct buf *ret_key, const char **ret_detail)
{
	*ret_detail = name_fault(name);
	if (!*ret_detail && casefold(name, ret_key) != ST_OK)
		*ret_detail = "name cannot be case-folded";
	return !*ret_detail;
}
