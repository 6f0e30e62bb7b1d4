#include "persistence-service/rest/user_limit.h"

#include "common/base/lru.h"
#include "common/base/mem.h"

#include <pthread.h>

enum { USERS_MAX = 20000 };

struct user_limit {
	struct token_bucket_rate rate;
	pthread_mutex_t lock; /* held from reading a bucket to writing it */
	struct lru *buckets;  /* by user */
};

struct user_limit *user_limit_create(const struct token_bucket_rate *rate)
{
	struct user_limit *limit = mem_new(sizeof(*limit));

	limit->rate = *rate;
	limit->buckets = lru_create(USERS_MAX, sizeof(struct token_bucket));
	(void)pthread_mutex_init(&limit->lock, NULL);
	return limit;
}

void user_limit_destroy(struct user_limit **limit)
{
	if (!*limit)
		return;
	lru_destroy(&(*limit)->buckets);
	(void)pthread_mutex_destroy(&(*limit)->lock);
	mem_free(limit);
}

/* After this time any bucket is full again. */
static uint64_t keep_ms(const struct token_bucket_rate *rate)
{
	return (rate->burst / rate->per_s + 2) * UINT64_C(1000);
}

bool user_limit_take(struct user_limit *limit, uint64_t user, uint64_t now_ms)
{
	struct span key = span_make(&user, sizeof(user));
	struct token_bucket bucket = {0};
	bool fits;

	if (limit->rate.per_s == 0)
		return true;
	(void)pthread_mutex_lock(&limit->lock);
	if (!lru_get(limit->buckets, key, now_ms, &bucket))
		bucket = (struct token_bucket){0};
	fits = token_bucket_take(&bucket, &limit->rate, 1, now_ms / 1000);
	lru_put(limit->buckets, key, &bucket, now_ms + keep_ms(&limit->rate));
	(void)pthread_mutex_unlock(&limit->lock);
	return fits;
}
