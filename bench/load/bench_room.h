/*
 * bench_room - many sockets that listen, while somebody else makes events for
 * all of them.
 *
 * An event is a `message` frame whose seq counts from 1 and whose text begins
 * with the time at which it was made: "<µs of the monotonic clock> ". Each
 * socket must get each seq once and in order; else it is counted as a gap or a
 * duplicate.
 *
 * Stdout: one JSON object when all are welcomed; then the seq, alone on a line,
 * of each message as soon as all have it; and a JSON object for what was
 * received since the last one, whenever the line "report" comes on stdin. Ends
 * with stdin.
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_ROOM_H
#define PARLEY_BENCH_LOAD_BENCH_ROOM_H

#include "client-test/cli/options.h"

int bench_room(const struct options *options);

#endif
