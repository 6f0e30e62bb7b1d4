#include "common/io/https_url.h"

#include "common/base/mem.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char scheme[] = "https://";

enum { SCHEME_LEN = sizeof(scheme) - 1 };

static bool is_hex(struct span text, size_t at)
{
	return at < text.len && isxdigit((unsigned char)text.data[at]);
}

/* RFC 3986 section 2. */
static bool has_url_characters_only(struct span text)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz"
				  "0123456789-._~:/?#[]@!$&'()*+,;=";

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '%' && is_hex(text, i + 1) &&
		    is_hex(text, i + 2))
			continue;
		if (!memchr(set, text.data[i], sizeof(set) - 1))
			return false;
	}
	return true;
}

static struct span authority_of(struct span url)
{
	struct span rest =
		span_make(url.data + SCHEME_LEN, url.len - SCHEME_LEN);
	size_t len = 0;

	while (len < rest.len && !memchr("/?#", rest.data[len], 3))
		len++;
	return span_make(rest.data, len);
}

static bool has(struct span text, char c)
{
	return text.len && memchr(text.data, c, text.len);
}

/* Host and port, as libcurl reads them. */
static bool curl_accepts(struct span text)
{
	char *url CLEANUP(mem_free) = mem_text(text.data, text.len);
	CURLU *parsed = curl_url();
	CURLUcode code;

	if (!parsed)
		abort();
	code = curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER);
	curl_url_cleanup(parsed);
	if (code == CURLUE_OUT_OF_MEMORY)
		abort();
	return code == CURLUE_OK;
}

const char *https_url_fault(struct span text)
{
	struct span authority;

	if (text.len < SCHEME_LEN ||
	    !span_equal_nocase(span_make(text.data, SCHEME_LEN),
	                       span_of(scheme)))
		return "must begin with https://";
	if (!has_url_characters_only(text))
		return "must be a URL (RFC 3986), with other characters "
		       "percent-encoded";
	authority = authority_of(text);
	if (has(authority, '@'))
		return "must not name a user";
	if (authority.len == 0 || has(authority, '%') || !curl_accepts(text))
		return "must be a URL with a good host and port";
	return NULL;
}
