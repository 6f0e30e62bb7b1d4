/*
 * bench_lookup - asks whose token it is, again and again, over kept-alive
 * connections with one request in flight on each.
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_LOOKUP_H
#define PARLEY_BENCH_LOAD_BENCH_LOOKUP_H

#include "client-test/cli/options.h"

int bench_lookup(const struct options *options);

#endif
