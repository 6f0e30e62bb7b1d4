/*
 * send_limit - how many codes may be sent: to a phone, for an address, to a
 * country, and in all.
 *
 * SMS cost money, and some numbers pay the one that makes others send to them
 * ("SMS pumping"). The limits are the same for phones with and without an
 * account. All instances share them: table guess_limits.
 *
 * Pumped numbers send no code back. Where too few codes of a country come back,
 * the limit of the country is a lower one, until the window has passed.
 */
#ifndef PARLEY_IDENTITY_PHONE_SEND_LIMIT_H
#define PARLEY_IDENTITY_PHONE_SEND_LIMIT_H

#include "common/base/ip_address.h"
#include "common/io/sql/sql.h"
#include "identity-service/phone/phone.h"

/* In this order their rows are locked. */
enum send_subject {
	SEND_PHONE,
	SEND_ADDRESS,
	SEND_COUNTRY,
	SEND_TOTAL,
	SEND_FEW_USED, /* the lower limit of a country */
	SEND_SUBJECTS
};

struct send_rules {
	uint64_t window_s;
	uint64_t max[SEND_SUBJECTS]; /* codes within the window */
	uint64_t used_percent;       /* of a country's codes; 0: any */
};

/*
 * Counts a code. Run it inside a transaction, and roll that back on ST_DENIED:
 * *ret_refused_by has the limit, and after *ret_wait_s seconds there is room.
 */
MUST_CHECK enum status
send_limit_count(struct sql *sql, const struct send_rules *rules,
                 const struct phone *phone, const struct ip_address *client,
                 enum send_subject *ret_refused_by, uint64_t *ret_wait_s);
/*
 * Counts a code that came back. The last call of a transaction: it locks a row
 * that all users of the country share.
 */
MUST_CHECK enum status send_limit_count_used(struct sql *sql,
                                             const struct send_rules *rules,
                                             const struct phone *phone);

#endif
