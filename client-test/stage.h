/*
 * stage - what every subcommand with people in it needs: a loop, the REST
 * calls, an end.
 */
#ifndef PARLEY_CLIENT_TEST_STAGE_H
#define PARLEY_CLIENT_TEST_STAGE_H

#include "client-test/rest.h"

#include <stdbool.h>
#include <uv.h>

struct stage {
	uv_loop_t loop;
	uv_signal_t interrupt, terminate;
	uv_timer_t tick;
	struct rest *rest;
	bool over;
	bool interrupted;
	int code; /* the exit code, once it is over */
};

/* SIGINT and SIGTERM end it. */
void stage_start(struct stage *stage, const char *url);
void stage_end(struct stage *stage, int code);
/* Turns the loop until it is over, or `*until` is true, or the time is. */
void stage_run(struct stage *stage, const bool *until, uint64_t timeout_ms);
/* In this order: stage_leave(), destroy what lives on the loop, stage_stop().
 */
void stage_leave(struct stage *stage);
int stage_stop(struct stage *stage);

#endif
