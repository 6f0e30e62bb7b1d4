/*
 * slow_turn - the log line of a turn that took too long (turn_watch.h).
 */
#ifndef PARLEY_SERVICE_SLOW_TURN_H
#define PARLEY_SERVICE_SLOW_TURN_H

#include "common/base/turn_watch.h"

/* `loop` is its name in the log; a constant. */
void slow_turn_log(const char *loop, const struct slow_turn *slow);
/* Ends a turn without waits for events, and logs a slow one. */
void slow_turn_end(const char *loop, struct turn_watch *watch);

#endif
