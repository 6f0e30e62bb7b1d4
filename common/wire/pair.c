#include "common/wire/pair.h"

#include "common/io/json.h"

bool pair_read(struct span key, struct pair *ret_pair)
{
	struct span rest, high;
	struct span kind = span_cut(key, ':', &rest);
	struct span low = span_cut(rest, ':', &high);

	return span_equal(kind, SPAN("d")) &&
	       span_to_u64(low, JSON_ID_MAX, &ret_pair->low) &&
	       span_to_u64(high, JSON_ID_MAX, &ret_pair->high);
}
