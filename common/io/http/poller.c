/*
 * curl_multi_socket_action() on a libuv loop:
 * https://curl.se/libcurl/c/multi-uv.html. Requests beyond connection_max wait
 * in a list of the poller, because libcurl walks its whole list of pending
 * handles whenever a connection becomes free.
 */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/http/client.h"
#include "common/io/http/host.h"
#include "common/io/http/transfer.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include <uv.h>

enum {
	WAITING_MAX = 16 * 1024,
	UNRESOLVED_TICK_MS = 50,
	LOOK_UP_AGAIN_MS = 1000, /* after a failure */
	ADDRESSES_AGE_MS = 30000,
};

struct request {
	struct http_transfer *transfer; /* NULL unless active */
	struct http_poller *poller;
	struct http_ask ask; /* points into `copy` */
	char *copy;
	http_done *done;
	void *context;
	uint64_t deadline_ms;
	enum status refused; /* the reason when libcurl never gets it */
	const char *error;   /* of a refused one */
	struct request *prev, *next;
};

struct http_poller {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	uv_idle_t refusals;    /* active while `refused` is not empty */
	uv_timer_t unresolved; /* active while requests wait for addresses */
	struct http_host *host;
	bool resolved;
	unsigned fresh_left; /* so many requests open a connection of their own
	                      */
	struct request *active;
	struct request *waiting;
	struct request *refused;
	struct http_transfer *
		*spare; /* reused: an easy handle is expensive to create */
	unsigned spare_count;
	unsigned active_count, active_max;
	unsigned waiting_count;
	unsigned open_handles;
	const char *error; /* of the request that `done` is called for */
};

struct watch {
	uv_poll_t poll; /* first: its address is the watch */
	struct http_poller *poller;
	curl_socket_t socket;
};

static void request_free(struct request *request)
{
	http_transfer_destroy(&request->transfer);
	mem_free(&request->copy);
	mem_free(&request);
}

static void finish(struct request *request, enum status status,
                   const struct http_answer *answer, const char *error)
{
	struct http_poller *poller = request->poller;

	poller->error = error;
	request->done(request->context, status, answer);
	poller->error = "";
	request_free(request);
}

static void refuse(struct request *request, enum status status,
                   const char *error);

static struct http_transfer *transfer_take(struct http_poller *poller)
{
	if (!poller->spare_count)
		return http_transfer_create();
	return poller->spare[--poller->spare_count];
}

/* There is room for active_max transfers and the one that just finished. */
static void transfer_keep(struct http_poller *poller,
                          struct http_transfer **transfer)
{
	poller->spare[poller->spare_count++] = *transfer;
	*transfer = NULL;
}

/* False when the request cannot be written. */
static bool start(struct http_poller *poller, struct request *request)
{
	CURL *easy;

	request->transfer = transfer_take(poller);
	if (http_transfer_prepare(request->transfer, &request->ask) != ST_OK) {
		transfer_keep(poller, &request->transfer);
		return false;
	}
	easy = http_transfer_easy(request->transfer);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	curl_easy_setopt(easy, CURLOPT_RESOLVE,
	                 http_host_addresses(poller->host));
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
	                 poller->fresh_left ? 1L : 0L);
	poller->fresh_left -= poller->fresh_left > 0;
	http_host_refresh(poller->host, ADDRESSES_AGE_MS);
	if (curl_multi_add_handle(poller->multi, easy))
		abort();
	DL_APPEND(poller->active, request);
	poller->active_count++;
	return true;
}

static void start_or_refuse(struct http_poller *poller, struct request *request)
{
	if (!start(poller, request))
		refuse(request, ST_INVALID, "the request cannot be written");
}

/*
 * Refuses requests that waited for a connection longer than their limit. The
 * others get their whole limit again: with the rest of it, a slow server would
 * work for answers that no caller waits for any more.
 */
static void start_waiting(struct http_poller *poller)
{
	uint64_t now_ms = clock_mono_ms();

	while (poller->waiting && http_host_known(poller->host) &&
	       poller->active_count < poller->active_max) {
		struct request *request = poller->waiting;

		DL_DELETE(poller->waiting, request);
		poller->waiting_count--;
		if (now_ms >= request->deadline_ms) {
			refuse(request, ST_UNAVAILABLE,
			       "no connection became free in time");
			continue;
		}
		start_or_refuse(poller, request);
	}
}

