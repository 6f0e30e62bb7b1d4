/*
 * uuid - 128-bit identifiers, RFC 9562.
 */
#ifndef PARLEY_BASE_UUID_H
#define PARLEY_BASE_UUID_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { UUID_TEXT_LEN = 36 };

struct uuid {
	uint8_t byte[16];
};

/* The 16 bytes, as the database stores them. */
static inline struct span uuid_span(const struct uuid *uuid)
{
	return span_make(uuid->byte, sizeof(uuid->byte));
}

/* Accepts 8-4-4-4-12 hexadecimal digits of any version, in either case. */
bool uuid_parse(struct span text, struct uuid *ret_uuid);
/* Lower case; `text` has room for UUID_TEXT_LEN + 1. */
void uuid_format(const struct uuid *uuid, char *text);
/* Version 7: ordered by time, so that new rows are close in an index. */
void uuid_make(struct uuid *ret_uuid);

#endif
