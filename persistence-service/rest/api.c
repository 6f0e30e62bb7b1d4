#include "persistence-service/rest/api.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/json.h"
#include "common/io/sql/sql.h"
#include "common/service/log.h"
#include "common/service/readiness.h"
#include "common/service/slow_turn.h"
#include "persistence-service/persistence_metrics.h"
#include "persistence-service/rest/api_private.h"

#include <errno.h>

enum {
	THREADS = 4,
	QUEUE_MAX = 256,
	RETRY_AFTER_S = 1,
	BODY_MAX = 16 * 1024,
	CONNECTIONS_MAX = 1024,
	IDLE_S = 60,
	UNREAD_MAX = 24 * 1024 * 1024,
	UNREAD_USER_MAX = 4 * 1024 * 1024,
	ENDED_POLL_MS = 1000,
	IDENTITY_TIMEOUT_MS = 2000,
	IDENTITY_OWNERS_MAX = 20000,
	IDENTITY_USERS_MAX = 100000,
	OWNER_TTL_MS = 30000, /* so a revoked token is refused soon */
	USER_TTL_MS = 3600 * 1000,
};

struct api {
	const struct settings *settings;
	struct outbox_publisher *outbox_publisher;
	struct identity_thread *identity;
	struct user_limit *limit;
	struct http_server *server;
	uint64_t answers_cut; /* that the metrics know */
	struct http_worker_pool_options pools[API_POOL_COUNT];
};

static void *start_worker(void *context)
{
	const struct api *api = context;
	struct worker *worker = mem_new(sizeof(*worker));

	sql_thread_start();
	worker->settings = api->settings;
	worker->limit = api->limit;
	worker->outbox_publisher = api->outbox_publisher;
	worker->identity = api->identity;
	worker->history = history_create(api->settings);
	worker->membership = membership_create(
		api->settings, history_session(worker->history));
	return worker;
}

static void stop_worker(void *context)
{
	struct worker *worker = context;

	membership_destroy(&worker->membership);
	history_destroy(&worker->history);
	mem_free(&worker);
	sql_thread_stop();
}

