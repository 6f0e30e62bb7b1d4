/*
 * refresh_token - the form of refresh tokens, and how one follows another
 * (RFC 6749 section 6, RFC 9700 section 4.14).
 *
 * A token is a family, which is the same in all refresh tokens of a session,
 * and a secret of 256 bits. Only their digests are stored, so whoever can name
 * a family has seen one of its tokens.
 *
 * The secret of the successor is an HMAC of the token under a salt that the
 * database keeps. So the same token gets the same successor again, and neither
 * the token alone nor the database alone tells it.
 */
#ifndef PARLEY_IDENTITY_REFRESH_TOKEN_H
#define PARLEY_IDENTITY_REFRESH_TOKEN_H

#include "common/io/digest.h"

#include <stdbool.h>

enum { REFRESH_TOKEN_LEN = 64 }; /* characters */

struct refresh_token {
	uint8_t family[16];
	uint8_t secret[DIGEST_LEN];
};

void refresh_token_make(struct refresh_token *ret_token);
bool refresh_token_parse(struct span text, struct refresh_token *ret_token);
/* `text` has room for REFRESH_TOKEN_LEN + 1. */
void refresh_token_format(const struct refresh_token *token, char *text);
struct digest refresh_token_family(const struct refresh_token *token);
struct digest refresh_token_digest(const struct refresh_token *token);
void refresh_token_follow(const struct refresh_token *token,
                          const struct digest *salt,
                          struct refresh_token *ret_successor);

#endif