static void finish_active(struct http_poller *poller, CURL *easy,
                          CURLcode result)
{
	struct http_answer answer = {0};
	struct request *request = NULL;
	struct http_transfer *transfer;
	enum status status;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &request);
	curl_multi_remove_handle(poller->multi, easy);
	DL_DELETE(poller->active, request);
	poller->active_count--;
	transfer = MOVE(request->transfer);
	status = http_transfer_result(transfer, (int)result, &answer);
	if (status != ST_OK)
		http_host_refresh(poller->host, LOOK_UP_AGAIN_MS);
	finish(request, status, status == ST_OK ? &answer : NULL,
	       http_transfer_error(transfer));
	transfer_keep(poller, &transfer);
}

static void collect(struct http_poller *poller)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(poller->multi, &left))) {
		if (message->msg == CURLMSG_DONE)
			finish_active(poller, message->easy_handle,
			              message->data.result);
	}
	start_waiting(poller);
}

/* --- refusals: reported from the loop, like every outcome ---------------- */
static void report_refused(uv_idle_t *idle)
{
	struct http_poller *poller = idle->data;
	struct request *refused = MOVE(poller->refused);

	(void)uv_idle_stop(idle);
	while (refused) {
		struct request *request = refused;

		DL_DELETE(refused, request);
		finish(request, request->refused, NULL, request->error);
	}
}

static void refuse(struct request *request, enum status status,
                   const char *error)
{
	request->refused = status;
	request->error = error;
	DL_APPEND(request->poller->refused, request);
	(void)uv_idle_start(&request->poller->refusals, report_refused);
}

/* --- the addresses of the server ----------------------------------------- */

/*
 * New connections push those to the old addresses out of libcurl's pool, which
 * keeps active_max of them.
 */
static void on_addresses(void *context)
{
	struct http_poller *poller = context;

	poller->fresh_left = poller->resolved ? poller->active_max : 0;
	poller->resolved = true;
	start_waiting(poller);
}

static void on_unresolved(uv_timer_t *timer)
{
	struct http_poller *poller = timer->data;
	uint64_t now_ms = clock_mono_ms();

	if (!poller->waiting || http_host_known(poller->host)) {
		(void)uv_timer_stop(timer);
		return;
	}
	http_host_refresh(poller->host, LOOK_UP_AGAIN_MS);
	while (poller->waiting && now_ms >= poller->waiting->deadline_ms) {
		struct request *request = poller->waiting;

		DL_DELETE(poller->waiting, request);
		poller->waiting_count--;
		refuse(request, ST_UNAVAILABLE, http_host_error(poller->host));
	}
}

/* --- libcurl's sockets and timer ----------------------------------------- */
static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = (struct watch *)poll;
	struct http_poller *poller = watch->poller;
	int flags = 0, running;

	if (status < 0)
		flags |= CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(poller->multi, watch->socket, flags, &running);
	collect(poller);
}

static void on_timer(uv_timer_t *timer)
{
	struct http_poller *poller = timer->data;
	int running;

	curl_multi_socket_action(poller->multi, CURL_SOCKET_TIMEOUT, 0,
	                         &running);
	collect(poller);
}

static int want_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http_poller *poller = context;

	(void)multi;
	if (timeout_ms < 0)
		(void)uv_timer_stop(&poller->timer);
	else
		(void)uv_timer_start(&poller->timer, on_timer,
		                     (uint64_t)timeout_ms, 0);
	return 0;
}

static void free_watch(uv_handle_t *handle)
{
	free(handle);
}

static void unwatch(struct http_poller *poller, struct watch *watch)
{
	if (!watch)
		return;
	curl_multi_assign(poller->multi, watch->socket, NULL);
	(void)uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, free_watch);
}

static struct watch *watch_create(struct http_poller *poller,
                                  curl_socket_t socket)
{
	struct watch *watch = mem_new(sizeof(*watch));

	watch->poller = poller;
	watch->socket = socket;
	if (uv_poll_init_socket(poller->loop, &watch->poll, socket)) {
		mem_free(&watch);
		return NULL;
	}
	curl_multi_assign(poller->multi, socket, watch);
	return watch;
}

static int want_socket(CURL *easy, curl_socket_t socket, int what,
                       void *context, void *socket_context)
{
	struct http_poller *poller = context;
	struct watch *watch = socket_context;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		unwatch(poller, watch);
		return 0;
	}
	if (!watch)
		watch = watch_create(poller, socket);
	if (!watch)
		return -1;
	events |= what & CURL_POLL_IN ? UV_READABLE : 0;
	events |= what & CURL_POLL_OUT ? UV_WRITABLE : 0;
	return uv_poll_start(&watch->poll, events, on_socket) ? -1 : 0;
}