/* --- requests ------------------------------------------------------------ */
bool api_admit(struct worker *worker, struct http_request *request,
               uint64_t *ret_user)
{
	struct identity_request owner_request =
		identity_request_owner(http_bearer(request));
	struct identity_response owner;
	enum status status =
		identity_thread_get(worker->identity, &owner_request, &owner);

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
	if (!http_admit_user(request, owner.user))
		return false;
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

enum status api_find_user(struct worker *worker, uint64_t user,
                          struct span token)
{
	struct identity_request request = identity_request_user(user, token);
	struct identity_response response;

	return identity_thread_get(worker->identity, &request, &response);
}

void api_answer_unknown_user(struct http_request *request, enum status status)
{
	if (status == ST_DENIED)
		http_answer_problem(request, 401, "a valid token is needed");
	else
		http_answer_problem(request, 503,
		                    "users can't be looked up now");
}

bool api_is_valid(struct http_request *request, const char *fault)
{
	if (fault)
		http_answer_problem(request, 422, fault);
	return !fault;
}

void api_answer(struct http_request *request, enum status status,
                const char *absent, struct buf *json)
{
	if (status == ST_OK && !buf_overflowed(json))
		http_answer_json_buf(request, 200, json);
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
	{"GET", "/conversations", api_list_conversations, QUERY_POOL,
         HTTP_NO_BODY},
	{"GET", "/conversations/{}", api_get_conversation, QUERY_POOL,
         HTTP_NO_BODY},
	{"GET", "/conversations/{}/messages", api_list_messages, QUERY_POOL,
         HTTP_NO_BODY},
	{"GET", "/conversations/{}/members", api_list_members, QUERY_POOL,
         HTTP_NO_BODY},
	{"GET", "/sync", api_sync, QUERY_POOL, HTTP_NO_BODY},
	{"GET", "/blocks", api_list_blocks, QUERY_POOL, HTTP_NO_BODY},
	{"PUT", "/blocks/{}", api_put_block, CHANGE_POOL, HTTP_NO_BODY},
	{"DELETE", "/blocks/{}", api_remove_block, CHANGE_POOL, HTTP_NO_BODY},
	{"GET", "/channels", api_search_channels, QUERY_POOL, HTTP_NO_BODY},
	{"POST", "/conversations", api_make, CHANGE_POOL, HTTP_JSON},
	{"PATCH", "/conversations/{}", api_edit, CHANGE_POOL, HTTP_JSON},
	{"DELETE", "/conversations/{}", api_delete, CHANGE_POOL, HTTP_NO_BODY},
	{"POST", "/conversations/{}/members", api_invite, CHANGE_POOL,
         HTTP_JSON},
	{"POST", "/conversations/{}/join", api_join, CHANGE_POOL, HTTP_NO_BODY},
	{"POST", "/conversations/{}/leave", api_leave, CHANGE_POOL,
         HTTP_NO_BODY},
	{"DELETE", "/conversations/{}/members/{}", api_remove, CHANGE_POOL,
         HTTP_NO_BODY},
	{"PATCH", "/conversations/{}/members/{}", api_set_role, CHANGE_POOL,
         HTTP_JSON},
};

/* --- start and stop ------------------------------------------------------ */
static void on_identity_report(void *context,
                               const struct identity_report *report)
{
	(void)context;
	if (!report->poll)
		persistence_metrics_lookup(report->answered, report->took_us);
	if (!service_hint("identity", report->answered, report->why))
		return;
	if (report->answered)
		log_event(LOG_INFO, "identity.available");
	else
		log_event(LOG_WARN, "identity.unavailable",
		          F_NUMBER("http", report->http),
		          F_TEXT("why", report->why));
}

/*
 * A connection for each worker, so that no worker waits. An existing user is
 * cached, until the client learns of its deletion. Refusals are not cached.
 */
static struct identity_thread *start_identity(const struct settings *settings)
{
	(void)service_hint("identity", true, NULL);
	return identity_thread_start(&(struct identity_client_options){
		.base_url = settings->identity_url,
		.connection_max = API_POOL_COUNT * THREADS,
		.timeout_ms = IDENTITY_TIMEOUT_MS,
		.owners_max = IDENTITY_OWNERS_MAX,
		.users_max = IDENTITY_USERS_MAX,
		.ttl = {.owner_ms = OWNER_TTL_MS, .user_ms = USER_TTL_MS},
		.ended_ms = ENDED_POLL_MS,
		.report = on_identity_report,
	});
}

static struct http_worker_pool_options pool_of(struct api *api,
                                               const char *name)
{
	return (struct http_worker_pool_options){
		.name = name,
		.threads = THREADS,
		.queue_max = QUEUE_MAX,
		.full_http = 503,
		.retry_after_s = RETRY_AFTER_S,
		.worker_start = start_worker,
		.worker_stop = stop_worker,
		.pool_context = api,
	};
}

static enum status listen(struct api *api)
{
	struct http_server_options options = {
		.bind_address = api->settings->bind_address,
		.port = (uint16_t)api->settings->port,
		.routes = routes,
		.route_count = ARRAY_LEN(routes),
		.pools = api->pools,
		.pool_count = API_POOL_COUNT,
		.max_body = BODY_MAX,
		.connection_max = CONNECTIONS_MAX,
		.idle_timeout_s = IDLE_S,
		.body_timeout_s = HTTP_BODY_TIMEOUT_S,
		.unread_max = UNREAD_MAX,
		.unread_user_max = UNREAD_USER_MAX,
		.observe = persistence_metrics_request,
		.turn_max_ms = api->settings->turn_max_ms,
		.slow_turn = slow_turn_log,
	};

	return http_server_start(&options, &api->server);
}

enum status api_start(const struct settings *settings,
                      struct outbox_publisher *outbox_publisher,
                      struct api **ret_api)
{
	struct api *api = mem_new(sizeof(*api));
	struct token_bucket_rate rate = {
		.per_s = (uint32_t)settings->user_rate,
		.burst = (uint32_t)settings->user_burst,
	};
	enum status status;

	api->settings = settings;
	api->outbox_publisher = outbox_publisher;
	api->identity = start_identity(settings);
	api->limit = user_limit_create(&rate);
	api->pools[QUERY_POOL] = pool_of(api, "query");
	api->pools[CHANGE_POOL] = pool_of(api, "change");
	status = listen(api);
	if (status == ST_OK) {
		*ret_api = api;
	} else {
		int why = errno;

		api_stop(&api);
		errno = why;
	}
	return status;
}

void api_update_metrics(struct api *api)
{
	struct http_unread_state state = http_server_unread(api->server);

	persistence_metrics_unread(state.bytes, state.cut - api->answers_cut);
	api->answers_cut = state.cut;
}

void api_stop(struct api **api)
{
	if (!*api)
		return;
	http_server_stop(&(*api)->server);
	identity_thread_stop(&(*api)->identity);
	user_limit_destroy(&(*api)->limit);
	mem_free(api);
}
