#include "common/base/token_bucket.h"

bool token_bucket_take(struct token_bucket *bucket,
                       const struct token_bucket_rate *rate, uint32_t units,
                       uint64_t now_s)
{
	uint64_t back =
		(uint64_t)((uint32_t)now_s - bucket->at_s) * rate->per_s;

	bucket->at_s = (uint32_t)now_s;
	bucket->taken =
		back < bucket->taken ? bucket->taken - (uint32_t)back : 0;
	if (units > rate->burst - bucket->taken) {
		bucket->taken = rate->burst;
		return false;
	}
	bucket->taken += units;
	return true;
}
