#define _GNU_SOURCE /* memmem */
#include "websocket-service/socket/upgrade.h"
#include "common/base/json_write.h"
#include "common/io/websocket_handshake.h"
#include "common/wire/identity.h"

static const char subprotocol_name[] = "parley";
static const char version_header[] = "Upgrade: websocket\r\n"
				     "Sec-WebSocket-Version: 13\r\n";

const struct upgrade_fault upgrade_unauthorized = {
	401, "the token is missing, malformed, expired or unknown",
	"WWW-Authenticate: Bearer\r\n"};
const struct upgrade_fault upgrade_misdirected = {
	421, "another gateway serves this user", ""};
const struct upgrade_fault upgrade_too_many = {
	429, "the user has too many sockets open", "Retry-After: 2\r\n"};
const struct upgrade_fault upgrade_unavailable = {
	503, "identity-service is not available", "Retry-After: 2\r\n"};
const struct upgrade_fault upgrade_full = {
	503, "this gateway has no room for more sockets", "Retry-After: 2\r\n"};
const struct upgrade_fault upgrade_head_too_large = {
	431, "the request head is longer than 8192 bytes", ""};

static const struct upgrade_fault malformed = {400, "the request is malformed",
                                               ""};
static const struct upgrade_fault no_such_path = {
	404, "sockets are opened at /ws", ""};
static const struct upgrade_fault no_such_method = {
	405, "sockets are opened with GET", "Allow: GET\r\n"};
static const struct upgrade_fault no_upgrade = {
	426, "this path accepts WebSocket upgrades only", version_header};
static const struct upgrade_fault wrong_version = {
	426, "the WebSocket version must be 13", version_header};
static const struct upgrade_fault bad_key = {
	400, "Sec-WebSocket-Key must be 16 bytes in base64", ""};
static const struct upgrade_fault wrong_origin = {
	403, "this origin is not allowed", ""};

enum header {
	HEADER_HOST,
	HEADER_UPGRADE,
	HEADER_CONNECTION,
	HEADER_KEY,
	HEADER_VERSION,
	HEADER_PROTOCOL,
	HEADER_AUTHORIZATION,
	HEADER_ORIGIN,
	HEADER_LENGTH,
	HEADER_TRANSFER,
	HEADER_COUNT,
};

static const char *const header_names[HEADER_COUNT] = {
	[HEADER_HOST] = "Host",
	[HEADER_UPGRADE] = "Upgrade",
	[HEADER_CONNECTION] = "Connection",
	[HEADER_KEY] = "Sec-WebSocket-Key",
	[HEADER_VERSION] = "Sec-WebSocket-Version",
	[HEADER_PROTOCOL] = "Sec-WebSocket-Protocol",
	[HEADER_AUTHORIZATION] = "Authorization",
	[HEADER_ORIGIN] = "Origin",
	[HEADER_LENGTH] = "Content-Length",
	[HEADER_TRANSFER] = "Transfer-Encoding",
};

/* A header whose value is a list may come on several lines. */
enum { LIST_LINES_MAX = 16 };

struct list {
	struct span line[LIST_LINES_MAX];
	unsigned count;
};

struct headers {
	struct span value[HEADER_COUNT]; /* of those that occur once */
	struct list connection;
	struct list protocol;
};

/* tchar of RFC 9110 5.6.2 */
static bool token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!token_byte(s.data[i]))
			return false;
	}
	return s.len > 0;
}