/* --- interface ----------------------------------------------------------- */
static void set_multi(struct http_poller *poller)
{
	CURLM *multi = poller->multi;

	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, poller);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, poller);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
	                  (long)poller->active_max);
}

struct http_poller *http_poller_create(uv_loop_t *loop, const char *url,
                                       unsigned connection_max)
{
	struct http_poller *poller = mem_new(sizeof(*poller));
	struct http_transfer *first = http_transfer_create();

	assert(connection_max > 0);
	http_transfer_destroy(&first); /* the first one initialises libcurl */
	poller->loop = loop;
	poller->active_max = connection_max;
	poller->spare =
		mem_new((connection_max + 1) * sizeof(struct http_transfer *));
	poller->multi = curl_multi_init();
	if (!poller->multi || uv_timer_init(loop, &poller->timer) ||
	    uv_idle_init(loop, &poller->refusals) ||
	    uv_timer_init(loop, &poller->unresolved))
		abort();
	poller->timer.data = poller;
	poller->refusals.data = poller;
	poller->unresolved.data = poller;
	poller->open_handles = 3;
	poller->error = "";
	set_multi(poller);
	poller->host = http_host_create(loop, url, on_addresses, poller);
	return poller;
}

static void drop_all(struct http_poller *poller, struct request **list)
{
	struct request *request, *next;

	DL_FOREACH_SAFE (*list, request, next) {
		if (list == &poller->active)
			curl_multi_remove_handle(
				poller->multi,
				http_transfer_easy(request->transfer));
		request_free(request);
	}
	*list = NULL;
}

static void handle_closed(uv_handle_t *handle)
{
	struct http_poller *poller = handle->data;

	if (--poller->open_handles == 0)
		mem_free(&poller);
}

void http_poller_destroy(struct http_poller **poller_at)
{
	struct http_poller *poller = MOVE(*poller_at);

	if (!poller)
		return;
	drop_all(poller, &poller->active);
	drop_all(poller, &poller->waiting);
	drop_all(poller, &poller->refused);
	while (poller->spare_count)
		http_transfer_destroy(&poller->spare[--poller->spare_count]);
	mem_free(&poller->spare);
	curl_multi_cleanup(poller->multi);
	http_host_destroy(&poller->host);
	uv_close((uv_handle_t *)&poller->timer, handle_closed);
	uv_close((uv_handle_t *)&poller->unresolved, handle_closed);
	uv_close((uv_handle_t *)&poller->refusals, handle_closed);
}

static char *copy_bytes(char **to, struct span bytes)
{
	char *copy = *to;

	if (bytes.len)
		memcpy(copy, bytes.data, bytes.len);
	copy[bytes.len] = '\0';
	*to += bytes.len + 1;
	return copy;
}

static struct request *request_create(struct http_poller *poller,
                                      const struct http_ask *ask)
{
	struct request *request = mem_new(sizeof(*request));
	struct span url = span_of(ask->url);
	struct span type = span_of(ask->content_type);
	struct span basic = span_of(ask->basic);
	char *to = mem_new(url.len + ask->bearer.len + basic.len + type.len +
	                   ask->body.len + 5);

	request->poller = poller;
	request->copy = to;
	request->ask = *ask;
	request->ask.url = copy_bytes(&to, url);
	request->ask.bearer.data = copy_bytes(&to, ask->bearer);
	if (ask->basic)
		request->ask.basic = copy_bytes(&to, basic);
	if (ask->content_type)
		request->ask.content_type = copy_bytes(&to, type);
	request->ask.body.data = copy_bytes(&to, ask->body);
	request->deadline_ms = clock_mono_ms() + ask->timeout_ms;
	return request;
}

void http_poller_ask(struct http_poller *poller, const struct http_ask *ask,
                     http_done *done, void *context)
{
	struct request *request = request_create(poller, ask);

	request->done = done;
	request->context = context;
	if (http_host_known(poller->host) &&
	    poller->active_count < poller->active_max) {
		start_or_refuse(poller, request);
	} else if (poller->waiting_count < WAITING_MAX) {
		DL_APPEND(poller->waiting, request);
		poller->waiting_count++;
		if (!http_host_known(poller->host))
			(void)uv_timer_start(&poller->unresolved, on_unresolved,
			                     UNRESOLVED_TICK_MS,
			                     UNRESOLVED_TICK_MS);
	} else {
		refuse(request, ST_UNAVAILABLE, "too many requests wait");
	}
}

const char *http_poller_error(const struct http_poller *poller)
{
	return poller->error;
}
