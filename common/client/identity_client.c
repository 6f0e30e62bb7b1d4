#include "common/client/identity_client.h"
#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"

#include <stdio.h>
#include <uthash.h>
#include <utlist.h>
#include <uv.h>

enum {
	BASE_URL_MAX = 1024,
	WHY_MAX = 64,
	HTTP_NOT_FOUND = 404,
	/* As many as identity-service keeps; IDENTITY_REVOKED_MAX. */
	ENDED_MAX = 262144,
	/* For requests that are in flight while the user is deleted. */
	DELETED_MAX = 4096,
};

struct identity_inflight {
	struct identity_request request; /* its token is not valid any more */
	struct identity_client *client;
	struct identity_waiter *waiters;
	uint64_t began_us;
	uint64_t began_unix_ms;
	bool renews;       /* a response that is cached */
	UT_hash_handle hh; /* by the request's key */
};

struct identity_client {
	struct identity_client_options options;
	struct http_poller *poller;
	struct lru *caches[IDENTITY_KINDS];
	struct identity_inflight *inflight[IDENTITY_KINDS];
	unsigned renewals; /* of those in flight */
	struct lru *ended; /* by the session's text, until its tokens expire */
	struct lru *deleted;               /* users, by id */
	char cursor[ENDED_CURSOR_MAX + 1]; /* of the last answer */
	uv_timer_t *timer;                 /* NULL: none */
	bool polling;
	bool answered; /* another request, since the poll was sent */
};

static void report(const struct identity_client *client, bool answered,
                   enum status transport, const struct http_answer *http,
                   uint64_t began_us, bool poll)
{
	char unexpected[WHY_MAX];

	(void)snprintf(unexpected, sizeof(unexpected),
	               "unexpected answer, HTTP %u", http ? http->http : 0);
	client->options.report(
		client->options.context,
		&(struct identity_report){
			.answered = answered,
			.http = http ? http->http : 0,
			.why = transport == ST_OK
	                               ? unexpected
	                               : http_poller_error(client->poller),
			.took_us = clock_mono_us() - began_us,
			.poll = poll,
		});
}

/* --- sessions that have ended -------------------------------------------- */

static void on_ended(void *context, struct span session, uint64_t user,
                     uint64_t expires_at_ms)
{
	struct identity_client *client = context;
	uint64_t now_ms = clock_unix_ms();

	if (lru_get(client->ended, session, now_ms, NULL))
		return;
	lru_put(client->ended, session, NULL, expires_at_ms);
	if (client->options.ended)
		client->options.ended(client->options.context, user, session);
}

static void on_deleted(void *context, uint64_t user)
{
	struct identity_client *client = context;
	struct span key = span_make(&user, sizeof(user));

	lru_put(client->deleted, key, NULL, UINT64_MAX);
	lru_remove(client->caches[IDENTITY_USER], key);
}

static void ask_ended(struct identity_client *client);

/* An older identity-service has no such path: it does answer. */
static void on_ended_answer(void *context, enum status transport,
                            const struct http_answer *http)
{
	struct identity_client *client = context;
	const struct identity_ended_reader reader = {on_ended, on_deleted,
	                                             client};
	bool more = false;
	enum status status = identity_read_ended(transport, http, &reader,
	                                         client->cursor, &more);
	bool good = status == ST_OK || (http && http->http == HTTP_NOT_FOUND);

	client->polling = false;
	/* Not when identity is only too busy for this request. */
	if (good || !client->answered)
		report(client, good, transport, http, clock_mono_us(), true);
	if (status == ST_OK && more)
		ask_ended(client);
}

static void ask_ended(struct identity_client *client)
{
	char url[BASE_URL_MAX + IDENTITY_PATH_MAX + ENDED_CURSOR_MAX];

	client->polling = true;
	client->answered = false;
	(void)snprintf(url, sizeof(url), "%s%s%s%s", client->options.base_url,
	               IDENTITY_ENDED_PATH, *client->cursor ? "?since=" : "",
	               client->cursor);
	http_poller_ask(client->poller,
	                &(struct http_ask){
				.url = url,
				.timeout_ms = client->options.timeout_ms,
				.answer_max = ENDED_ANSWER_MAX,
			},
	                on_ended_answer, client);
}

