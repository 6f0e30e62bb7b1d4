/*
 * bench_storm - very many sockets that are all cut at once and come back as
 * clients should: each waits with full jitter before every try, and gives up a
 * try that is not answered.
 *
 * Prints one JSON object when all are welcomed. From then on a loss, whoever's
 * doing it is, or the line "cut" on stdin, which hangs up all of them, begins a
 * storm; when the last one is back another JSON object tells of it. Ends with
 * stdin.
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_STORM_H
#define PARLEY_BENCH_LOAD_BENCH_STORM_H

#include "client-test/cli/options.h"

int bench_storm(const struct options *options);

#endif
