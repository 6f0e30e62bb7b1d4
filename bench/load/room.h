/*
 * room - mode `room`: many sockets receive while another program sends events
 * to all of them.
 *
 * An event is a `message` frame. Its seq counts from 1; its text begins with
 * the time it was made: "<µs of the monotonic clock> ". Each socket must get
 * each seq once and in order; a missing seq counts as a gap, a repeated one as
 * a duplicate.
 *
 * Stdout: one JSON object when all sockets are welcomed; then the seq of each
 * message, alone on a line, as soon as all sockets have it; and for each line
 * "report" on stdin a JSON object about what was received since the last one.
 * The mode ends when stdin ends.
 */
#ifndef PARLEY_BENCH_LOAD_ROOM_H
#define PARLEY_BENCH_LOAD_ROOM_H

#include "bench/load/load_options.h"

int room_run(const struct load_options *options);

#endif
