#include "client-test/client/upgrade.h"

void upgrade_request(struct upgrade *upgrade, const char *authority,
                     struct span token, struct buf *out)
{
	websocket_key_make(upgrade->key);
	buf_format(out,
	           "GET /ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
	           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	           "Sec-WebSocket-Key: %s\r\nAuthorization: Bearer ",
	           authority, upgrade->key);
	buf_append(out, token);
	buf_append(out, SPAN("\r\n\r\n"));
}

/* The length up to and including the empty line; 0 if it has not arrived. */
static size_t head_len(struct span answer)
{
	for (size_t i = 3; i < answer.len; i++) {
		if (answer.data[i] == '\n' &&
		    !memcmp(answer.data + i - 3, "\r\n\r\n", 4))
			return i + 1;
	}
	return 0;
}

static struct span next_line(struct span *head)
{
	struct span line = span_cut(*head, '\n', head);

	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool status_line(struct span line, unsigned *ret_http)
{
	uint64_t http;

	if (!span_starts(line, SPAN("HTTP/1.1 ")) || line.len < 12 ||
	    !span_to_u64(span_make(line.data + 9, 3), 599, &http))
		return false;
	*ret_http = (unsigned)http;
	return true;
}

/*
 * True if the first header of this name has this value. Only the value of
 * Sec-WebSocket-Accept, the longest name, is case-sensitive.
 */
static bool has(struct span headers, struct span name, struct span value)
{
	while (headers.len) {
		struct span found;
		struct span line = next_line(&headers);

		if (!span_equal_nocase(span_cut(line, ':', &found), name))
			continue;
		return span_equal(span_trim(found), value) ||
		       (name.len < 12 &&
		        span_equal_nocase(span_trim(found), value));
	}
	return false;
}

enum upgrade_result upgrade_read(const struct upgrade *upgrade,
                                 struct span answer, size_t *ret_head_len,
                                 unsigned *ret_http)
{
	char accept[WEBSOCKET_ACCEPT_LEN + 1];
	size_t len = head_len(answer);
	struct span headers = span_make(answer.data, len);

	if (len == 0)
		return answer.len < UPGRADE_ANSWER_MAX ? UPGRADE_MORE
		                                       : UPGRADE_BROKEN;
	if (!status_line(next_line(&headers), ret_http))
		return UPGRADE_BROKEN;
	if (*ret_http != 101)
		return UPGRADE_REFUSED;
	websocket_accept_make(span_of(upgrade->key), accept);
	if (!has(headers, SPAN("Upgrade"), SPAN("websocket")) ||
	    !has(headers, SPAN("Connection"), SPAN("upgrade")) ||
	    !has(headers, SPAN("Sec-WebSocket-Accept"), span_of(accept)))
		return UPGRADE_BROKEN;
	*ret_head_len = len;
	return UPGRADE_OPEN;
}
