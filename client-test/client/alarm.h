/*
 * alarm - one timer on a loop, that rings once each time it is set.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_ALARM_H
#define PARLEY_CLIENT_TEST_CLIENT_ALARM_H

#include <stdint.h>

struct alarm;
struct uv_loop_s;

typedef void alarm_ring(void *context);

struct alarm *alarm_create(struct uv_loop_s *loop, alarm_ring *ring,
                           void *context);
/* It never rings again; the loop must turn once more. */
void alarm_destroy(struct alarm **alarm);
/* From now; an earlier setting is forgotten. */
void alarm_set(struct alarm *alarm, uint64_t ms);
void alarm_stop(struct alarm *alarm);

#endif
