#include "common/io/kafka/kafka.h"

/* Austin Appleby's MurmurHash2 with the seed that Kafka chose. */
enum { SHIFT = 24, POSITIVE = 0x7fffffff };
#define SEED   UINT32_C(0x9747b28c)
#define FACTOR UINT32_C(0x5bd1e995)

static uint32_t word(const uint8_t *at, size_t len)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < len; i++)
		bits |= (uint32_t)at[i] << (8 * i);
	return bits;
}

uint32_t kafka_key_hash(struct span key)
{
	const uint8_t *at = (const uint8_t *)key.data;
	uint32_t hash = SEED ^ (uint32_t)key.len;
	size_t left = key.len;

	for (; left >= 4; left -= 4, at += 4) {
		uint32_t bits = word(at, 4) * FACTOR;

		bits ^= bits >> SHIFT;
		hash = (hash * FACTOR) ^ (bits * FACTOR);
	}
	if (left)
		hash = (hash ^ word(at, left)) * FACTOR;
	hash = (hash ^ (hash >> 13)) * FACTOR;
	return (hash ^ (hash >> 15)) & POSITIVE;
}
