/*
 * guess_limit - how often a secret may be guessed: table guess_limits.
 *
 * Failures are counted for a name, whether it exists or not, and for an address
 * (of IPv6: a /64). An address that signed in to an account is known to it for
 * a while (table known_addresses), and has a count of its own for that account:
 * so a stranger cannot lock the owner out. Past a limit guess_limit_try()
 * refuses, and the caller checks nothing.
 *
 * An attempt counts as a failure from the moment it is let through, so that
 * parallel guesses cannot pass a limit together. guess_limit_forgive() takes
 * that back when the secret was right.
 *
 * All instances share the tables; the server's clock counts.
 */
#ifndef PARLEY_IDENTITY_GUESS_GUESS_LIMIT_H
#define PARLEY_IDENTITY_GUESS_GUESS_LIMIT_H

#include "common/base/ip_address.h"
#include "common/io/digest.h"
#include "common/io/sql/sql.h"
#include "common/wire/name.h"
#include "identity-service/guess/guess_window.h"

enum {
	/* Addresses that are known to one account. */
	KNOWN_ADDRESSES_MAX = 100,
	/* Rows that one call of guess_limit_purge() deletes of each table. */
	GUESS_PURGE_MAX = 1000,
};

struct guess_rules {
	struct guess_rule name;
	struct guess_rule known; /* one address at an account that knows it */
	struct guess_rule address;
	uint64_t known_s;
};

enum guess_subject { GUESS_ADDRESS, GUESS_NAME, GUESS_KNOWN, GUESS_SUBJECTS };

struct guess {
	/* Set by guess_start(). */
	struct ip_address address;
	uint64_t user;     /* 0: there is no such account */
	bool address_only; /* the failure of no name */
	struct digest name;
	/* Set by guess_limit_try(). */
	enum guess_subject counted[2];
	uint64_t slot[2];
	enum guess_subject refused_by;
	uint64_t wait_s;
	/* Set by the caller: perhaps it is not counted any more. */
	bool forgiven;
};

void guess_start(struct guess *guess, const struct name_keys *name,
                 uint64_t user, const struct ip_address *client);
/* The same for a guess that only the address is counted for. */
void guess_start_address(struct guess *guess, const struct ip_address *client);
/*
 * Within a transaction of the caller, which commits it in any case. ST_DENIED:
 * refused for guess->wait_s seconds.
 */
MUST_CHECK enum status guess_limit_count(struct sql *sql,
                                         const struct guess_rules *rules,
                                         struct guess *guess);
/* The same as one transaction. */
MUST_CHECK enum status guess_limit_try(struct sql *sql,
                                       const struct guess_rules *rules,
                                       struct guess *guess);
/*
 * Within a transaction of the caller: the guess was right, and is not counted
 * any more; but not twice, see guess->forgiven. `user` knows the address from
 * now on, unless the guess is of an address only.
 */
MUST_CHECK enum status guess_limit_forgive(struct sql *sql,
                                           const struct guess_rules *rules,
                                           struct guess *guess);
/* Within a transaction of the caller: `user` knows the address from now on. */
MUST_CHECK enum status known_address_add(struct sql *sql, uint64_t user,
                                         const struct ip_address *client);
/* Deletes rows that no longer count. *ret_more: there may be others. */
MUST_CHECK enum status guess_limit_purge(struct sql *sql,
                                         const struct guess_rules *rules,
                                         bool *ret_more);

#endif
