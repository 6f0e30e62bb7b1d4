/*
 * bench_pairs - pairs of users, one of each sending to the other.
 *
 * Closed loop (options->rate 0): each pair keeps options->in_flight messages
 * unsaved; the rate is what comes of it. Open loop: messages leave at fixed
 * times whatever the server does, and latency counts from the time that a
 * message should have left, so that a stall is not hidden.
 *
 * Every message is accounted for: lost, doubled and misordered ones are counted
 * to the last, after the senders have stopped.
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_PAIRS_H
#define PARLEY_BENCH_LOAD_BENCH_PAIRS_H

#include "client-test/cli/options.h"

/* Prints one JSON object. An exit code: 1 when something was lost or doubled.
 */
int bench_pairs(const struct options *options);

#endif
