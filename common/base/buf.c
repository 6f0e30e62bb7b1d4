#include "common/base/buf.h"
#include "common/base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void buf_free(struct buf *buf)
{
	mem_free(&buf->data);
	buf->len = 0;
	buf->capacity = 0;
	buf->overflowed = false;
}

void buf_wipe(struct buf *buf)
{
	if (buf->data)
		mem_wipe(buf->data, buf->capacity);
	buf_free(buf);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->overflowed = false;
}

/* Keeps one more byte free, so that buf_text() never has to grow. */
static bool reserve(struct buf *buf, size_t bytes)
{
	size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;

	if (buf->overflowed || bytes > buf->max - buf->len) {
		buf->overflowed = true;
		return false;
	}
	if (buf->capacity > buf->len + bytes)
		return true;
	while (capacity <= buf->len + bytes)
		capacity *= 2;
	buf->data = mem_resize(buf->data, capacity);
	buf->capacity = capacity;
	return true;
}

char *buf_space(struct buf *buf, size_t bytes)
{
	return reserve(buf, bytes) ? buf->data + buf->len : NULL;
}

void buf_grew(struct buf *buf, size_t bytes)
{
	assert(buf->len + bytes < buf->capacity);
	buf->len += bytes;
}

void buf_append(struct buf *buf, struct span bytes)
{
	if (bytes.len == 0 || !reserve(buf, bytes.len))
		return;
	memcpy(buf->data + buf->len, bytes.data, bytes.len);
	buf->len += bytes.len;
}

void buf_byte(struct buf *buf, char byte)
{
	if (reserve(buf, 1))
		buf->data[buf->len++] = byte;
}

void buf_number(struct buf *buf, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	buf_append(buf, span_make(digits + at, sizeof(digits) - at));
}

void buf_format(struct buf *buf, const char *format, ...)
{
	va_list args;
	int need;

	va_start(args, format);
	need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (need < 0 || !reserve(buf, (size_t)need))
		return;
	va_start(args, format);
	(void)vsnprintf(buf->data + buf->len, (size_t)need + 1, format, args);
	va_end(args);
	buf->len += (size_t)need;
}

void buf_trim(struct buf *buf)
{
	if (!buf->data || buf->capacity == buf->len + 1)
		return;
	buf->data = mem_resize(buf->data, buf->len + 1);
	buf->capacity = buf->len + 1;
}

void buf_consume(struct buf *buf, size_t bytes)
{
	assert(bytes <= buf->len);
	buf->len -= bytes;
	if (buf->len)
		memmove(buf->data, buf->data + bytes, buf->len);
}

const char *buf_text(struct buf *buf)
{
	if (!buf->data) {
		buf->data = mem_resize(NULL, FIRST_CAPACITY);
		buf->capacity = FIRST_CAPACITY;
	}
	buf->data[buf->len] = '\0';
	return buf->data;
}
