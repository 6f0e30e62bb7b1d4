/*
 * event_loop - the event loop of a command: signals, REST calls, exit code.
 *
 * To shut down: event_loop_cancel_calls(), then destroy everything that lives
 * on the loop, then event_loop_close().
 */
#ifndef PARLEY_CLIENT_TEST_CLI_EVENT_LOOP_H
#define PARLEY_CLIENT_TEST_CLI_EVENT_LOOP_H

#include "client-test/client/rest.h"

#include <stdbool.h>
#include <stdint.h>

struct event_loop;
struct uv_loop_s;

/*
 * SIGINT, SIGTERM and SIGHUP end the loop with exit code 128 plus the signal
 * number; an ignored SIGHUP stays ignored. When stdout cannot be written, the
 * loop ends with EXIT_FAILED.
 */
struct event_loop *event_loop_create(const char *url);
struct uv_loop_s *event_loop_uv(struct event_loop *loop);
struct rest *event_loop_rest(struct event_loop *loop);

/* Ends event_loop_run(). The first exit code wins. */
void event_loop_end(struct event_loop *loop, int code);
bool event_loop_ended(const struct event_loop *loop);
/* Lets the loop run again after an end, for the next phase of a command. */
void event_loop_resume(struct event_loop *loop);
/* Runs until the loop is ended, `*until` is true, or the timeout expires. */
void event_loop_run(struct event_loop *loop, const bool *until,
                    uint64_t timeout_ms);

void event_loop_cancel_calls(struct event_loop *loop);
/* Frees the loop and returns its exit code. */
int event_loop_close(struct event_loop **loop);

#endif
