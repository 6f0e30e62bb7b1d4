#include "common/service/setting_form.h"
#include "common/base/utf8.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

enum { HOST_MAX = 255, ADDRESS_MAX = 64, TOPIC_MAX = 249 };

static bool refuse(struct buf *why, const char *text)
{
	buf_append(why, span_of(text));
	return false;
}

static bool all_of(struct span text, const char *others)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || (c && strchr(others, c)))
			continue;
		return false;
	}
	return text.len > 0;
}

/* Where `part` begins in the text; text.len: nowhere. */
static size_t find(struct span text, struct span part)
{
	for (size_t i = 0; i + part.len <= text.len; i++) {
		if (!memcmp(text.data + i, part.data, part.len))
			return i;
	}
	return text.len;
}

static bool contains(struct span text, const char *part)
{
	return find(text, span_of(part)) < text.len;
}

/* An IPv4 or IPv6 address, without brackets. */
static bool is_address(struct span text)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
	char copy[ADDRESS_MAX + 1];
	struct addrinfo *found;

	if (text.len == 0 || text.len > ADDRESS_MAX)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (getaddrinfo(copy, NULL, &hints, &found))
		return false;
	freeaddrinfo(found);
	return true;
}

static bool is_host_name(struct span text)
{
	return text.len <= HOST_MAX && all_of(text, "-._") &&
	       text.data[0] != '-' && text.data[0] != '.' &&
	       !contains(text, "..");
}

