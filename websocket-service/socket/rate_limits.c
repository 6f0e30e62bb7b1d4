#include "websocket-service/socket/rate_limits.h"
#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/base/token_bucket.h"

struct rate_limits {
	struct token_bucket_rate rate;
	struct lru *buckets; /* by user */
};

struct rate_limits *rate_limits_create(uint32_t per_s, uint32_t burst,
                                       uint32_t users_max)
{
	struct rate_limits *limits = mem_new(sizeof(*limits));

	limits->rate = (struct token_bucket_rate){per_s, burst};
	if (per_s)
		limits->buckets =
			lru_create(users_max, sizeof(struct token_bucket));
	return limits;
}

void rate_limits_destroy(struct rate_limits **limits)
{
	if (!*limits)
		return;
	lru_destroy(&(*limits)->buckets);
	mem_free(limits);
}

bool rate_limits_take(struct rate_limits *limits, uint64_t user)
{
	struct span key = span_make(&user, sizeof(user));
	struct token_bucket bucket = {0};
	bool fits;

	if (!limits->buckets)
		return true;
	(void)lru_get(limits->buckets, key, 0, &bucket);
	fits = token_bucket_take(&bucket, &limits->rate, 1, clock_mono_s());
	lru_put(limits->buckets, key, &bucket, UINT64_MAX);
	return fits;
}

bool refusals_take(struct refusals *refusals)
{
	uint32_t now_s = (uint32_t)clock_mono_s();

	if (now_s - refusals->since_s >= TOO_FAST_WINDOW_S)
		*refusals = (struct refusals){.since_s = now_s};
	return ++refusals->count <= TOO_FAST_MAX;
}
