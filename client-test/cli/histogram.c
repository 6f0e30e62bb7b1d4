#include "client-test/cli/histogram.h"
#include "common/base/json_write.h"

enum { EXACT_BITS = 7, STEP_BITS = 6 };

static unsigned bucket_of(uint64_t us)
{
	unsigned power, step;

	if (us < HISTOGRAM_EXACT)
		return (unsigned)us;
	power = 63 - (unsigned)__builtin_clzll(us);
	step = (unsigned)(us >> (power - STEP_BITS)) & (HISTOGRAM_STEPS - 1);
	if (power - EXACT_BITS >= HISTOGRAM_POWERS)
		return HISTOGRAM_BUCKETS - 1;
	return HISTOGRAM_EXACT + (power - EXACT_BITS) * HISTOGRAM_STEPS + step;
}

/* The highest value that falls into the bucket. */
static uint64_t top_of(unsigned bucket)
{
	unsigned power, step;

	if (bucket < HISTOGRAM_EXACT)
		return bucket;
	bucket -= HISTOGRAM_EXACT;
	power = bucket / HISTOGRAM_STEPS + EXACT_BITS;
	step = bucket % HISTOGRAM_STEPS;
	return (UINT64_C(1) << power) +
	       ((uint64_t)(step + 1) << (power - STEP_BITS)) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t us)
{
	histogram->bucket[bucket_of(us)]++;
	histogram->count++;
	if (us > histogram->max)
		histogram->max = us;
}

uint64_t histogram_at(const struct histogram *histogram, double percent)
{
	double wanted = (double)histogram->count * percent / 100;
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t top = top_of(i);

		seen += histogram->bucket[i];
		if (seen && (double)seen >= wanted)
			return top < histogram->max ? top : histogram->max;
	}
	return histogram->max;
}

void histogram_write(const struct histogram *histogram, const char *name,
                     struct json_writer *w)
{
	json_open_object(w, name);
	json_number(w, "count", histogram->count);
	json_number(w, "p50", histogram_at(histogram, 50));
	json_number(w, "p90", histogram_at(histogram, 90));
	json_number(w, "p95", histogram_at(histogram, 95));
	json_number(w, "p99", histogram_at(histogram, 99));
	json_number(w, "p999", histogram_at(histogram, 99.9));
	json_number(w, "max", histogram->max);
	json_close(w);
}
