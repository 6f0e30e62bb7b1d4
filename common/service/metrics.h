/*
 * metrics - counters, gauges and histograms for Prometheus (text format 0.0.4).
 *
 * Metrics are static variables. Register them once at start, in the order of
 * the output. Labels are part of the name:
 *
 *	static struct metric frames = METRIC_COUNTER(
 *		"parley_frames_total{direction=\"in\"}", "Frames by direction");
 *	…
 *	metrics_add(&frames);               at start
 *	metric_count(&frames, 1);           anywhere
 *
 * Threads    register on one thread, at start; update from any: an update is
 *            one relaxed atomic operation (a histogram: three).
 */
#ifndef PARLEY_SERVICE_METRICS_H
#define PARLEY_SERVICE_METRICS_H

#include "common/base/buf.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { METRIC_BUCKETS = 20 };

enum metric_kind { METRIC_IS_COUNTER, METRIC_IS_GAUGE, METRIC_IS_HISTOGRAM };

struct metric {
	const char *name;
	const char *help;
	enum metric_kind kind;
	atomic_uint_fast64_t value;
	/* Histogram: bucket i counts samples ≤ 50 µs · 2^i, the last all
	 * others. */
	atomic_uint_fast64_t bucket[METRIC_BUCKETS];
	atomic_uint_fast64_t sum_us;
	struct metric *next;
};

#define METRIC_COUNTER(name_, help_) \
	{ \
		.name = (name_), .help = (help_), .kind = METRIC_IS_COUNTER \
	}
#define METRIC_GAUGE(name_, help_) \
	{ \
		.name = (name_), .help = (help_), .kind = METRIC_IS_GAUGE \
	}
/* The name ends in _seconds. */
#define METRIC_HISTOGRAM(name_, help_) \
	{ \
		.name = (name_), .help = (help_), .kind = METRIC_IS_HISTOGRAM \
	}

void metrics_add(struct metric *metric);
void metric_count(struct metric *metric, uint64_t more);
void metric_set(struct metric *metric, uint64_t value);
/* Adds a sample to a histogram. */
void metric_observe_us(struct metric *metric, uint64_t us);
uint64_t metric_value(struct metric *metric);
/* Writes all metrics and those of the process (RSS, CPU seconds, open fds). */
void metrics_write(struct buf *ret_text);

#endif
