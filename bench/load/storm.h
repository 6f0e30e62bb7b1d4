/*
 * storm - mode `storm`: very many sockets are cut at once and reconnect as
 * clients should: each waits with full jitter before every attempt and abandons
 * an attempt that is not answered.
 *
 * Prints one JSON object when all sockets are welcomed. Then a storm begins
 * when a socket is lost for any reason, or when the line "cut" on stdin makes
 * it disconnect all. When the last socket is back, it prints another JSON
 * object about the storm. The mode ends when stdin ends.
 */
#ifndef PARLEY_BENCH_LOAD_STORM_H
#define PARLEY_BENCH_LOAD_STORM_H

#include "bench/load/load_options.h"

int storm_run(const struct load_options *options);

#endif
