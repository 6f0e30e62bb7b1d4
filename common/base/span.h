/*
 * span - a borrowed range of bytes, not NUL-terminated.
 */
#ifndef PARLEY_BASE_SPAN_H
#define PARLEY_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *data;
	size_t len;
};

#define SPAN_NONE ((struct span){NULL, 0})
/* A string literal as a span. */
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})

static inline struct span span_of(const char *text)
{
	return (struct span){text, text ? strlen(text) : 0};
}

static inline struct span span_make(const void *data, size_t len)
{
	return (struct span){data, len};
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.data, b.data, a.len));
}

/* Compares ASCII letters without regard to case. */
bool span_equal_nocase(struct span a, struct span b);
bool span_starts(struct span s, struct span prefix);
/* Removes blanks and tabs at both ends. */
struct span span_trim(struct span s);
/*
 * The bytes before the first `separator`; *rest starts after it. Without a
 * separator: all of `s`, and *rest is empty.
 */
struct span span_cut(struct span s, char separator, struct span *rest);
/* Decimal digits only, no sign, no leading zero, at most `max`. */
bool span_to_u64(struct span s, uint64_t max, uint64_t *ret_number);

#endif
