/*
 * bench_idle - very many sockets that do nothing: how fast they open, and for
 * somebody else to weigh the server with.
 *
 * bench_connect() prints one JSON object when all are welcomed. bench_idle()
 * then answers pings until stdin ends, prints another one and hangs up.
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_IDLE_H
#define PARLEY_BENCH_LOAD_BENCH_IDLE_H

#include "client-test/cli/options.h"

int bench_connect(const struct options *options);
int bench_idle(const struct options *options);

#endif
