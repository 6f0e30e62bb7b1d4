/*
 * profile - what a user says of itself: columns of the table users.
 *
 * Errors     as common/io/sql/sql.h states.
 * Ownership  the texts of a profile live until the next call on the connection.
 */
#ifndef PARLEY_IDENTITY_ACCOUNT_PROFILE_H
#define PARLEY_IDENTITY_ACCOUNT_PROFILE_H

#include "common/io/sql/sql.h"
#include "common/wire/name.h"

enum {
	PROFILE_ABOUT_MAX = 500,       /* code points */
	PROFILE_AVATAR_URL_MAX = 2048, /* bytes */
	PROFILE_IDS_MAX = 100,         /* of profile_select_many() */
};

/* The texts that a user may change. */
enum profile_text {
	PROFILE_DISPLAY_NAME,
	PROFILE_ABOUT,
	PROFILE_AVATAR_URL,
	PROFILE_TEXTS
};

struct profile {
	uint64_t id;
	bool deleted; /* the account, and with it all that follows */
	struct span name;
	/* SQL_NULL: not set. */
	struct sql_value text[PROFILE_TEXTS];
	struct sql_value phone;
};

/* ST_NOT_FOUND: there never was such a user. */
MUST_CHECK enum status profile_by_id(struct sql *sql, uint64_t id,
                                     struct profile *ret_profile);
/* ST_NOT_FOUND: no user has this name, or only a deleted one. */
MUST_CHECK enum status profile_by_name(struct sql *sql,
                                       const struct name_keys *keys,
                                       struct profile *ret_profile);
/*
 * Selects 1 … PROFILE_IDS_MAX users, except deleted ones. profile_next() gives
 * them one by one, ascending by id and each once, then ST_NOT_FOUND.
 */
MUST_CHECK enum status profile_select_many(struct sql *sql, const uint64_t *ids,
                                           unsigned count);
MUST_CHECK enum status profile_next(struct sql *sql,
                                    struct profile *ret_profile);

/* SQL_NULL removes a text. */
struct profile_change {
	bool changes[PROFILE_TEXTS];
	struct sql_value text[PROFILE_TEXTS];
};
/* Changes nothing of a deleted account. */
MUST_CHECK enum status profile_apply(struct sql *sql, uint64_t id,
                                     const struct profile_change *change);

#endif
