/*
 * stage - what every subcommand with people in it needs: a loop, the REST
 * calls, an end.
 *
 * To leave: stage_leave() drops the REST calls, then whatever lives on the loop
 * is destroyed, then stage_stop() closes the loop.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_STAGE_H
#define PARLEY_CLIENT_TEST_CLIENT_STAGE_H

#include "client-test/client/rest.h"

#include <stdbool.h>
#include <stdint.h>

struct stage;
struct uv_loop_s;

/* SIGINT and SIGTERM end it, with 128 and the signal's number. */
struct stage *stage_create(const char *url);
struct uv_loop_s *stage_loop(struct stage *stage);
struct rest *stage_rest(struct stage *stage);

/* The first exit code stays. */
void stage_end(struct stage *stage, int code);
bool stage_over(const struct stage *stage);
/* It is not over after all: what ended it was the end of a part only. */
void stage_go_on(struct stage *stage);
/* Turns the loop until it is over, or `*until` is true, or the time is. */
void stage_run(struct stage *stage, const bool *until, uint64_t timeout_ms);

void stage_leave(struct stage *stage);
/* Frees it; gives its exit code. */
int stage_stop(struct stage **stage);

#endif
