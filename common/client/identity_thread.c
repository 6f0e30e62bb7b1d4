#include "common/client/identity_thread.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>
#include <uv.h>

enum { CALLS_MAX = 1024 };

/*
 * One call of identity_thread_get(). It belongs to both sides: the last of them
 * frees it, the caller when it is finished, the thread when it is abandoned.
 */
struct call {
	struct call *prev, *next; /* in `mailbox`, later in `taken` */
	struct identity_thread *owner;
	struct identity_request request; /* its token lies in `token` */
	char *token;
	struct identity_waiter waiter;
	/* Under the lock. */
	pthread_cond_t done;
	struct identity_response response;
	bool finished;
	bool abandoned; /* the caller has timed out */
};

struct identity_thread {
	pthread_t thread;
	unsigned timeout_ms;
	struct identity_client *client;
	/* The thread's own. */
	uv_loop_t loop;
	uv_async_t wake;
	struct call *taken;
	/* Shared with the callers, under the lock. */
	pthread_mutex_t lock;
	struct call *mailbox;
	unsigned calls;   /* all, also abandoned ones */
	unsigned callers; /* inside of wait_for() */
	pthread_cond_t callers_left;
	bool stopping;
};

/* --- calls --------------------------------------------------------------- */

static void init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

/* Under the lock. */
static struct call *call_create(struct identity_thread *t,
                                const struct identity_request *request)
{
	struct call *call = mem_new(sizeof(*call));

	t->calls++;
	call->owner = t;
	call->request = *request;
	call->token = mem_text(request->token.data, request->token.len);
	call->request.token.data = call->token;
	init_cond(&call->done);
	return call;
}

/* Under the lock. */
static void call_destroy(struct call *call)
{
	call->owner->calls--;
	(void)pthread_cond_destroy(&call->done);
	mem_free(&call->token);
	mem_free(&call);
}

/* Under the lock; the call is in no list. */
static void finish(struct call *call, const struct identity_response *response)
{
	if (call->abandoned) {
		call_destroy(call);
		return;
	}
	call->response = *response;
	call->finished = true;
	(void)pthread_cond_signal(&call->done);
}

/* --- the thread ---------------------------------------------------------- */

static void start_call(struct call *call);

static bool is_abandoned(struct call *call)
{
	bool abandoned;

	(void)pthread_mutex_lock(&call->owner->lock);
	abandoned = call->abandoned;
	(void)pthread_mutex_unlock(&call->owner->lock);
	return abandoned;
}

/* In a joined request, the denied token may be that of another caller. */
static void on_response(void *context, const struct identity_response *response)
{
	struct call *call = context;
	struct identity_thread *t = call->owner;

	if (response->status == ST_DENIED && call->waiter.joined &&
	    call->request.kind == IDENTITY_USER && !is_abandoned(call)) {
		start_call(call);
		return;
	}
	DL_DELETE(t->taken, call);
	(void)pthread_mutex_lock(&t->lock);
	finish(call, response);
	(void)pthread_mutex_unlock(&t->lock);
}

static void start_call(struct call *call)
{
	struct identity_response response;

	call->waiter.done = on_response;
	call->waiter.context = call;
	if (identity_client_get(call->owner->client, &call->request,
	                        &call->waiter, &response)) {
		call->waiter.joined = false;
		on_response(call, &response);
	}
}

static void on_wake(uv_async_t *wake)
{
	struct identity_thread *t = wake->data;
	struct call *mailbox, *call, *next;

	(void)pthread_mutex_lock(&t->lock);
	mailbox = MOVE(t->mailbox);
	if (t->stopping)
		uv_stop(&t->loop);
	(void)pthread_mutex_unlock(&t->lock);
	DL_FOREACH_SAFE (mailbox, call, next) {
		DL_DELETE(mailbox, call);
		DL_APPEND(t->taken, call);
		start_call(call);
	}
}

static void *work(void *context)
{
	struct identity_thread *t = context;

	(void)uv_run(&t->loop, UV_RUN_DEFAULT);
	return NULL;
}

