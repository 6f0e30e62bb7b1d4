#define _GNU_SOURCE
#include "common/base/mem.h"
#include "common/io/http/private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/*
 * The client, or the balancer for it, has closed: it had no answer for too
 * long, has perhaps sent the request again and done the opposite since. Whoever
 * closes one direction only is taken for such a client, as by other servers.
 */
static bool has_left(const struct http_request *request)
{
	int fd = MHD_get_connection_info(request->connection,
	                                 MHD_CONNECTION_INFO_CONNECTION_FD)
	                 ->connect_fd;
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static void handle(struct http_request *request, void *context)
{
	if (has_left(request))
		http_answer_problem(request, 503, "nobody waits for it");
	else
		http_request_handle(request, request->handle, context);
}

static struct http_request *pop(struct http_worker_pool *pool)
{
	struct http_request *request = pool->first;

	pool->first = request->next;
	if (!pool->first)
		pool->last = NULL;
	pool->queued--;
	request->next = NULL;
	return request;
}

/* NULL when the pool stops. */
static struct http_request *take_request(struct http_worker_pool *pool)
{
	struct http_request *request = NULL;

	(void)pthread_mutex_lock(&pool->lock);
	while (!pool->first && !pool->stopping)
		(void)pthread_cond_wait(&pool->work, &pool->lock);
	if (!pool->stopping) {
		request = pop(pool);
		pool->running++;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return request;
}

static void *run_worker(void *argument)
{
	struct http_worker_pool *pool = argument;
	const struct http_worker_pool_options *options = pool->options;
	void *context = options->pool_context;
	struct http_request *request;

	if (options->worker_start)
		context = options->worker_start(options->pool_context);
	while ((request = take_request(pool))) {
		handle(request, context);
		(void)pthread_mutex_lock(&pool->lock);
		pool->running--;
		(void)pthread_mutex_unlock(&pool->lock);
		/* A resumed request belongs to the server's thread again. */
		MHD_resume_connection(request->connection);
	}
	if (options->worker_stop)
		options->worker_stop(context);
	return NULL;
}

static void start_thread(struct http_worker_pool *pool)
{
	pthread_t *thread = &pool->threads[pool->started];
	char name[16]; /* the longest that the kernel accepts */
	int error = pthread_create(thread, NULL, run_worker, pool);

	if (error) {
		(void)fprintf(stderr, "no thread for %s: error %d\n",
		              pool->options->name, error);
		abort();
	}
	pool->started++;
	(void)snprintf(name, sizeof(name), "%s", pool->options->name);
	(void)pthread_setname_np(*thread, name);
}

void http_worker_pool_start(struct http_worker_pool *pool,
                            const struct http_worker_pool_options *options)
{
	assert(options->threads > 0);
	pool->options = options;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->work, NULL);
	pool->threads = mem_new(options->threads * sizeof(*pool->threads));
	while (pool->started < options->threads)
		start_thread(pool);
}

static bool queue_full(const struct http_worker_pool *pool)
{
	return pool->stopping ||
	       pool->queued + pool->running >=
	               pool->options->threads + pool->options->queue_max;
}

/* The queue is short where clients have shares. */
static bool share_full(const struct http_worker_pool *pool,
                       const struct http_request *request)
{
	struct span client = ip_address_span(&request->client);
	unsigned waiting = 0;

	if (!pool->options->client_max || !request->has_client)
		return false;
	for (const struct http_request *r = pool->first; r; r = r->next)
		waiting += r->has_client &&
		           span_equal(ip_address_span(&r->client), client);
	return waiting >= pool->options->client_max;
}

static void refuse(struct http_request *request,
                   const struct http_worker_pool_options *options)
{
	char seconds[16];

	(void)snprintf(seconds, sizeof(seconds), "%u", options->retry_after_s);
	http_set_header(request, "Retry-After", seconds);
	http_answer_problem(request, options->full_http,
	                    "too many requests are waiting; try again later");
}

bool http_worker_pool_push(struct http_worker_pool *pool,
                           struct http_request *request)
{
	bool full;

	(void)pthread_mutex_lock(&pool->lock);
	full = queue_full(pool) || share_full(pool, request);
	if (!full) {
		/* Suspended before a worker can see and resume it. */
		MHD_suspend_connection(request->connection);
		if (pool->last)
			pool->last->next = request;
		else
			pool->first = request;
		pool->last = request;
		pool->queued++;
		(void)pthread_cond_signal(&pool->work);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	if (full)
		refuse(request, pool->options);
	return !full;
}

static void refuse_queued(struct http_worker_pool *pool)
{
	while (pool->first) {
		struct http_request *request = pop(pool);

		http_answer_problem(request, 503, "the service is stopping");
		MHD_resume_connection(request->connection);
	}
}

void http_worker_pool_stop(struct http_worker_pool *pool)
{
	if (!pool->options)
		return;
	(void)pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	refuse_queued(pool);
	(void)pthread_cond_broadcast(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
	while (pool->started)
		(void)pthread_join(pool->threads[--pool->started], NULL);
	mem_free(&pool->threads);
	(void)pthread_cond_destroy(&pool->work);
}

unsigned http_server_queued(struct http_server *server, unsigned index)
{
	struct http_worker_pool *pool = &server->pools[index];
	unsigned queued;

	(void)pthread_mutex_lock(&pool->lock);
	queued = pool->queued;
	(void)pthread_mutex_unlock(&pool->lock);
	return queued;
}
