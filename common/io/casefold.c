#include "common/io/casefold.h"
#include "common/base/utf8.h"

#include <stdlib.h>
#include <unicase.h>

enum status casefold(struct span text, struct buf *ret_folded)
{
	size_t len = 0;
	uint8_t *folded;

	if (text.len == 0)
		return ST_OK;
	/* The library copies bytes that it cannot decode. */
	if (!utf8_valid(text))
		return ST_INVALID;
	folded = u8_casefold((const uint8_t *)text.data, text.len, NULL, NULL,
	                     NULL, &len);
	if (!folded)
		return ST_INVALID;
	buf_append(ret_folded, span_make(folded, len));
	free(folded);
	return buf_overflowed(ret_folded) ? ST_INVALID : ST_OK;
}
