#include "client-test/cli/terminal.h"
#include "common/base/utf8.h"

#include <stdio.h>
#include <time.h>

void terminal_text(struct buf *out, struct span text, unsigned indent)
{
	size_t at = 0;

	while (at < text.len) {
		size_t from = at;
		uint32_t point = utf8_next(text, &at);

		if (point == '\n')
			buf_format(out, "\n%*s", (int)indent, "");
		else if (point == '\t')
			buf_byte(out, ' ');
		else if (utf8_is_control(point))
			buf_append(out, SPAN("\xef\xbf\xbd")); /* U+FFFD */
		else
			buf_append(out, span_make(text.data + from, at - from));
	}
}

void terminal_clock(struct buf *out, uint64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	char text[16] = "";
	struct tm local;

	if (localtime_r(&seconds, &local))
		(void)strftime(text, sizeof(text), "%H:%M:%S", &local);
	buf_append(out, span_of(text));
}

void terminal_offline(void *context, const char *why, uint64_t retry_ms)
{
	(void)context;
	(void)fprintf(stderr, "-- offline: %s; again in %llu ms\n", why,
	              (unsigned long long)retry_ms);
}

void terminal_denied(enum status status, struct span why)
{
	(void)fprintf(stderr, "can't sign in: %s: %.*s\n", status_text(status),
	              (int)why.len, why.len ? why.data : "");
}

void terminal_bad_url(const char *url)
{
	(void)fprintf(stderr, "%s is no http://host:port\n", url);
}
