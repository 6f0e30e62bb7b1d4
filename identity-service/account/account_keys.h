/*
 * account_keys - brings users.name_key of old accounts to the rule of today.
 */
#ifndef PARLEY_IDENTITY_ACCOUNT_ACCOUNT_KEYS_H
#define PARLEY_IDENTITY_ACCOUNT_ACCOUNT_KEYS_H

#include "common/io/sql/sql.h"

struct account_keys_counts {
	uint64_t changed;
	uint64_t kept; /* another account has the key */
};

/*
 * Gives accounts that an older version made the key of name_key(). If two
 * accounts now have the same key, the one that has it already, else the older
 * one gets it; the other keeps its old key, under which account_by_name()
 * finds it. Idempotent; does nothing for accounts that it has seen. ST_BROKEN:
 * a row that does not fit.
 */
MUST_CHECK enum status
account_keys_renew(struct sql *sql, struct account_keys_counts *ret_counts);

#endif
