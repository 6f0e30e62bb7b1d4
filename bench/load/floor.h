/*
 * floor - mode `floor`: a minimal gateway, the lower bound that Parley's
 * gateway is compared with. It accepts every upgrade without a check, sends
 * `welcome` at once, and sends each line of stdin as one text frame to all
 * sockets.
 *
 * One thread, one epoll, one write for each frame and socket. It listens on a
 * free port of 127.0.0.1, prints the port in a JSON object, and ends when stdin
 * ends.
 */
#ifndef PARLEY_BENCH_LOAD_FLOOR_H
#define PARLEY_BENCH_LOAD_FLOOR_H

#include "bench/load/load_options.h"

int floor_run(const struct load_options *options);

#endif
