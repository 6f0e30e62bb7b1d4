/*
 * account - rows of the table users.
 *
 * Errors     as common/io/sql/sql.h states; ST_BROKEN also for a row that does
 *            not fit the struct.
 */
#ifndef PARLEY_IDENTITY_ACCOUNT_ACCOUNT_H
#define PARLEY_IDENTITY_ACCOUNT_ACCOUNT_H

#include "common/io/password.h"
#include "common/io/sql/sql.h"
#include "common/wire/identity.h"
#include "common/wire/name.h"

struct account {
	uint64_t id;
	char name[USER_NAME_MAX_BYTES + 1];
	char password_hash[PASSWORD_HASH_MAX + 1]; /* empty: no password */
	uint64_t created_at_ms;                    /* unix */
};

/* `key` is name_key() of the name. ST_CONFLICT: the name is taken. */
MUST_CHECK enum status account_insert(struct sql *sql, struct span name,
                                      struct span key,
                                      const char *password_hash,
                                      uint64_t *ret_id);
/* An account without a password, which its phone signs in to. */
MUST_CHECK enum status
account_insert_by_phone(struct sql *sql, struct span name, struct span key,
                        struct span phone, uint64_t *ret_id);
/* ST_NOT_FOUND: the phone belongs to no user. */
MUST_CHECK enum status account_by_phone(struct sql *sql, struct span phone,
                                        struct account *ret_account);
/*
 * Within a transaction: `phone` belongs to user `id` from now on, and to no
 * other. ST_CONFLICT: another account has it and no password. ST_NOT_FOUND: the
 * account was deleted.
 */
MUST_CHECK enum status account_take_phone(struct sql *sql, uint64_t id,
                                          struct span phone);
/* Replaces the hash, unless it is not `old` any more. */
MUST_CHECK enum status account_set_password(struct sql *sql, uint64_t id,
                                            const char *old, const char *hash);
/* ST_NOT_FOUND: no such user, or its account is deleted. */
MUST_CHECK enum status account_by_name(struct sql *sql,
                                       const struct name_keys *keys,
                                       struct account *ret_account);
MUST_CHECK enum status account_by_id(struct sql *sql, uint64_t id,
                                     struct account *ret_account);
/*
 * Within a transaction of the caller that starts a session: until its end
 * neither a deletion of the account nor another sign-in of the user comes
 * between. ST_NOT_FOUND: no such user, or its account is deleted.
 */
MUST_CHECK enum status account_lock(struct sql *sql, uint64_t id);
/*
 * ST_CONFLICT: the hash is neither `old` nor `new` any more, or the account is
 * deleted. Idempotent.
 */
MUST_CHECK enum status account_change_hash(struct sql *sql, uint64_t id,
                                           const char *old_hash,
                                           const char *new_hash);

#endif
