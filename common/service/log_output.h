/*
 * log_output - writes lines to stdout without waiting for its reader.
 *
 * A pipe whose reader is slow is full. Lines then wait in a buffer of
 * LOG_OUTPUT_MAX bytes, for the next line or for log_output_flush(). Past the
 * bound lines are dropped and counted.
 *
 * Threads    any; lines do not mix.
 */
#ifndef PARLEY_SERVICE_LOG_OUTPUT_H
#define PARLEY_SERVICE_LOG_OUTPUT_H

#include "common/base/span.h"

#include <stdint.h>

enum { LOG_OUTPUT_MAX = 1024 * 1024 };

/* `line` ends with a line feed. */
void log_output_line(struct span line);
/* Writes what waits, for at most wait_ms. */
void log_output_flush(unsigned wait_ms);
/* Lines dropped since the last call; 0 while the buffer is still full. */
uint64_t log_output_take_dropped(void);

#endif
