/*
 * histogram - latencies in microseconds, in buckets whose width grows with the
 * value, like HdrHistogram: exact below 128, within 1.6 % above.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_HISTOGRAM_H
#define PARLEY_CLIENT_TEST_CLI_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_EXACT = 128,
	HISTOGRAM_STEPS = 64, /* buckets for each power of two above */
	HISTOGRAM_POWERS = 33,
	HISTOGRAM_BUCKETS =
		HISTOGRAM_EXACT + HISTOGRAM_STEPS * HISTOGRAM_POWERS,
};

struct json_writer;

/* Empty when zeroed. */
struct histogram {
	uint64_t count;
	uint64_t max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t us);
/* The value that `percent` of the samples do not exceed; 0 if it is empty. */
uint64_t histogram_at(const struct histogram *histogram, double percent);
/* Writes an object: count, p50, p90, p95, p99, p999 and max. */
void histogram_write(const struct histogram *histogram, const char *name,
                     struct json_writer *w);

#endif
