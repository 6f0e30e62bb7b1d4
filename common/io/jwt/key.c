#include "common/io/jwt/key.h"
#include "common/base/mem.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

struct jwt_key {
	char *id;
	size_t id_len;
	EVP_PKEY *pkey;
	EVP_MD *sha256; /* fetched once: a fetch costs as much as a hash */
};

static void bio_free(BIO **bio)
{
	(void)BIO_free(*bio);
}

static void pkey_free(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

static void context_free(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

enum status jwt_key_generate(struct buf *ret_pem)
{
	CLEANUP(pkey_free)
	EVP_PKEY *pkey =
		EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)JWT_KEY_BITS);
	CLEANUP(bio_free) BIO *bio = BIO_new(BIO_s_secmem());
	char *text;
	long len;

	if (!pkey || !bio ||
	    !PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL,
	                                   NULL))
		return ST_BROKEN;
	len = BIO_get_mem_data(bio, &text);
	if (len <= 0)
		return ST_BROKEN;
	buf_append(ret_pem, span_make(text, (size_t)len));
	return buf_overflowed(ret_pem) ? ST_BROKEN : ST_OK;
}

/* Keys have no passphrase. */
static int no_passphrase(char *text, int size, int writing, void *context)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)context;
	return 0;
}

enum status jwt_key_create(struct span id, struct span pem,
                           struct jwt_key **ret_key)
{
	CLEANUP(jwt_key_destroy) struct jwt_key *key = NULL;
	CLEANUP(bio_free) BIO *bio = NULL;

	if (pem.len == 0 || pem.len > JWT_KEY_PEM_MAX || id.len == 0)
		return ST_INVALID;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	key = mem_new(sizeof(*key));
	key->pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	key->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!key->pkey || !key->sha256 || !EVP_PKEY_is_a(key->pkey, "RSA") ||
	    EVP_PKEY_get_bits(key->pkey) < JWT_KEY_BITS)
		return ST_INVALID;
	key->id = mem_text(id.data, id.len);
	key->id_len = id.len;
	*ret_key = MOVE(key);
	return ST_OK;
}

void jwt_key_destroy(struct jwt_key **key)
{
	struct jwt_key *k = MOVE(*key);

	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	EVP_MD_free(k->sha256);
	mem_free(&k->id);
	mem_free(&k);
}

struct span jwt_key_id(const struct jwt_key *key)
{
	return span_make(key->id, key->id_len);
}

static void number_free(BIGNUM **number)
{
	BN_free(*number);
}

static enum status append_number(const struct jwt_key *key, const char *name,
                                 struct buf *out)
{
	CLEANUP(number_free) BIGNUM *number = NULL;
	char *space;
	size_t len;

	if (!EVP_PKEY_get_bn_param(key->pkey, name, &number))
		return ST_BROKEN;
	len = (size_t)BN_num_bytes(number);
	space = buf_space(out, len);
	if (!space)
		return ST_BROKEN;
	(void)BN_bn2bin(number, (unsigned char *)space);
	buf_grew(out, len);
	return ST_OK;
}

enum status jwt_key_public(const struct jwt_key *key, struct buf *ret_modulus,
                           struct buf *ret_exponent)
{
	enum status status =
		append_number(key, OSSL_PKEY_PARAM_RSA_N, ret_modulus);

	return status == ST_OK
	               ? append_number(key, OSSL_PKEY_PARAM_RSA_E, ret_exponent)
	               : status;
}

bool jwt_key_verifies(const struct jwt_key *key, struct span bytes,
                      struct span signature)
{
	CLEANUP(context_free) EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (!context || signature.len != (size_t)EVP_PKEY_get_size(key->pkey))
		return false;
	if (EVP_DigestVerifyInit(context, NULL, key->sha256, NULL, key->pkey) !=
	    1)
		return false;
	return EVP_DigestVerify(context, (const unsigned char *)signature.data,
	                        signature.len,
	                        (const unsigned char *)bytes.data,
	                        bytes.len) == 1;
}

enum status jwt_key_sign(const struct jwt_key *key, struct span bytes,
                         struct buf *ret_signature)
{
	CLEANUP(context_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char signature[JWT_SIGNATURE_MAX];
	size_t len = sizeof(signature);

	if (!context ||
	    EVP_DigestSignInit(context, NULL, key->sha256, NULL, key->pkey) !=
	            1 ||
	    EVP_DigestSign(context, signature, &len,
	                   (const unsigned char *)bytes.data, bytes.len) != 1)
		return ST_BROKEN;
	buf_append(ret_signature, span_make((const char *)signature, len));
	return buf_overflowed(ret_signature) ? ST_BROKEN : ST_OK;
}
