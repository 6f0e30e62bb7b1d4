/*
 * sql_value - one value of a row: a parameter of a statement, or a column of
 * a result.
 *
 * Ownership  a value borrows its bytes.
 */
#ifndef PARLEY_IO_SQL_VALUE_H
#define PARLEY_IO_SQL_VALUE_H

#include "common/base/span.h"

#include <stdint.h>

struct sql_value {
	enum { SQL_NULL, SQL_NUMBER, SQL_BYTES } kind;
	uint64_t number;
	struct span bytes;
};

static inline struct sql_value sql_number(uint64_t number)
{
	return (struct sql_value){.kind = SQL_NUMBER, .number = number};
}

static inline struct sql_value sql_bytes(struct span bytes)
{
	return (struct sql_value){.kind = SQL_BYTES, .bytes = bytes};
}

#endif
