/*
 * idle - modes `connect` and `idle`: opens very many sockets that do nothing.
 *
 * connect_run() prints one JSON object when all sockets are welcomed: how fast
 * they opened. idle_run() then answers pings until stdin ends, so that the
 * caller can measure the server, prints a second object and disconnects.
 */
#ifndef PARLEY_BENCH_LOAD_IDLE_H
#define PARLEY_BENCH_LOAD_IDLE_H

#include "bench/load/load_options.h"

int connect_run(const struct load_options *options);
int idle_run(const struct load_options *options);

#endif
