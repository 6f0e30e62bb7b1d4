#include "common/io/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

static void need(bool made, unsigned len)
{
	if (made && len == DIGEST_LEN)
		return;
	(void)fputs("SHA-256 is not available\n", stderr);
	abort();
}

void digest_make(struct span bytes, struct digest *ret_digest)
{
	unsigned len = 0;
	bool made = EVP_Digest(bytes.data, bytes.len, ret_digest->byte, &len,
	                       EVP_sha256(), NULL) == 1;

	need(made, len);
}

void digest_hmac(struct span key, struct span bytes, struct digest *ret_digest)
{
	unsigned len = 0;
	bool made = HMAC(EVP_sha256(), key.data, (int)key.len,
	                 (const unsigned char *)bytes.data, bytes.len,
	                 ret_digest->byte, &len) != NULL;

	need(made, len);
}
