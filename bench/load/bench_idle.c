#include "bench/load/bench_idle.h"
#include "bench/load/bench_crowd.h"
#include "bench/load/bench_orders.h"
#include "client-test/cli/command.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"

#include <stdio.h>

enum { SECOND_US = 1000000, LOOK_US = 200000, NAP_US = 1000 };

static void report(const struct bench_crowd *crowd, const char *mode,
                   uint64_t took_us)
{
	const struct histogram *times = bench_crowd_times(crowd);
	struct buf text CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&text);
	unsigned welcomed = bench_crowd_welcomed(crowd);

	json_open(&w);
	json_text(&w, "mode", span_of(mode));
	json_number(&w, "sockets", welcomed);
	json_number(&w, "lost_sockets", bench_crowd_lost(crowd));
	json_double(&w, "seconds", (double)took_us / SECOND_US);
	json_double(&w, "connects_per_s",
	            (double)welcomed * SECOND_US / (double)took_us);
	json_number(&w, "p50_us", histogram_at(times, 50));
	json_number(&w, "p99_us", histogram_at(times, 99));
	json_number(&w, "max_us", times->max);
	json_close(&w);
	(void)puts(buf_text(&text));
	(void)fflush(stdout);
}

static const struct bench_crowd_events no_events = {0};

static bool fill(struct bench_crowd *crowd, const char *mode)
{
	uint64_t start_us = clock_mono_us();
	bool filled = bench_crowd_fill(crowd);

	report(crowd, mode, clock_mono_us() - start_us);
	return filled;
}

/* False when a socket was lost meanwhile. */
static bool hold(struct bench_crowd *crowd)
{
	char order[BENCH_ORDER_MAX];
	uint64_t start_us = clock_mono_us();

	bench_crowd_nap(crowd, NAP_US);
	while (bench_orders_next(order) != BENCH_ORDERS_ENDED)
		bench_crowd_turn(crowd, clock_mono_us() + LOOK_US);
	report(crowd, "idle", clock_mono_us() - start_us);
	return bench_crowd_lost(crowd) == 0;
}

int bench_idle(const struct options *options)
{
	struct bench_crowd *crowd CLEANUP(bench_crowd_destroy) = NULL;

	if (bench_crowd_create(options, &no_events, NULL, &crowd) != ST_OK)
		return EXIT_USAGE;
	return fill(crowd, "idle") && hold(crowd) ? EXIT_DONE : EXIT_FAILED;
}

int bench_connect(const struct options *options)
{
	struct bench_crowd *crowd CLEANUP(bench_crowd_destroy) = NULL;

	if (bench_crowd_create(options, &no_events, NULL, &crowd) != ST_OK)
		return EXIT_USAGE;
	return fill(crowd, "connect") ? EXIT_DONE : EXIT_FAILED;
}
