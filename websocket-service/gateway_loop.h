/*
 * gateway_loop - the libuv loop of the gateway, its timers, and the hooks
 * around each wait. It can measure each turn (turn_watch.h), from the end of
 * before_wait to the end of the next one.
 *
 * Ownership  modules add handles of their own to the uv loop, and close them
 *            before gateway_loop_settle().
 * Threads    one; a wake-up by service_wake_fd() only ends the wait.
 */
#ifndef PARLEY_WEBSOCKET_GATEWAY_LOOP_H
#define PARLEY_WEBSOCKET_GATEWAY_LOOP_H

struct gateway_loop;
struct slow_turn;
struct uv_loop_s;

enum { GATEWAY_LOOP_TICK_MS = 50 };

struct gateway_loop_events {
	void (*second)(void *context);
	void (*tick)(void *context); /* each GATEWAY_LOOP_TICK_MS */
	void (*before_wait)(void *context);
	void (*after_wait)(void *context);
	/* A turn took more CPU time than the limit, or slept too long. */
	void (*slow_turn)(void *context, const struct slow_turn *slow);
};

/* `events` must outlive the loop. turn_max_ms 0: turns are not measured. */
struct gateway_loop *
gateway_loop_create(const struct gateway_loop_events *events,
                    unsigned turn_max_ms, void *context);
struct uv_loop_s *gateway_loop_uv(struct gateway_loop *loop);
/* From the next turn on: before a gateway listens, no socket waits for it. */
void gateway_loop_measure(struct gateway_loop *loop);
/* Waits for events and handles them once. */
void gateway_loop_step(struct gateway_loop *loop);
/* Turns without waiting, so that handles being closed go away. */
void gateway_loop_settle(struct gateway_loop *loop);
/* Closes the loop's own handles; settle and destroy it then. */
void gateway_loop_close(struct gateway_loop *loop);
void gateway_loop_destroy(struct gateway_loop **loop);

#endif
