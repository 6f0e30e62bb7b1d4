/*
 * token_bucket - a rate limit that allows short bursts.
 *
 * A bucket holds rate.burst tokens and regains rate.per_s tokens each second.
 * It refills in steps of a whole second: that is exact enough against abuse,
 * and a bucket takes eight bytes only.
 *
 * Ownership  part of the caller's object; a zeroed bucket is full.
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
	uint32_t at_s; /* of the last refill */
};

/* False when fewer than `units` tokens are left; the bucket is then empty. */
bool token_bucket_take(struct token_bucket *bucket,
                       const struct token_bucket_rate *rate, uint32_t units,
                       uint64_t now_s);

#endif
