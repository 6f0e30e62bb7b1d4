#include "persistence-service/api.h"

#include "common/base/mem.h"
#include "common/io/http_server.h"
#include "common/io/json.h"
#include "common/service/log.h"
#include "common/wire/identity.h"
#include "persistence-service/gauges.h"
#include "persistence-service/history.h"
#include "persistence-service/owners.h"
#include "persistence-service/paging.h"

enum {
	THREADS = 4,
	QUEUE_MAX = 256,
	RETRY_AFTER_S = 1,
	BODY_MAX = 1024,
	CONNECTIONS_MAX = 1024,
	IDLE_S = 60,
	QUERY_LANE = 0,
};

#define ANSWER_MAX     ((size_t)PAGE_MAX * FRAME_LIKE_MAX)
#define FRAME_LIKE_MAX (170 * 1024) /* a frame and what stands around it */

struct api {
	const struct settings *settings;
	struct owners *owners;
	struct http_server *server;
	struct http_lane lane;
};

/* What each thread of the lane has for itself. */
struct worker {
	struct owner_asker *asker;
	struct history *history;
};

static void *start_worker(void *context)
{
	const struct api *api = context;
	struct worker *worker = mem_new(sizeof(*worker));

	sql_thread_start();
	worker->asker = owner_asker_create(api->owners);
	worker->history = history_create(api->settings);
	return worker;
}

static void stop_worker(void *context)
{
	struct worker *worker = context;

	owner_asker_destroy(&worker->asker);
	history_destroy(&worker->history);
	mem_free(&worker);
	sql_thread_stop();
}

/* --- what was asked ------------------------------------------------------ */
/* Answers and says false when the token is nobody's. */
static bool admit(struct worker *worker, struct http_request *request,
                  struct token_owner *ret_owner)
{
	switch (owner_ask(worker->asker, http_bearer(request), ret_owner)) {
	case ST_OK:
		return true;
	case ST_DENIED:
		http_answer_problem(request, 401, "a valid token is needed");
		return false;
	default:
		http_answer_problem(request, 503,
		                    "the token can't be checked now");
		return false;
	}
}

static void answer(struct http_request *request, enum status status,
                   const struct buf *json)
{
	if (status == ST_OK && !buf_overflowed(json))
		http_answer_json(request, 200, buf_span(json));
	else if (status == ST_NOT_FOUND)
		http_answer_problem(request, 404,
		                    "there is no such conversation");
	else if (status == ST_UNAVAILABLE)
		http_answer_problem(request, 503, "the database is away");
	else
		http_answer_problem(request, 500,
		                    "the answer could not be made");
}

/* --- routes -------------------------------------------------------------- */
static void list_conversations(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct buf json CLEANUP(buf_free) = BUF(ANSWER_MAX);
	struct token_owner owner;
	const char *unfit;
	uint64_t before;
	unsigned limit;

	if (!admit(worker, request, &owner))
		return;
	unfit = paging_conversations(request, &before, &limit);
	if (unfit) {
		http_answer_problem(request, 422, unfit);
		return;
	}
	answer(request,
	       history_conversations(worker->history, owner.user, before, limit,
	                             &json),
	       &json);
}

static void list_messages(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct buf json CLEANUP(buf_free) = BUF(ANSWER_MAX);
	struct history_page page;
	struct token_owner owner;
	const char *unfit;

	if (!admit(worker, request, &owner))
		return;
	unfit = paging_messages(request, &page);
	if (unfit) {
		http_answer_problem(request, 422, unfit);
		return;
	}
	if (!span_to_u64(http_argument(request, 0), JSON_ID_MAX,
	                 &page.conversation)) {
		answer(request, ST_NOT_FOUND, &json);
		return;
	}
	answer(request,
	       history_messages(worker->history, owner.user, &page, &json),
	       &json);
}

static const struct http_route routes[] = {
	{"GET", "/conversations", list_conversations, QUERY_LANE, HTTP_NO_BODY},
	{"GET", "/conversations/{}/messages", list_messages, QUERY_LANE,
         HTTP_NO_BODY},
};

/* --- start and stop ------------------------------------------------------ */
static enum status listen(struct api *api)
{
	struct http_server_options options = {
		.bind_address = api->settings->bind_address,
		.port = (uint16_t)api->settings->port,
		.routes = routes,
		.route_count = ARRAY_LEN(routes),
		.lanes = &api->lane,
		.lane_count = 1,
		.max_body = BODY_MAX,
		.connection_max = CONNECTIONS_MAX,
		.idle_timeout_s = IDLE_S,
		.observe = gauges_request,
	};

	return http_server_start(&options, &api->server);
}

enum status api_start(const struct settings *settings, struct api **ret_api)
{
	struct api *api CLEANUP(api_stop) = mem_new(sizeof(*api));
	enum status status;

	api->settings = settings;
	api->owners = owners_create(settings->identity_url);
	api->lane = (struct http_lane){
		.name = "query",
		.threads = THREADS,
		.queue_max = QUEUE_MAX,
		.full_http = 503,
		.retry_after_s = RETRY_AFTER_S,
		.worker_start = start_worker,
		.worker_stop = stop_worker,
		.lane_context = api,
	};
	status = listen(api);
	if (status == ST_OK)
		*ret_api = MOVE(api);
	return status;
}

void api_stop(struct api **api)
{
	if (!*api)
		return;
	http_server_stop(&(*api)->server);
	owners_destroy(&(*api)->owners);
	mem_free(api);
}