static bool is_field_value(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

size_t upgrade_head_len(struct span bytes)
{
	const char *end =
		bytes.len ? memmem(bytes.data, bytes.len, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - bytes.data) + 4 : 0;
}

/* The line before the next CRLF. The checks refuse a bare CR or LF in it. */
static struct span next_line(struct span *rest)
{
	const char *end =
		rest->len ? memmem(rest->data, rest->len, "\r\n", 2) : NULL;
	struct span line = *rest;

	if (!end)
		return SPAN_NONE;
	line.len = (size_t)(end - rest->data);
	*rest = span_make(end + 2, rest->len - line.len - 2);
	return line;
}

static const struct upgrade_fault *read_request_line(struct span line)
{
	struct span target;
	struct span version;
	struct span path;
	struct span query;
	struct span method = span_cut(line, ' ', &target);

	target = span_cut(target, ' ', &version);
	if (!is_token(method) || target.len == 0 || target.data[0] != '/' ||
	    !is_field_value(target) || !span_equal(version, SPAN("HTTP/1.1")))
		return &malformed;
	path = span_cut(target, '?', &query);
	if (!span_equal(path, SPAN("/ws")))
		return &no_such_path;
	if (!span_equal(method, SPAN("GET")))
		return &no_such_method;
	return NULL;
}

static bool keep_line(struct list *list, struct span value)
{
	if (list->count == LIST_LINES_MAX)
		return false;
	list->line[list->count++] = value;
	return true;
}

/* False for a second copy of a header that is no list: which one counts? */
static bool keep_header(struct span name, struct span value,
                        struct headers *headers)
{
	for (unsigned i = 0; i < HEADER_COUNT; i++) {
		if (!span_equal_nocase(name, span_of(header_names[i])))
			continue;
		if (i == HEADER_CONNECTION)
			return keep_line(&headers->connection, value);
		if (i == HEADER_PROTOCOL)
			return keep_line(&headers->protocol, value);
		if (headers->value[i].data)
			return false;
		headers->value[i] = value;
	}
	return true;
}

static bool read_headers(struct span rest, struct headers *headers)
{
	for (;;) {
		struct span line = next_line(&rest);
		struct span value;
		struct span name;

		if (line.len == 0)
			return line.data && rest.len == 0;
		name = span_cut(line, ':', &value);
		if (name.len == line.len || !is_token(name) ||
		    !is_field_value(value) ||
		    !keep_header(name, span_trim(value), headers))
			return false;
	}
}

/* Whether the comma-separated list contains `word`, in any case. */
static bool list_contains(struct span list, struct span word)
{
	while (list.len) {
		struct span item = span_trim(span_cut(list, ',', &list));

		if (span_equal_nocase(item, word))
			return true;
	}
	return false;
}

static bool lines_contain(const struct list *list, struct span word)
{
	for (unsigned i = 0; i < list->count; i++) {
		if (list_contains(list->line[i], word))
			return true;
	}
	return false;
}

/* "parley, bearer.<token>": browsers cannot set the Authorization header. */
static void read_subprotocols(struct span list, struct upgrade *upgrade)
{
	static const char prefix[] = "bearer.";

	while (list.len) {
		struct span item = span_trim(span_cut(list, ',', &list));

		if (span_equal(item, span_of(subprotocol_name)))
			upgrade->subprotocol = true;
		else if (span_starts(item, span_of(prefix)) &&
		         !upgrade->token.len)
			upgrade->token =
				span_make(item.data + sizeof(prefix) - 1,
			                  item.len - (sizeof(prefix) - 1));
	}
}

static void read_authorization(struct span value, struct upgrade *upgrade)
{
	struct span token;
	struct span scheme = span_cut(value, ' ', &token);

	if (span_equal_nocase(scheme, SPAN("Bearer")))
		upgrade->token = span_trim(token);
}

static const struct upgrade_fault *check_headers(const struct headers *all,
                                                 const char *origins)
{
	const struct span *headers = all->value;

	if (!headers[HEADER_HOST].data || headers[HEADER_TRANSFER].data ||
	    (headers[HEADER_LENGTH].data &&
	     !span_equal(headers[HEADER_LENGTH], SPAN("0"))))
		return &malformed;
	if (!span_equal_nocase(headers[HEADER_UPGRADE], SPAN("websocket")) ||
	    !lines_contain(&all->connection, SPAN("upgrade")))
		return &no_upgrade;
	if (!span_equal(headers[HEADER_VERSION], SPAN("13")))
		return &wrong_version;
	if (!websocket_key_valid(headers[HEADER_KEY]))
		return &bad_key;
	if (*origins && headers[HEADER_ORIGIN].data &&
	    !list_contains(span_of(origins), headers[HEADER_ORIGIN]))
		return &wrong_origin;
	return NULL;
}

bool upgrade_read(struct span head, const char *origins,
                  struct upgrade *ret_upgrade, struct upgrade_fault *ret_fault)
{
	struct headers headers = {0};
	struct span rest = head;
	const struct upgrade_fault *fault = read_request_line(next_line(&rest));

	if (!fault && !read_headers(rest, &headers))
		fault = &malformed;
	if (!fault)
		fault = check_headers(&headers, origins);
	if (fault) {
		*ret_fault = *fault;
		return false;
	}
	*ret_upgrade = (struct upgrade){.key = headers.value[HEADER_KEY]};
	for (unsigned i = 0; i < headers.protocol.count; i++)
		read_subprotocols(headers.protocol.line[i], ret_upgrade);
	if (!ret_upgrade->subprotocol)
		ret_upgrade->token = SPAN_NONE;
	if (headers.value[HEADER_AUTHORIZATION].data) {
		ret_upgrade->token = SPAN_NONE;
		read_authorization(headers.value[HEADER_AUTHORIZATION],
		                   ret_upgrade);
	}
	if (!identity_token_fits(ret_upgrade->token))
		ret_upgrade->token = SPAN_NONE;
	return true;
}

void upgrade_accept(struct buf *out, const struct upgrade *upgrade)
{
	char accept[WEBSOCKET_ACCEPT_LEN + 1];

	websocket_accept_make(upgrade->key, accept);
	buf_format(out,
	           "HTTP/1.1 101 Switching Protocols\r\n"
	           "Upgrade: websocket\r\n"
	           "Connection: Upgrade\r\n"
	           "Sec-WebSocket-Accept: %s\r\n",
	           accept);
	if (upgrade->subprotocol)
		buf_format(out, "Sec-WebSocket-Protocol: %s\r\n",
		           subprotocol_name);
	buf_append(out, SPAN("\r\n"));
}

static const char *phrase(unsigned http)
{
	switch (http) {
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 421:
		return "Misdirected Request";
	case 426:
		return "Upgrade Required";
	case 431:
		return "Request Header Fields Too Large";
	default:
		return "Service Unavailable";
	}
}

void upgrade_refuse(struct buf *out, const struct upgrade_fault *fault)
{
	struct buf body CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&body);

	json_open(&w);
	json_text(&w, "type", SPAN("about:blank"));
	json_text(&w, "title", span_of(phrase(fault->http)));
	json_number(&w, "status", fault->http);
	json_text(&w, "detail", span_of(fault->detail));
	json_close(&w);
	buf_format(out,
	           "HTTP/1.1 %u %s\r\n"
	           "Content-Type: application/problem+json\r\n"
	           "Content-Length: %zu\r\n"
	           "Connection: close\r\n"
	           "%s\r\n",
	           fault->http, phrase(fault->http), body.len, fault->headers);
	buf_append(out, buf_span(&body));
}
