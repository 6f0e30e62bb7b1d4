#include "identity-service/oauth/oauth_metadata.h"
#include "common/base/base64url.h"
#include "common/base/json_write.h"
#include "identity-service/api/api_context.h"

enum { ANSWER_MAX = 64 * 1024, METADATA_MAX_AGE_S = 300 };

static void allow_caching(struct http_request *request, unsigned max_age_s)
{
	CLEANUP(buf_free) struct buf text = BUF(64);

	buf_format(&text, "public, max-age=%u", max_age_s);
	http_set_header(request, "Cache-Control", buf_text(&text));
}

static void write_url(struct json_writer *w, const char *name,
                      const struct api_context *api, const char *path)
{
	CLEANUP(buf_free) struct buf url = BUF(1024);

	buf_format(&url, "%s%s", api->issuer, path);
	json_text(w, name, buf_span(&url));
}

static void write_list(struct json_writer *w, const char *name,
                       const char *const *texts, unsigned count)
{
	json_open_array(w, name);
	for (unsigned i = 0; i < count; i++)
		json_text(w, NULL, span_of(texts[i]));
	json_close_array(w);
}

void oauth_metadata(struct http_request *request, void *context)
{
	static const char *const grants[] = {"refresh_token", "password"};
	static const char *const methods[] = {"none", "client_secret_basic"};
	static const char *const scopes[] = {"chat"};
	const struct api_context *api = context;
	CLEANUP(buf_free) struct buf answer = BUF(ANSWER_MAX);
	struct json_writer w = json_writer(&answer);

	json_open(&w);
	json_text(&w, "issuer", span_of(api->issuer));
	write_url(&w, "token_endpoint", api, "/token");
	write_url(&w, "jwks_uri", api, "/.well-known/jwks.json");
	write_url(&w, "revocation_endpoint", api, "/auth/revoke");
	write_url(&w, "introspection_endpoint", api, "/auth/introspect");
	write_list(&w, "scopes_supported", scopes, 1);
	write_list(&w, "response_types_supported", NULL, 0);
	write_list(&w, "grant_types_supported", grants,
	           api->password_grant ? 2 : 1);
	write_list(&w, "token_endpoint_auth_methods_supported", methods, 2);
	write_list(&w, "revocation_endpoint_auth_methods_supported", methods,
	           2);
	write_list(&w, "introspection_endpoint_auth_methods_supported",
	           methods + 1, 1);
	json_close(&w);
	allow_caching(request, METADATA_MAX_AGE_S);
	http_answer_json(request, 200, buf_span(&answer));
}

static bool write_key(struct json_writer *w, const struct jwt_key *key)
{
	CLEANUP(buf_free) struct buf modulus = BUF(1024), n = BUF(2048);
	CLEANUP(buf_free) struct buf exponent = BUF(16), e = BUF(32);

	if (jwt_key_public(key, &modulus, &exponent) != ST_OK)
		return false;
	base64url_encode(buf_span(&modulus), &n);
	base64url_encode(buf_span(&exponent), &e);
	json_open_object(w, NULL);
	json_text(w, "kty", SPAN("RSA"));
	json_text(w, "use", SPAN("sig"));
	json_text(w, "alg", SPAN("RS256"));
	json_text(w, "kid", jwt_key_id(key));
	json_text(w, "n", buf_span(&n));
	json_text(w, "e", buf_span(&e));
	json_close(w);
	return true;
}

void oauth_keys(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(buf_free) struct buf answer = BUF(ANSWER_MAX);
	struct json_writer w = json_writer(&answer);
	const struct jwt_key *key;
	unsigned at = 0;

	if (!keyring_signer(api->keyring)) {
		http_answer_problem(request, 503,
		                    "the signing keys are not loaded yet");
		return;
	}
	json_open(&w);
	json_open_array(&w, "keys");
	while ((key = keyring_next(api->keyring, &at)))
		if (!write_key(&w, key)) {
			http_answer_problem(request, 500, "internal error");
			return;
		}
	json_close_array(&w);
	json_close(&w);
	allow_caching(request, api->keys_max_age_s);
	http_answer_json(request, 200, buf_span(&answer));
}
