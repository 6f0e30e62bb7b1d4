#include "common/io/seal.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>

enum { VERSION = 1, NONCE_LEN = 12, TAG_LEN = 16 };

static void kdf_free(EVP_KDF **kdf)
{
	EVP_KDF_free(*kdf);
}

static void kdf_context_free(EVP_KDF_CTX **context)
{
	EVP_KDF_CTX_free(*context);
}

static void cipher_free(EVP_CIPHER_CTX **context)
{
	EVP_CIPHER_CTX_free(*context);
}

/* OpenSSL takes no const pointers, but writes through none of these. */
static OSSL_PARAM octets(const char *name, struct span bytes)
{
	return OSSL_PARAM_construct_octet_string(
		name, (void *)(uintptr_t)bytes.data, bytes.len);
}

void seal_key_derive(struct span secret, struct span purpose,
                     struct seal_key *ret_key)
{
	CLEANUP(kdf_free) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	CLEANUP(kdf_context_free) EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest,
	                                         0),
		octets(OSSL_KDF_PARAM_KEY, secret),
		octets(OSSL_KDF_PARAM_INFO, purpose),
		OSSL_PARAM_construct_end(),
	};

	if (context && EVP_KDF_derive(context, ret_key->byte, SEAL_KEY_LEN,
	                              parameters) == 1)
		return;
	(void)fputs("HKDF is not available\n", stderr);
	abort();
}

/* The parts of a sealed text. */
struct parts {
	unsigned char *nonce;
	unsigned char *text;
	size_t text_len;
	unsigned char *tag;
};

static struct parts parts_of(char *sealed, size_t len)
{
	unsigned char *at = (unsigned char *)sealed + 1;

	return (struct parts){
		.nonce = at,
		.text = at + NONCE_LEN,
		.text_len = len - SEAL_OVERHEAD,
		.tag = at + len - 1 - TAG_LEN,
	};
}

static bool start(EVP_CIPHER_CTX *cipher, const struct seal_key *key,
                  const unsigned char *nonce, struct span associated,
                  bool closing)
{
	int len;

	return cipher && associated.len <= INT_MAX &&
	       EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, key->byte,
	                         nonce, closing) == 1 &&
	       EVP_CipherUpdate(cipher, NULL, &len,
	                        (const unsigned char *)associated.data,
	                        (int)associated.len) == 1;
}

enum status seal_close(const struct seal_key *key, struct span associated,
                       struct span plain, struct buf *ret_sealed)
{
	CLEANUP(cipher_free) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	size_t len = plain.len + SEAL_OVERHEAD;
	char *space =
		plain.len <= INT_MAX / 2 ? buf_space(ret_sealed, len) : NULL;
	struct parts parts;
	int written;

	if (!space)
		return ST_TOO_LARGE;
	*space = VERSION;
	parts = parts_of(space, len);
	random_bytes(parts.nonce, NONCE_LEN);
	if (!start(cipher, key, parts.nonce, associated, true) ||
	    EVP_EncryptUpdate(cipher, parts.text, &written,
	                      (const unsigned char *)plain.data,
	                      (int)plain.len) != 1 ||
	    EVP_EncryptFinal_ex(cipher, parts.tag, &written) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_LEN,
	                        parts.tag) != 1)
		return ST_BROKEN;
	buf_grew(ret_sealed, len);
	return ST_OK;
}

enum status seal_open(const struct seal_key *key, struct span associated,
                      struct span sealed, struct buf *ret_plain)
{
	CLEANUP(cipher_free) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	struct parts parts;
	char *space;
	int written;

	if (sealed.len < SEAL_OVERHEAD || sealed.len > INT_MAX ||
	    *sealed.data != VERSION)
		return ST_INVALID;
	parts = parts_of((char *)(uintptr_t)sealed.data, sealed.len);
	space = buf_space(ret_plain, parts.text_len);
	if (!space)
		return ST_TOO_LARGE;
	if (!start(cipher, key, parts.nonce, associated, false) ||
	    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_LEN,
	                        parts.tag) != 1 ||
	    EVP_DecryptUpdate(cipher, (unsigned char *)space, &written,
	                      parts.text, (int)parts.text_len) != 1)
		return ST_BROKEN;
	if (EVP_DecryptFinal_ex(cipher, (unsigned char *)space + written,
	                        &written) != 1) {
		mem_wipe(space, parts.text_len);
		return ST_DENIED;
	}
	buf_grew(ret_plain, parts.text_len);
	return ST_OK;
}
