/*
 * bucket - a rate that may be passed for a moment: a token bucket.
 *
 * It holds rate.burst units and gets rate.per_s of them back each second. That
 * happens in steps of a whole second, which is exact enough against abuse and
 * makes a bucket eight bytes.
 *
 * Ownership  part of the caller's object; zeroed it is full.
 * Units      now_s is monotonic seconds and never goes back.
 */
#ifndef PARLEY_BASE_TOKEN_BUCKET_H
#define PARLEY_BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct token_bucket_rate {
	uint32_t per_s;
	uint32_t burst;
};

struct token_bucket {
	uint32_t taken;
	uint32_t at_s; /* when units last came back */
};

/* False when there are not so many: then all that were there are taken. */
bool token_bucket_take(struct token_bucket *bucket,
                       const struct token_bucket_rate *rate, uint32_t units,
                       uint64_t now_s);

#endif
