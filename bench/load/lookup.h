/*
 * lookup - mode `lookup`: looks up tokens at the identity service, over
 * options->connections kept-alive connections with one request in flight each.
 */
#ifndef PARLEY_BENCH_LOAD_LOOKUP_H
#define PARLEY_BENCH_LOAD_LOOKUP_H

#include "bench/load/load_options.h"

int lookup_run(const struct load_options *options);

#endif
