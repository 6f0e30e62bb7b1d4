#define _GNU_SOURCE
#include "common/base/mem.h"
#include "common/io/http/private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct http_request *pop(struct http_lane_state *state)
{
	struct http_request *request = state->first;

	state->first = request->next;
	if (!state->first)
		state->last = NULL;
	state->waiting--;
	request->next = NULL;
	return request;
}

/* NULL when the lane stops. */
static struct http_request *wait_for_work(struct http_lane_state *state)
{
	struct http_request *request = NULL;

	(void)pthread_mutex_lock(&state->lock);
	while (!state->first && !state->stopping)
		(void)pthread_cond_wait(&state->work, &state->lock);
	if (!state->stopping) {
		request = pop(state);
		state->running++;
	}
	(void)pthread_mutex_unlock(&state->lock);
	return request;
}

/* The moment it resumes, the request belongs to the server's thread again. */
static void finish(struct http_lane_state *state, struct http_request *request)
{
	(void)pthread_mutex_lock(&state->lock);
	state->running--;
	(void)pthread_mutex_unlock(&state->lock);
	MHD_resume_connection(request->connection);
}

static void *work(void *argument)
{
	struct http_lane_state *state = argument;
	const struct http_lane *lane = state->lane;
	void *context = lane->lane_context;
	struct http_request *request;

	if (lane->worker_start)
		context = lane->worker_start(lane->lane_context);
	while ((request = wait_for_work(state))) {
		http_request_handle(request, request->handle, context);
		finish(state, request);
	}
	if (lane->worker_stop)
		lane->worker_stop(context);
	return NULL;
}

static void start_thread(struct http_lane_state *state)
{
	pthread_t *thread = &state->threads[state->started];
	char name[16]; /* what the kernel takes */
	int error = pthread_create(thread, NULL, work, state);

	if (error) {
		(void)fprintf(stderr, "no thread for %s: error %d\n",
		              state->lane->name, error);
		abort();
	}
	state->started++;
	(void)snprintf(name, sizeof(name), "%s", state->lane->name);
	(void)pthread_setname_np(*thread, name);
}

void http_lane_start(struct http_lane_state *state,
                     const struct http_lane *lane)
{
	assert(lane->threads > 0);
	state->lane = lane;
	(void)pthread_mutex_init(&state->lock, NULL);
	(void)pthread_cond_init(&state->work, NULL);
	state->threads = mem_new(lane->threads * sizeof(*state->threads));
	while (state->started < lane->threads)
		start_thread(state);
}

static void refuse(struct http_request *request, const struct http_lane *lane)
{
	char seconds[16];

	(void)snprintf(seconds, sizeof(seconds), "%u", lane->retry_after_s);
	http_set_header(request, "Retry-After", seconds);
	http_answer_problem(request, lane->full_http,
	                    "too many requests are waiting; try again later");
}

static void push(struct http_lane_state *state, struct http_request *request)
{
	if (state->last)
		state->last->next = request;
	else
		state->first = request;
	state->last = request;
	state->waiting++;
	(void)pthread_cond_signal(&state->work);
}

bool http_lane_push(struct http_lane_state *state, struct http_request *request)
{
	const struct http_lane *lane = state->lane;
	bool full;

	(void)pthread_mutex_lock(&state->lock);
	full = state->stopping || state->waiting + state->running >=
	                                  lane->threads + lane->queue_max;
	if (!full) {
		/* Before a worker can see it, and so before it resumes. */
		MHD_suspend_connection(request->connection);
		push(state, request);
	}
	(void)pthread_mutex_unlock(&state->lock);
	if (full)
		refuse(request, lane);
	return !full;
}

static void answer_waiting(struct http_lane_state *state)
{
	while (state->first) {
		struct http_request *request = pop(state);

		http_answer_problem(request, 503, "the service is stopping");
		MHD_resume_connection(request->connection);
	}
}

void http_lane_stop(struct http_lane_state *state)
{
	if (!state->lane)
		return;
	(void)pthread_mutex_lock(&state->lock);
	state->stopping = true;
	answer_waiting(state);
	(void)pthread_cond_broadcast(&state->work);
	(void)pthread_mutex_unlock(&state->lock);
	while (state->started)
		(void)pthread_join(state->threads[--state->started], NULL);
	mem_free(&state->threads);
	(void)pthread_cond_destroy(&state->work);
}

unsigned http_server_waiting(struct http_server *server, unsigned lane)
{
	struct http_lane_state *state = &server->lanes[lane];
	unsigned waiting;

	(void)pthread_mutex_lock(&state->lock);
	waiting = state->waiting;
	(void)pthread_mutex_unlock(&state->lock);
	return waiting;
}
