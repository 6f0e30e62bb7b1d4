#include "identity-service/session/refresh_token.h"
#include "common/base/base64url.h"
#include "common/base/mem.h"
#include "common/base/random.h"

static struct span bytes_of(const struct refresh_token *token)
{
	return span_make(token, sizeof(*token));
}

void refresh_token_make(struct refresh_token *ret_token)
{
	random_bytes(ret_token, sizeof(*ret_token));
}

bool refresh_token_parse(struct span text, struct refresh_token *ret_token)
{
	CLEANUP(buf_free) struct buf bytes = BUF(sizeof(*ret_token));

	if (text.len != REFRESH_TOKEN_LEN || !base64url_decode(text, &bytes))
		return false;
	memcpy(ret_token, bytes.data, sizeof(*ret_token));
	mem_wipe(bytes.data, bytes.capacity);
	return true;
}

void refresh_token_format(const struct refresh_token *token, char *text)
{
	CLEANUP(buf_free) struct buf out = BUF(REFRESH_TOKEN_LEN);

	base64url_encode(bytes_of(token), &out);
	memcpy(text, buf_text(&out), REFRESH_TOKEN_LEN + 1);
	mem_wipe(out.data, out.capacity);
}

struct digest refresh_token_family(const struct refresh_token *token)
{
	struct digest digest;

	digest_make(span_make(token->family, sizeof(token->family)), &digest);
	return digest;
}

struct digest refresh_token_digest(const struct refresh_token *token)
{
	struct digest digest;

	digest_make(bytes_of(token), &digest);
	return digest;
}

void refresh_token_follow(const struct refresh_token *token,
                          const struct digest *salt,
                          struct refresh_token *ret_successor)
{
	struct digest secret;

	digest_hmac(digest_span(salt), bytes_of(token), &secret);
	memcpy(ret_successor->family, token->family, sizeof(token->family));
	memcpy(ret_successor->secret, secret.byte, sizeof(secret.byte));
	mem_wipe(&secret, sizeof(secret));
}
