#include "identity-service/oauth/oauth_client.h"
#include "common/base/base64url.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/percent.h"
#include "common/io/digest.h"

enum { BASIC_MAX = 4096 };

void oauth_answer_error(struct http_request *request, unsigned http,
                        const char *error, const char *description)
{
	CLEANUP(buf_free) struct buf text = BUF(1024);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "error", span_of(error));
	json_text(&w, "error_description", span_of(description));
	json_close(&w);
	if (http == 401)
		http_set_header(request, "WWW-Authenticate",
		                "Basic realm=\"parley\"");
	http_set_header(request, "Cache-Control", "no-store");
	http_answer_json(request, http, buf_span(&text));
}

/* RFC 4648 section 4, with or without its padding. */
static bool base64_decode(struct span text, struct buf *out)
{
	CLEANUP(buf_free) struct buf url = BUF(BASIC_MAX);

	for (unsigned i = 0; i < 2; i++)
		if (text.len && text.data[text.len - 1] == '=')
			text.len--;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '-' || c == '_')
			return false;
		buf_byte(&url, c == '+' ? '-' : c == '/' ? '_' : c);
	}
	return !buf_overflowed(&url) && base64url_decode(buf_span(&url), out);
}

enum basic { BASIC_ABSENT, BASIC_GOOD, BASIC_BAD };

/* The user and the password of HTTP Basic (RFC 7617), as they stand. */
static enum basic read_basic(const struct http_request *request,
                             struct buf *decoded, struct span *ret_user,
                             struct span *ret_password)
{
	struct span value;
	struct span scheme =
		span_cut(http_header(request, "Authorization"), ' ', &value);

	if (!span_equal_nocase(scheme, SPAN("Basic")))
		return scheme.len ? BASIC_BAD : BASIC_ABSENT;
	if (!base64_decode(span_trim(value), decoded) ||
	    (decoded->len && memchr(decoded->data, '\0', decoded->len)) ||
	    !decoded->len || !memchr(decoded->data, ':', decoded->len))
		return BASIC_BAD;
	*ret_user = span_cut(buf_span(decoded), ':', ret_password);
	return BASIC_GOOD;
}

static bool is_client_id(struct span id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.data[i] < ' ' || id.data[i] > '~')
			return false;
	return id.len <= OAUTH_CLIENT_ID_MAX;
}

static const char not_a_client[] = "the client must be a public one: its "
				   "client_id, and no secret";

/* RFC 6749 section 2.3.1: the user of HTTP Basic is encoded as in a form. */
static bool read_basic_client(struct http_request *request, struct buf *ret_id)
{
	CLEANUP(buf_free) struct buf decoded = BUF(BASIC_MAX);
	struct span user = SPAN(""), password = SPAN("");
	enum basic basic = read_basic(request, &decoded, &user, &password);
	char *out = user.len <= BASIC_MAX ? buf_space(ret_id, 3 * user.len + 1)
	                                  : NULL;
	size_t len = 0;

	if (basic == BASIC_ABSENT)
		return true;
	if (basic == BASIC_GOOD && !password.len && out &&
	    percent_decode(user, true, out, &len)) {
		buf_grew(ret_id, len);
		return true;
	}
	oauth_answer_error(request, 401, "invalid_client", not_a_client);
	return false;
}

bool oauth_client_read(struct http_request *request, const struct form *form,
                       struct buf *ret_id)
{
	struct span id = SPAN(""), secret = SPAN("");

	if (!read_basic_client(request, ret_id))
		return false;
	(void)form_get(form, "client_id", &id);
	(void)form_get(form, "client_secret", &secret);
	if (secret.len) {
		oauth_answer_error(request, 401, "invalid_client",
		                   not_a_client);
		return false;
	}
	if (ret_id->len && id.len && !span_equal(id, buf_span(ret_id))) {
		oauth_answer_error(request, 400, "invalid_request",
		                   "the header and the body name different "
		                   "clients");
		return false;
	}
	if (!ret_id->len)
		buf_append(ret_id, id);
	if (buf_overflowed(ret_id) || !is_client_id(buf_span(ret_id))) {
		oauth_answer_error(request, 400, "invalid_request",
		                   "client_id must be printable ASCII, of at "
		                   "most 255 bytes");
		return false;
	}
	return true;
}

bool oauth_service_is_known(const struct http_request *request,
                            struct span secret)
{
	CLEANUP(buf_free) struct buf decoded = BUF(BASIC_MAX);
	struct span user, password;
	struct digest is, want;
	bool good =
		read_basic(request, &decoded, &user, &password) == BASIC_GOOD;

	if (!good || !secret.len)
		return false;
	digest_make(password, &is);
	digest_make(secret, &want);
	good = span_equal(digest_span(&is), digest_span(&want));
	mem_wipe(decoded.data, decoded.capacity);
	return good;
}
