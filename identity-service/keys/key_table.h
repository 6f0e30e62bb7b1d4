/*
 * key_table - the SQL of the table signing_keys. Rows with retired_at do not
 * exist for it.
 */
#ifndef PARLEY_IDENTITY_KEY_TABLE_H
#define PARLEY_IDENTITY_KEY_TABLE_H

#include "common/base/uuid.h"
#include "common/io/sql/sql.h"

struct key_row {
	char kid[UUID_TEXT_LEN + 1];
	char signs_from[32]; /* UTC, as in RFC 3339 */
	bool may_sign;       /* signs_from is over */
	bool is_old;         /* and over by more than the days of a rotation */
	bool must_extend; /* verifies_until is closer than a token may live */
	bool is_dead;     /* verifies_until is over */
	bool is_clear;    /* private_pem has the key */
	/* For the reader of the rows: */
	bool usable;    /* the keyring has the key */
	bool must_seal; /* to be encrypted under the secret of now */
};

/* Of one of both; valid until the next call of the connection. */
struct key_text {
	struct span pem;
	struct span sealed;
};

/* One connection at a time has the lock; ST_BUSY: another, for a second. */
MUST_CHECK enum status key_table_lock(struct sql *sql);
void key_table_unlock(struct sql *sql);

/* Then key_table_next() for each row, newest first; ST_NOT_FOUND: no more. */
MUST_CHECK enum status key_table_select(struct sql *sql, uint64_t rotate_days,
                                        uint64_t lives_s);
MUST_CHECK enum status key_table_next(struct sql *sql, struct key_row *ret_row,
                                      struct key_text *ret_text);
/* Sets kid and is_clear only. */
MUST_CHECK enum status key_table_find(struct sql *sql, struct span kid,
                                      struct key_row *ret_row,
                                      struct key_text *ret_text);
/* The key signs in `lead_s` seconds. */
MUST_CHECK enum status key_table_insert(struct sql *sql, struct span kid,
                                        struct span sealed, uint64_t lead_s);
/* verifies_until becomes now and `seconds`, unless it is later. */
MUST_CHECK enum status key_table_extend(struct sql *sql, struct span kid,
                                        uint64_t seconds);
/* ST_NOT_FOUND: the row has changed since it was read. */
MUST_CHECK enum status
key_table_seal(struct sql *sql, const struct key_row *row, struct span sealed);
/* If it is dead. */
MUST_CHECK enum status key_table_delete(struct sql *sql, struct span kid);

#endif
