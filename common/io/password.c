#include "common/io/password.h"
#include "common/base/random.h"

#include <argon2.h>

/* The minimum that OWASP recommends for Argon2id. */
enum {
	MEMORY_KIB = 19456,
	PASSES = 2,
	LANES = 1,
	SALT_LEN = 16,
	HASH_LEN = 32,
};

enum status password_hash(struct span password, char *ret_hash)
{
	uint8_t salt[SALT_LEN];
	int error;

	random_bytes(salt, sizeof(salt));
	error = argon2id_hash_encoded(
		PASSES, MEMORY_KIB, LANES, password.data, password.len, salt,
		sizeof(salt), HASH_LEN, ret_hash, PASSWORD_HASH_MAX + 1);
	if (error == ARGON2_MEMORY_ALLOCATION_ERROR)
		return ST_UNAVAILABLE;
	return error == ARGON2_OK ? ST_OK : ST_BROKEN;
}

bool password_matches(struct span password, const char *hash)
{
	return argon2id_verify(hash, password.data, password.len) == ARGON2_OK;
}
