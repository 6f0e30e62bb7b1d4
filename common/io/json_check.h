/*
 * json_check - checks that a text is one JSON object (RFC 8259) within limits.
 * It allocates nothing and does not look for duplicate member names.
 */
#ifndef PARLEY_IO_JSON_CHECK_H
#define PARLEY_IO_JSON_CHECK_H

#include "common/base/span.h"

#include <stdbool.h>

/* For each number, in the order of the text: whether it is exactly whole. */
struct json_numbers {
	bool *whole;
	unsigned max; /* room in `whole`; at least members_max */
	unsigned count;
};

/* NULL, or a constant text that names the fault. */
const char *json_check(struct span text, unsigned depth_max,
                       unsigned members_max, struct json_numbers *ret_numbers);

#endif
