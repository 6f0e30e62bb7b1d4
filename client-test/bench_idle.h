/*
 * bench_idle - very many sockets that do nothing, for somebody else to weigh
 * the server with.
 *
 * Prints one JSON object when all are welcomed, then answers pings until stdin
 * ends, then prints how many are still there and hangs up.
 */
#ifndef PARLEY_CLIENT_TEST_BENCH_IDLE_H
#define PARLEY_CLIENT_TEST_BENCH_IDLE_H

#include "client-test/options.h"

int bench_idle(const struct options *options);

#endif
