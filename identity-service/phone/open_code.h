/*
 * open_code - the codes that were sent and may be used: table phone_codes. A
 * phone has one open code; a new one takes its place.
 *
 * Run the calls inside a transaction. The server's clock counts.
 */
#ifndef PARLEY_IDENTITY_PHONE_OPEN_CODE_H
#define PARLEY_IDENTITY_PHONE_OPEN_CODE_H

#include "common/base/uuid.h"
#include "common/io/sql/sql.h"
#include "identity-service/phone/code.h"

enum { OPEN_CODE_PURGE_MAX = 1000 };

struct open_code {
	struct uuid id; /* of the request that sent it */
	/* Without a digest, the SMS provider checks the code. */
	bool has_digest;
	struct digest digest;
};

/* Idempotent by code->id. */
MUST_CHECK enum status open_code_put(struct sql *sql, const struct phone *phone,
                                     const struct open_code *code,
                                     uint64_t ttl_s);
/*
 * When the last code was sent to the phone: *ret_wait_s is the rest of
 * interval_s, 0 when it has passed. *ret_same: it was code->id.
 */
MUST_CHECK enum status open_code_wait(struct sql *sql,
                                      const struct phone *phone,
                                      const struct uuid *id,
                                      uint64_t interval_s, uint64_t *ret_wait_s,
                                      bool *ret_same);
/* Counts a try. ST_DENIED: the phone has no open code. */
MUST_CHECK enum status open_code_try(struct sql *sql, const struct phone *phone,
                                     uint64_t tries_max,
                                     struct open_code *ret_code);
/* The try does not count. */
MUST_CHECK enum status open_code_untry(struct sql *sql,
                                       const struct phone *phone,
                                       const struct open_code *code);
/* From now on the service checks the code, because the provider has. */
MUST_CHECK enum status open_code_set_digest(struct sql *sql,
                                            const struct phone *phone,
                                            const struct open_code *code);
/*
 * Uses the code up, for the request `user`. Locks the phone until the
 * transaction ends. ST_DENIED: another request has used it or replaced it.
 * *ret_again: this request did so before, in a transaction with an unknown
 * outcome.
 */
MUST_CHECK enum status open_code_use(struct sql *sql, const struct phone *phone,
                                     const struct open_code *code,
                                     const struct uuid *user, bool *ret_again);
/* Deletes rows a day after their codes ended. *ret_more: there may be others.
 */
MUST_CHECK enum status open_code_purge(struct sql *sql, bool *ret_more);

#endif
