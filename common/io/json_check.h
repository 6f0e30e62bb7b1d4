/*
 * json_check - is this text one JSON object, strictly (RFC 8259), within
 * limits? Builds nothing. Duplicate member names are not looked for here.
 */
#ifndef PARLEY_IO_JSON_CHECK_H
#define PARLEY_IO_JSON_CHECK_H

#include "common/base/span.h"

#include <stdbool.h>

/* For each number, in the order of the text: is it a whole one, exactly? */
struct json_numbers {
	bool *whole;
	unsigned max; /* more are not noted: at least members_max */
	unsigned count;
};

/* NULL when it is, else a constant text that says what is wrong. */
const char *json_check(struct span text, unsigned depth_max,
                       unsigned members_max, struct json_numbers *ret_numbers);

#endif
