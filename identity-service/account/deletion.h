/*
 * deletion - an account that its user deletes. Its row stays, because messages
 * name the id: without texts, phone and password, and with the name for a
 * while, so that no other user takes it.
 *
 * Errors     as common/io/sql/sql.h states.
 */
#ifndef PARLEY_IDENTITY_ACCOUNT_DELETION_H
#define PARLEY_IDENTITY_ACCOUNT_DELETION_H

#include "common/io/sql/sql.h"

#include <stdbool.h>

/* Rows that one call of deletion_free_names() changes. */
enum { DELETION_NAMES_MAX = 1000 };

struct deletion {
	uint64_t user;
	/* What was checked: the phone, or the hash of the password. */
	struct span phone; /* empty: the password */
	const char *password_hash;
	uint64_t name_reserved_s;
};
/*
 * Deletes the account and ends all its sessions, within a transaction of the
 * caller. ST_CONFLICT: it has another phone or hash by now. Idempotent.
 */
MUST_CHECK enum status deletion_run(struct sql *sql,
                                    const struct deletion *deletion);
/* Frees the names whose time is over. *ret_more: there may be others. */
MUST_CHECK enum status deletion_free_names(struct sql *sql, bool *ret_more);

/*
 * Deleted accounts in the order of their ends: after (since_ms, after), and
 * until until_ms, unless that is 0.
 */
struct deletion_range {
	uint64_t since_ms, after, until_ms;
};
struct deleted_user {
	uint64_t user;
	uint64_t deleted_at_ms; /* unix, of the database's clock */
};
MUST_CHECK enum status deletion_list(struct sql *sql,
                                     const struct deletion_range *range,
                                     struct deleted_user *rows, unsigned max,
                                     unsigned *ret_count);

#endif
