#include "common/base/json_write.h"
#include "common/base/clock.h"

#include <math.h>

/* False for the characters that RFC 8259 escapes, and for DEL. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

static void escape(struct buf *buf, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	const char code[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
	const char letter[] = {'\\', c == '\n' ? 'n' : (char)c};

	if (c == '"' || c == '\\' || c == '\n')
		buf_append(buf, span_make(letter, sizeof(letter)));
	else
		buf_append(buf, span_make(code, sizeof(code)));
}

static void quoted(struct buf *buf, struct span text)
{
	size_t from = 0, i = 0;

	buf_byte(buf, '"');
	for (;;) {
		while (i < text.len && is_plain((unsigned char)text.data[i]))
			i++;
		if (i > from)
			buf_append(buf, span_make(text.data + from, i - from));
		if (i == text.len)
			break;
		escape(buf, (unsigned char)text.data[i++]);
		from = i;
	}
	buf_byte(buf, '"');
}

/* Writes the comma and the name before a value. */
static void before(struct json_writer *w, const char *name)
{
	if (w->comma)
		buf_byte(w->buf, ',');
	w->comma = true;
	if (!name)
		return;
	buf_byte(w->buf, '"');
	buf_append(w->buf, span_of(name));
	buf_append(w->buf, SPAN("\":"));
}

void json_open(struct json_writer *w)
{
	json_open_object(w, NULL);
}

void json_open_object(struct json_writer *w, const char *name)
{
	before(w, name);
	buf_byte(w->buf, '{');
	w->comma = false;
}

void json_close(struct json_writer *w)
{
	buf_byte(w->buf, '}');
	w->comma = true;
}

void json_open_array(struct json_writer *w, const char *name)
{
	before(w, name);
	buf_byte(w->buf, '[');
	w->comma = false;
}

void json_close_array(struct json_writer *w)
{
	buf_byte(w->buf, ']');
	w->comma = true;
}

void json_text(struct json_writer *w, const char *name, struct span text)
{
	before(w, name);
	quoted(w->buf, text);
}

void json_number(struct json_writer *w, const char *name, uint64_t number)
{
	before(w, name);
	buf_number(w->buf, number);
}

void json_signed(struct json_writer *w, const char *name, int64_t number)
{
	before(w, name);
	if (number < 0)
		buf_byte(w->buf, '-');
	buf_number(w->buf,
	           number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void json_double(struct json_writer *w, const char *name, double number)
{
	before(w, name);
	if (isfinite(number))
		buf_format(w->buf, "%.6g", number);
	else
		buf_append(w->buf, SPAN("null"));
}

void json_bool(struct json_writer *w, const char *name, bool yes)
{
	before(w, name);
	buf_append(w->buf, yes ? SPAN("true") : SPAN("false"));
}

void json_null(struct json_writer *w, const char *name)
{
	before(w, name);
	buf_append(w->buf, SPAN("null"));
}

void json_time(struct json_writer *w, const char *name, uint64_t unix_ms)
{
	char text[CLOCK_TEXT_LEN + 1];

	clock_format(unix_ms, text);
	json_text(w, name, span_make(text, CLOCK_TEXT_LEN));
}

void json_raw(struct json_writer *w, const char *name, struct span json)
{
	before(w, name);
	buf_append(w->buf, json);
}