struct identity_thread *
identity_thread_start(const struct identity_client_options *options)
{
	struct identity_thread *t = mem_new(sizeof(*t));
	struct identity_client_options own = *options;

	t->timeout_ms = options->timeout_ms;
	(void)pthread_mutex_init(&t->lock, NULL);
	init_cond(&t->callers_left);
	if (uv_loop_init(&t->loop) ||
	    uv_async_init(&t->loop, &t->wake, on_wake))
		abort();
	t->wake.data = t;
	own.loop = &t->loop;
	t->client = identity_client_create(&own);
	thread_start("identity", work, t, &t->thread);
	return t;
}

/* --- the end ------------------------------------------------------------- */

static void close_loop(struct identity_thread *t)
{
	identity_client_destroy(&t->client);
	uv_close((uv_handle_t *)&t->wake, NULL);
	(void)uv_run(&t->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&t->loop);
}

/* Under the lock. */
static void finish_all(struct call **list)
{
	struct identity_response none = {.status = ST_UNAVAILABLE};
	struct call *call, *next;

	DL_FOREACH_SAFE (*list, call, next) {
		DL_DELETE(*list, call);
		finish(call, &none);
	}
}

void identity_thread_stop(struct identity_thread **thread)
{
	struct identity_thread *t = MOVE(*thread);

	if (!t)
		return;
	(void)pthread_mutex_lock(&t->lock);
	t->stopping = true;
	(void)pthread_mutex_unlock(&t->lock);
	(void)uv_async_send(&t->wake);
	(void)pthread_join(t->thread, NULL);
	close_loop(t);
	(void)pthread_mutex_lock(&t->lock);
	finish_all(&t->mailbox);
	finish_all(&t->taken);
	while (t->callers)
		(void)pthread_cond_wait(&t->callers_left, &t->lock);
	(void)pthread_mutex_unlock(&t->lock);
	(void)pthread_cond_destroy(&t->callers_left);
	(void)pthread_mutex_destroy(&t->lock);
	mem_free(&t);
}

/* --- callers ------------------------------------------------------------- */

static struct timespec timespec_of(uint64_t mono_ms)
{
	return (struct timespec){.tv_sec = (time_t)(mono_ms / 1000),
	                         .tv_nsec = (long)(mono_ms % 1000) * 1000000};
}

/* Under the lock. */
static void hand_over(struct identity_thread *t, struct call *call)
{
	DL_APPEND(t->mailbox, call);
	(void)uv_async_send(&t->wake);
}

/* Under the lock. Afterwards the call is freed, or the thread owns it. */
static void wait_for(struct call *call, uint64_t until_ms,
                     struct identity_response *ret_response)
{
	struct identity_thread *t = call->owner;
	struct timespec until = timespec_of(until_ms);
	int error = 0;

	t->callers++;
	while (!call->finished && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&call->done, &t->lock, &until);
	if (call->finished) {
		*ret_response = call->response;
		call_destroy(call);
	} else {
		call->abandoned = true;
	}
	if (--t->callers == 0 && t->stopping)
		(void)pthread_cond_signal(&t->callers_left);
}

enum status identity_thread_get(struct identity_thread *t,
                                const struct identity_request *request,
                                struct identity_response *ret_response)
{
	uint64_t until_ms = clock_mono_ms() + t->timeout_ms;

	if (identity_client_cached(t->client, request, ret_response))
		return ret_response->status;
	*ret_response = (struct identity_response){.status = ST_UNAVAILABLE};
	(void)pthread_mutex_lock(&t->lock);
	if (!t->stopping && t->calls < CALLS_MAX) {
		struct call *call = call_create(t, request);

		hand_over(t, call);
		wait_for(call, until_ms, ret_response);
	}
	(void)pthread_mutex_unlock(&t->lock);
	return ret_response->status;
}

unsigned identity_thread_callers(struct identity_thread *t)
{
	unsigned callers;

	(void)pthread_mutex_lock(&t->lock);
	callers = t->callers;
	(void)pthread_mutex_unlock(&t->lock);
	return callers;
}