static void on_poll(uv_timer_t *timer)
{
	struct identity_client *client = timer->data;

	if (!client->polling)
		ask_ended(client);
}

static void start_polling(struct identity_client *client)
{
	unsigned every_ms = client->options.ended_ms;

	client->timer = mem_new(sizeof(*client->timer));
	(void)uv_timer_init(client->options.loop, client->timer);
	client->timer->data = client;
	(void)uv_timer_start(client->timer, on_poll, 0, every_ms);
}

/* Any thread. A response may be older than what identity has told since. */
static void deny_ended(struct identity_client *client,
                       const struct identity_request *request,
                       struct identity_response *response)
{
	uint64_t now_ms = clock_unix_ms();

	if (response->status != ST_OK)
		return;
	if (*response->session &&
	    lru_get(client->ended, span_of(response->session), now_ms, NULL))
		*response = (struct identity_response){.status = ST_DENIED};
	else if (request->kind == IDENTITY_USER &&
	         lru_get(client->deleted, identity_request_key(request), now_ms,
	                 NULL))
		*response = (struct identity_response){.status = ST_NOT_FOUND};
}

static void free_handle(uv_handle_t *handle)
{
	void *memory = handle;

	mem_free(&memory);
}

/* --- the client ---------------------------------------------------------- */

struct identity_client *
identity_client_create(const struct identity_client_options *options)
{
	struct identity_client *client = mem_new(sizeof(*client));

	client->options = *options;
	client->poller = http_poller_create(options->loop, options->base_url,
	                                    options->connection_max);
	client->caches[IDENTITY_OWNER] = lru_create(
		options->owners_max, sizeof(struct identity_response));
	client->caches[IDENTITY_USER] = lru_create(
		options->users_max, sizeof(struct identity_response));
	client->ended = lru_create(ENDED_MAX, 0);
	client->deleted = lru_create(DELETED_MAX, 0);
	if (options->ended_ms)
		start_polling(client);
	return client;
}

static void drop_inflight(struct identity_inflight **table)
{
	struct identity_inflight *inflight, *next;

	HASH_ITER (hh, *table, inflight, next) {
		while (inflight->waiters)
			identity_client_cancel(inflight->waiters);
		HASH_DEL(*table, inflight);
		mem_free(&inflight);
	}
}

/* Without the poller no response arrives any more. */
void identity_client_destroy(struct identity_client **client)
{
	if (!*client)
		return;
	http_poller_destroy(&(*client)->poller);
	if ((*client)->timer)
		uv_close((uv_handle_t *)(*client)->timer, free_handle);
	lru_destroy(&(*client)->ended);
	lru_destroy(&(*client)->deleted);
	for (unsigned i = 0; i < IDENTITY_KINDS; i++) {
		drop_inflight(&(*client)->inflight[i]);
		lru_destroy(&(*client)->caches[i]);
	}
	mem_free(client);
}

void identity_client_cancel(struct identity_waiter *waiter)
{
	if (!waiter->inflight)
		return;
	DL_DELETE(waiter->inflight->waiters, waiter);
	waiter->inflight = NULL;
}

static void keep(struct identity_client *client,
                 const struct identity_request *request,
                 const struct identity_response *response, uint64_t began_ms)
{
	uint64_t expires_ms = identity_response_expires_ms(
		request->kind, &client->options.ttl, response, began_ms,
		clock_unix_ms());

	if (expires_ms)
		lru_put(client->caches[request->kind],
		        identity_request_key(request), response, expires_ms);
	else if (request->kind == IDENTITY_OWNER &&
	         response->status == ST_DENIED)
		lru_remove(client->caches[request->kind],
		           identity_request_key(request));
}

void identity_client_put(struct identity_client *client,
                         const struct identity_request *request,
                         const struct identity_response *response)
{
	struct identity_response known = *response;

	deny_ended(client, request, &known);
	keep(client, request, &known, clock_unix_ms());
}

