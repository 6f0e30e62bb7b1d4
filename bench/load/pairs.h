/*
 * pairs - mode `pairs`: pairs of users, one of each sends to the other.
 *
 * Closed loop (options->rate 0): each pair keeps options->in_flight messages
 * unsaved, and the rate follows. Open loop: messages are sent at fixed times
 * whatever the server does, and latency counts from the time a message was due,
 * so that a stall is not hidden.
 *
 * After the senders stop, it accounts for every message: lost, duplicate and
 * misordered ones.
 */
#ifndef PARLEY_BENCH_LOAD_PAIRS_H
#define PARLEY_BENCH_LOAD_PAIRS_H

#include "bench/load/load_options.h"

/* Prints one JSON object. Exit code 1: a message was lost or duplicated. */
int pairs_run(const struct load_options *options);

#endif