static bool is_port(struct span text)
{
	uint64_t port;

	return span_to_u64(text, 65535, &port) && port > 0;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static bool is_host_and_port(struct span text, struct span *ret_port)
{
	struct span host, port;

	*ret_port = SPAN_NONE;
	if (span_starts(text, SPAN("["))) {
		host = span_cut(span_make(text.data + 1, text.len - 1), ']',
		                &port);
		if (!is_address(host) || host.len + 2 > text.len)
			return false;
		if (port.len == 0)
			return true;
		if (port.data[0] != ':')
			return false;
		port = span_make(port.data + 1, port.len - 1);
	} else {
		host = span_cut(text, ':', &port);
		if (!is_host_name(host))
			return false;
		if (host.len == text.len)
			return true;
	}
	*ret_port = port;
	return is_port(port);
}

/* --- the forms ----------------------------------------------------------- */
static bool host(struct span text, struct buf *why)
{
	if (contains(text, "://"))
		return refuse(why, "must be a host, not a URL");
	if (is_address(text) || is_host_name(text))
		return true;
	if (contains(text, ":"))
		return refuse(why, "must be a host alone; the port has a "
		                   "setting of its own");
	return refuse(why, "must be a host name or an address");
}

static bool host_or_path(struct span text, struct buf *why)
{
	return span_starts(text, SPAN("/")) || host(text, why);
}

static bool address(struct span text, struct buf *why)
{
	return is_address(text) ||
	       refuse(why, "must be an IPv4 or IPv6 address, such as "
	                   "127.0.0.1");
}

static bool url(struct span text, struct buf *why)
{
	struct span rest, path, port, authority;

	if (span_starts(text, SPAN("http://")))
		rest = span_make(text.data + 7, text.len - 7);
	else if (span_starts(text, SPAN("https://")))
		rest = span_make(text.data + 8, text.len - 8);
	else
		return refuse(why, "must begin with http:// or https://");
	authority = span_cut(rest, '/', &path);
	if (contains(authority, "@"))
		return refuse(why, "must have no user name and no password");
	if (contains(rest, "?") || contains(rest, "#"))
		return refuse(why, "must have no query and no fragment");
	if (text.data[text.len - 1] == '/')
		return refuse(why, "must not end with a slash");
	if (!is_host_and_port(authority, &port))
		return refuse(why, "must be http://HOST or http://HOST:PORT");
	return path.len == 0 || all_of(path, "-._~/%") ||
	       refuse(why, "must have a path of plain characters");
}

/* As librdkafka reads it: each may begin with a protocol. */
static bool brokers(struct span text, struct buf *why)
{
	unsigned count = 0;

	while (text.len) {
		struct span broker = span_trim(span_cut(text, ',', &text));
		struct span port;
		size_t at;

		if (broker.len == 0)
			continue;
		count++;
		at = find(broker, SPAN("://"));
		if (at < broker.len)
			broker = span_make(broker.data + at + 3,
			                   broker.len - at - 3);
		if (!is_host_and_port(broker, &port))
			return refuse(why,
			              "must be a list HOST:PORT,HOST:PORT");
	}
	return count || refuse(why, "must name a broker");
}

/* org.apache.kafka.common.internals.Topic */
static bool topic(struct span text, struct buf *why)
{
	if (text.len > TOPIC_MAX || !all_of(text, "-._") ||
	    span_equal(text, SPAN(".")) || span_equal(text, SPAN("..")))
		return refuse(why,
		              "must be a topic's name: letters, digits and "
		              "._- alone");
	return true;
}

static bool default_port(struct span scheme, struct span port)
{
	return (span_equal_nocase(scheme, SPAN("http")) &&
	        span_equal(port, SPAN("80"))) ||
	       (span_equal_nocase(scheme, SPAN("https")) &&
	        span_equal(port, SPAN("443")));
}

/* An origin as a browser writes it, RFC 6454 6.2. */
static bool origin(struct span text, struct buf *why)
{
	struct span after, port, scheme = span_cut(text, ':', &after);

	if (span_equal(text, SPAN("*")))
		return refuse(why,
		              "has '*': leave it empty to allow any origin");
	if (span_equal_nocase(text, SPAN("null")))
		return refuse(why,
		              "has 'null', the origin of any sandboxed page");
	if (!span_starts(after, SPAN("//")) || !all_of(scheme, "+-."))
		return refuse(why, "must have origins such as "
		                   "https://chat.example");
	if (span_equal_nocase(scheme, SPAN("ws")) ||
	    span_equal_nocase(scheme, SPAN("wss")))
		return refuse(why,
		              "must have the origin of the page, http:// or "
		              "https://");
	after = span_make(after.data + 2, after.len - 2);
	if (span_equal_nocase(scheme, SPAN("file")) && after.len == 0)
		return true;
	if (contains(after, "/"))
		return refuse(why,
		              "must have origins without a path and without "
		              "a slash at the end");
	if (contains(after, "*"))
		return refuse(why, "must have whole host names: '*' stands for "
		                   "nothing");
	if (!is_host_and_port(after, &port))
		return refuse(why, "must have origins SCHEME://HOST or "
		                   "SCHEME://HOST:PORT, international names in "
		                   "their ASCII form");
	if (default_port(scheme, port))
		return refuse(why, "must leave out the scheme's own port, as "
		                   "browsers do");
	return true;
}

static bool origins(struct span text, struct buf *why)
{
	while (text.len) {
		struct span one = span_trim(span_cut(text, ',', &text));

		if (one.len && !origin(one, why))
			return false;
	}
	return true;
}

static bool plain(struct span text, struct buf *why)
{
	size_t at = 0;

	if (!utf8_valid(text))
		return refuse(why, "must be UTF-8");
	while (at < text.len) {
		if (utf8_is_control(utf8_next(text, &at)))
			return refuse(why, "must have no control characters");
	}
	return true;
}

static const struct {
	const char *unit;
	bool (*fits)(struct span text, struct buf *why);
} forms[] = {
	{"URL", url},
	{"host", host},
	{"host or path", host_or_path},
	{"address", address},
	{"host:port,…", brokers},
	{"topic", topic},
	{"origin,…", origins},
};

bool setting_form_fits(const char *unit, struct span text, struct buf *why)
{
	if (!plain(text, why))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (!strcmp(forms[i].unit, unit))
			return text.len == 0 || forms[i].fits(text, why);
	}
	return true;
}
