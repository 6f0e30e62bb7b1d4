#include "common/io/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

void digest_make(struct span bytes, struct digest *ret_digest)
{
	unsigned len = 0;

	if (!EVP_Digest(bytes.data, bytes.len, ret_digest->byte, &len,
	                EVP_sha256(), NULL) ||
	    len != DIGEST_LEN) {
		(void)fputs("SHA-256 is not available\n", stderr);
		abort();
	}
}
