/*
 * bench_floor - the least that a gateway could do, as the limit that ours is
 * measured beside: it takes every upgrade, asks nobody, welcomes at once, and
 * sends each line of stdin as one text frame to all who are there.
 *
 * One thread, one epoll, one write for each frame and socket. It listens on a
 * free port of 127.0.0.1, says in a JSON object which, and ends with stdin.
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_FLOOR_H
#define PARLEY_BENCH_LOAD_BENCH_FLOOR_H

#include "client-test/cli/options.h"

int bench_floor(const struct options *options);

#endif
