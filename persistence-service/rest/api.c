#include "persistence-service/rest/api.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/json.h"
#include "common/io/sql/sql.h"
#include "persistence-service/persistence_metrics.h"
#include "persistence-service/rest/api_private.h"

enum {
	THREADS = 4,
	QUEUE_MAX = 256,
	RETRY_AFTER_S = 1,
	BODY_MAX = 16 * 1024,
	CONNECTIONS_MAX = 1024,
	IDLE_S = 60,
};

struct api {
	const struct settings *settings;
	struct announcer *announcer;
	struct owners *owners;
	struct people *people;
	struct user_limit *limit;
	struct http_server *server;
	struct http_lane lanes[API_LANES];
};

static void *start_worker(void *context)
{
	const struct api *api = context;
	struct worker *worker = mem_new(sizeof(*worker));

	sql_thread_start();
	worker->settings = api->settings;
	worker->limit = api->limit;
	worker->announcer = api->announcer;
	worker->owners = api->owners;
	worker->people = api->people;
	worker->asker = asker_create(api->settings->identity_url);
	worker->history = history_create(api->settings);
	worker->membership = membership_create(api->settings,
	                                       history_reader(worker->history));
	return worker;
}

static void stop_worker(void *context)
{
	struct worker *worker = context;

	membership_destroy(&worker->membership);
	asker_destroy(&worker->asker);
	history_destroy(&worker->history);
	mem_free(&worker);
	sql_thread_stop();
}

/* --- what was asked ------------------------------------------------------ */
bool api_admit(struct worker *worker, struct http_request *request,
               uint64_t *ret_user)
{
	struct token_owner owner;
	enum status status = owners_ask(worker->owners, worker->asker,
	                                http_bearer(request), &owner);

	if (status == ST_DENIED) {
		http_answer_problem(request, 401, "a valid token is needed");
		return false;
	}
	if (status != ST_OK) {
		http_answer_problem(request, 503,
		                    "the token can't be checked now");
		return false;
	}
	if (!user_limit_take(worker->limit, owner.user, clock_mono_ms())) {
		http_answer_problem(request, 429, "too many requests");
		return false;
	}
	*ret_user = owner.user;
	return true;
}

bool api_id(struct http_request *request, unsigned index, const char *absent,
            uint64_t *ret_id)
{
	if (span_to_u64(http_argument(request, index), JSON_ID_MAX, ret_id) &&
	    *ret_id > 0)
		return true;
	http_answer_problem(request, 404, absent);
	return false;
}

void api_answer(struct http_request *request, enum status status,
                const char *absent, const struct buf *json)
{
	if (status == ST_OK && !buf_overflowed(json))
		http_answer_json(request, 200, buf_span(json));
	else if (status == ST_NOT_FOUND)
		http_answer_problem(request, 404, absent);
	else if (status == ST_UNAVAILABLE)
		http_answer_problem(request, 503, "the database is away");
	else
		http_answer_problem(request, 500,
		                    "the answer could not be made");
}

/* --- routes -------------------------------------------------------------- */
static const struct http_route routes[] = {
	{"GET", "/conversations", api_list_conversations, QUERY_LANE,
         HTTP_NO_BODY},
	{"GET", "/conversations/{}", api_get_conversation, QUERY_LANE,
         HTTP_NO_BODY},
	{"GET", "/conversations/{}/messages", api_list_messages, QUERY_LANE,
         HTTP_NO_BODY},
	{"GET", "/conversations/{}/members", api_list_members, QUERY_LANE,
         HTTP_NO_BODY},
	{"GET", "/sync", api_sync, QUERY_LANE, HTTP_NO_BODY},
	{"GET", "/blocks", api_list_blocks, QUERY_LANE, HTTP_NO_BODY},
	{"PUT", "/blocks/{}", api_put_block, CHANGE_LANE, HTTP_NO_BODY},
	{"DELETE", "/blocks/{}", api_remove_block, CHANGE_LANE, HTTP_NO_BODY},
	{"GET", "/channels", api_search_channels, QUERY_LANE, HTTP_NO_BODY},
	{"POST", "/conversations", api_make, CHANGE_LANE, HTTP_JSON},
	{"PATCH", "/conversations/{}", api_edit, CHANGE_LANE, HTTP_JSON},
	{"DELETE", "/conversations/{}", api_delete, CHANGE_LANE, HTTP_NO_BODY},
	{"POST", "/conversations/{}/members", api_invite, CHANGE_LANE,
         HTTP_JSON},
	{"POST", "/conversations/{}/join", api_join, CHANGE_LANE, HTTP_NO_BODY},
	{"POST", "/conversations/{}/leave", api_leave, CHANGE_LANE,
         HTTP_NO_BODY},
	{"DELETE", "/conversations/{}/members/{}", api_remove, CHANGE_LANE,
         HTTP_NO_BODY},
	{"PATCH", "/conversations/{}/members/{}", api_set_role, CHANGE_LANE,
         HTTP_JSON},
};

/* --- start and stop ------------------------------------------------------ */
static struct http_lane lane_of(struct api *api, const char *name)
{
	return (struct http_lane){
		.name = name,
		.threads = THREADS,
		.queue_max = QUEUE_MAX,
		.full_http = 503,
		.retry_after_s = RETRY_AFTER_S,
		.worker_start = start_worker,
		.worker_stop = stop_worker,
		.lane_context = api,
	};
}

static enum status listen(struct api *api)
{
	struct http_server_options options = {
		.bind_address = api->settings->bind_address,
		.port = (uint16_t)api->settings->port,
		.routes = routes,
		.route_count = ARRAY_LEN(routes),
		.lanes = api->lanes,
		.lane_count = API_LANES,
		.max_body = BODY_MAX,
		.connection_max = CONNECTIONS_MAX,
		.idle_timeout_s = IDLE_S,
		.observe = persistence_metrics_request,
	};

	return http_server_start(&options, &api->server);
}

enum status api_start(const struct settings *settings,
                      struct announcer *announcer, struct api **ret_api)
{
	struct api *api CLEANUP(api_stop) = mem_new(sizeof(*api));
	struct bucket_rate rate = {
		.per_s = (uint32_t)settings->user_rate,
		.burst = (uint32_t)settings->user_burst,
	};
	enum status status;

	api->settings = settings;
	api->announcer = announcer;
	api->owners = owners_create();
	api->people = people_create();
	api->limit = user_limit_create(&rate);
	api->lanes[QUERY_LANE] = lane_of(api, "query");
	api->lanes[CHANGE_LANE] = lane_of(api, "change");
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
	people_destroy(&(*api)->people);
	owners_destroy(&(*api)->owners);
	user_limit_destroy(&(*api)->limit);
	mem_free(api);
}
