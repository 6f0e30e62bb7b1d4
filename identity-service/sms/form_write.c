#include "identity-service/sms/form_write.h"

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '*' || c == '-' || c == '.' ||
	       c == '_';
}

static void write_escaped(struct buf *form, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_plain(text.data[i]))
			buf_byte(form, text.data[i]);
		else if (text.data[i] == ' ')
			buf_byte(form, '+');
		else
			buf_format(form, "%%%02X", (unsigned char)text.data[i]);
	}
}

void form_write(struct buf *form, const char *name, struct span value)
{
	if (form->len)
		buf_byte(form, '&');
	write_escaped(form, span_of(name));
	buf_byte(form, '=');
	write_escaped(form, value);
}
