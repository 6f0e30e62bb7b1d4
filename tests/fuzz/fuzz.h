/*
 * fuzz - shared by the harnesses: must() ends the run when a promise is broken.
 */
#ifndef PARLEY_TESTS_FUZZ_H
#define PARLEY_TESTS_FUZZ_H

#include "common/base/span.h"
#include "common/io/json.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(promise) \
	do { \
		if (!(promise)) { \
			(void)fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, \
			              __LINE__, #promise); \
			abort(); \
		} \
	} while (0)

/* Text that Parley wrote must parse. */
static inline void must_be_json(struct span text)
{
	struct json *json = NULL;
	const char *why = "";
	enum status status = json_parse(text, &json, &why);

	if (status != ST_OK)
		(void)fprintf(stderr, "%s: %.*s\n", why, (int)text.len,
		              text.data);
	must(status == ST_OK);
	json_destroy(&json);
}

#endif
