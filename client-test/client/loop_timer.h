/*
 * loop_timer - a one-shot timer on an event loop.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_LOOP_TIMER_H
#define PARLEY_CLIENT_TEST_CLIENT_LOOP_TIMER_H

#include <stdint.h>

struct loop_timer;
struct uv_loop_s;

typedef void loop_timer_callback(void *context);

struct loop_timer *loop_timer_create(struct uv_loop_s *loop,
                                     loop_timer_callback *callback,
                                     void *context);
/* Stops the timer. The loop must run once more to free it. */
void loop_timer_destroy(struct loop_timer **timer);
/* Fires once, `ms` from now; replaces an earlier start. */
void loop_timer_start(struct loop_timer *timer, uint64_t ms);
void loop_timer_stop(struct loop_timer *timer);

#endif
