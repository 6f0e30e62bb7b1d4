/*
 * buf - a byte buffer that grows up to a maximum.
 *
 * The first append that would cross `max` marks the buffer as overflowed and
 * drops those bytes and all later ones. Check buf_overflowed() once at the end
 * instead of after every call. buf_clear() empties the buffer and keeps its
 * memory.
 *
 * Ownership  the owner of the struct owns the bytes; buf_free() accepts a
 *            zeroed struct.
 */
#ifndef PARLEY_BASE_BUF_H
#define PARLEY_BASE_BUF_H

#include "common/base/scope.h"
#include "common/base/span.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len;
	size_t capacity;
	size_t max;
	bool overflowed;
};

#define BUF(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_free(struct buf *buf);
/* The same, after overwriting the bytes: for secrets. */
void buf_wipe(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_append(struct buf *buf, struct span bytes);
void buf_byte(struct buf *buf, char byte);
void buf_number(struct buf *buf, uint64_t number); /* decimal */
void buf_format(struct buf *buf, const char *format, ...) PRINTF(2, 3);
/*
 * Room for `bytes` more at the end, to be followed by buf_grew(); NULL on
 * overflow.
 */
char *buf_space(struct buf *buf, size_t bytes);
void buf_grew(struct buf *buf, size_t bytes);
/* Gives back the memory beyond the bytes and one more. */
void buf_trim(struct buf *buf);
/* Drops `bytes` from the front. */
void buf_consume(struct buf *buf, size_t bytes);
/* The bytes and a NUL that `len` does not count; valid until the next append.
 */
const char *buf_text(struct buf *buf);

static inline struct span buf_span(const struct buf *buf)
{
	return (struct span){buf->data, buf->len};
}

static inline bool buf_overflowed(const struct buf *buf)
{
	return buf->overflowed;
}

#endif