static void on_answer(void *context, enum status transport,
                      const struct http_answer *http)
{
	struct identity_inflight *inflight = context;
	struct identity_client *client = inflight->client;
	enum identity_kind kind = inflight->request.kind;
	struct identity_response response =
		identity_response_read(kind, transport, http);

	report(client, response.status != ST_UNAVAILABLE, transport, http,
	       inflight->began_us, false);
	client->answered |= response.status != ST_UNAVAILABLE;
	client->renewals -= inflight->renews;
	response.asked_at_ms = inflight->began_unix_ms;
	deny_ended(client, &inflight->request, &response);
	keep(client, &inflight->request, &response, inflight->began_unix_ms);
	/* Leaves the table first: a waiter may repeat the request. */
	HASH_DEL(client->inflight[kind], inflight);
	while (inflight->waiters) {
		struct identity_waiter *waiter = inflight->waiters;

		identity_client_cancel(waiter);
		waiter->done(waiter->context, &response);
	}
	mem_free(&inflight);
}

static struct identity_inflight *
send_request(struct identity_client *client,
             const struct identity_request *request)
{
	struct identity_inflight *inflight = mem_new(sizeof(*inflight));
	char path[IDENTITY_PATH_MAX];
	char url[BASE_URL_MAX + IDENTITY_PATH_MAX];
	struct span key;

	inflight->request = *request;
	inflight->request.token = SPAN_NONE;
	inflight->client = client;
	inflight->began_us = clock_mono_us();
	inflight->began_unix_ms = clock_unix_ms();
	key = identity_request_key(&inflight->request);
	HASH_ADD_KEYPTR(hh, client->inflight[request->kind], key.data, key.len,
	                inflight);
	identity_request_path(request, path);
	(void)snprintf(url, sizeof(url), "%s%s", client->options.base_url,
	               path);
	http_poller_ask(client->poller,
	                &(struct http_ask){
				.url = url,
				.bearer = request->token,
				.timeout_ms = client->options.timeout_ms,
			},
	                on_answer, inflight);
	return inflight;
}

static struct identity_inflight *find_inflight(struct identity_client *client,
                                               struct span key,
                                               enum identity_kind kind)
{
	struct identity_inflight *inflight;

	HASH_FIND(hh, client->inflight[kind], key.data, key.len, inflight);
	return inflight;
}

bool identity_client_cached(struct identity_client *client,
                            const struct identity_request *request,
                            struct identity_response *ret_response)
{
	if (!identity_request_valid(request)) {
		*ret_response = (struct identity_response){.status = ST_DENIED};
		return true;
	}
	if (!lru_get(client->caches[request->kind],
	             identity_request_key(request), clock_unix_ms(),
	             ret_response))
		return false;
	deny_ended(client, request, ret_response);
	return true;
}

bool identity_client_peek(struct identity_client *client,
                          const struct identity_request *request,
                          struct identity_response *ret_response)
{
	const struct identity_inflight *inflight = find_inflight(
		client, identity_request_key(request), request->kind);

	return (!inflight || inflight->renews) &&
	       identity_client_cached(client, request, ret_response);
}

static void renew_if_old(struct identity_client *client,
                         const struct identity_request *request,
                         const struct identity_response *cached)
{
	uint64_t renew_ms = client->options.ttl.renew_owner_ms;

	if (!renew_ms || request->kind != IDENTITY_OWNER ||
	    cached->status != ST_OK ||
	    clock_unix_ms() < cached->asked_at_ms + renew_ms ||
	    client->renewals == client->options.connection_max ||
	    find_inflight(client, identity_request_key(request), request->kind))
		return;
	send_request(client, request)->renews = true;
	client->renewals++;
}

bool identity_client_get(struct identity_client *client,
                         const struct identity_request *request,
                         struct identity_waiter *waiter,
                         struct identity_response *ret_response)
{
	struct identity_inflight *inflight;

	if (identity_client_peek(client, request, ret_response)) {
		renew_if_old(client, request, ret_response);
		return true;
	}
	inflight = find_inflight(client, identity_request_key(request),
	                         request->kind);
	waiter->joined = inflight != NULL;
	if (!inflight)
		inflight = send_request(client, request);
	waiter->inflight = inflight;
	DL_APPEND(inflight->waiters, waiter);
	return false;
}
