#include "identity-service/api.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/io/password.h"
#include "common/service/slow_turn.h"
#include "identity-service/api/account_deletion.h"
#include "identity-service/api/api_context.h"
#include "identity-service/api/deleted_users.h"
#include "identity-service/api/devices.h"
#include "identity-service/api/ended_sessions.h"
#include "identity-service/api/lookup.h"
#include "identity-service/api/password_change.h"
#include "identity-service/api/phone_check.h"
#include "identity-service/api/phone_sign_in.h"
#include "identity-service/api/profiles.h"
#include "identity-service/api/refresh.h"
#include "identity-service/api/sign_in.h"
#include "identity-service/identity_metrics.h"
#include "identity-service/oauth/oauth_introspect.h"
#include "identity-service/oauth/oauth_metadata.h"
#include "identity-service/oauth/oauth_token.h"

enum {
	BODY_MAX = 16 * 1024,
	RETRY_AFTER_S = 1,
	UNREAD_MAX = 8 * 1024 * 1024,
	UNREAD_USER_MAX = 1024 * 1024,
	/* A thread may wait for the SMS provider. */
	PHONE_THREADS = 4,
	PHONE_QUEUE = 64,
	PHONE_CLIENT_MAX = 16,
};

struct api {
	struct http_server *server;
	struct http_worker_pool_options pools[POOL_COUNT];
	struct database_source *source;
	struct api_context shared; /* database is NULL */
	char dummy_hash[PASSWORD_HASH_MAX + 1];
	struct guess_rules guess_rules;
	struct session_rules session_rules;
	struct ip_networks trusted_proxies;
	struct phone_auth phone;
};

static const struct http_route routes[] = {
	{"GET", IDENTITY_LOOKUP_PATH, lookup_token, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/auth/users/{}", profile_of, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/auth/users", profiles_find, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/auth/profile", profile_get, HTTP_INLINE, HTTP_NO_BODY},
	{"PATCH", "/auth/profile", profile_change, HTTP_INLINE,
         HTTP_MERGE_PATCH},
	{"GET", "/auth/status", lookup_status, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", IDENTITY_ENDED_PATH, ended_sessions, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", IDENTITY_DELETED_PATH, deleted_users, HTTP_INLINE,
         HTTP_NO_BODY},
	{"DELETE", "/auth/account", account_delete, HTTP_INLINE, HTTP_JSON},
	{"POST", "/auth/account/delete", account_delete, HTTP_INLINE,
         HTTP_JSON},
	{"POST", "/auth/login", sign_in_login, HTTP_INLINE, HTTP_JSON_OR_FORM},
	{"POST", "/auth/register", sign_in_register, HTTP_INLINE,
         HTTP_JSON_OR_FORM},
	{"POST", "/auth/refresh", refresh_tokens, HTTP_INLINE, HTTP_JSON},
	{"POST", "/token", oauth_token, HTTP_INLINE, HTTP_OAUTH_FORM},
	{"POST", "/auth/token", oauth_token, HTTP_INLINE, HTTP_OAUTH_FORM},
	{"POST", "/auth/revoke", oauth_revoke, HTTP_INLINE, HTTP_OAUTH_FORM},
	{"POST", "/auth/introspect", oauth_introspect, HTTP_INLINE,
         HTTP_OAUTH_FORM},
	{"GET", "/.well-known/jwks.json", oauth_keys, HTTP_INLINE,
         HTTP_NO_BODY},
	{"GET", "/.well-known/oauth-authorization-server", oauth_metadata,
         HTTP_INLINE, HTTP_NO_BODY},
	{"POST", "/auth/password", password_change, HTTP_INLINE, HTTP_JSON},
	{"POST", "/auth/phone/start", phone_start, HTTP_INLINE, HTTP_JSON},
	{"POST", "/auth/phone/verify", phone_verify, HTTP_INLINE, HTTP_JSON},
	{"POST", "/auth/phone", phone_attach, HTTP_INLINE, HTTP_JSON},
	{"POST", "/auth/logout", devices_log_out, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/auth/sessions", devices_list, HTTP_INLINE, HTTP_NO_BODY},
	{"DELETE", "/auth/sessions", devices_end_others, HTTP_INLINE,
         HTTP_NO_BODY},
	{"DELETE", "/auth/sessions/{}", devices_end, HTTP_INLINE, HTTP_NO_BODY},
};

static void *worker_start(void *pool_context)
{
	struct api *api = pool_context;
	struct api_context *context = mem_new(sizeof(*context));

	*context = api->shared;
	context->database = database_create(api->source);
	if (context->phone && sms_checks_codes(&context->phone->provider))
		context->sms = sms_client_create(&context->phone->provider);
	return context;
}

static void worker_stop(void *worker_context)
{
	struct api_context *context = worker_context;

	sms_client_destroy(&context->sms);
	database_destroy(&context->database);
	mem_free(&context);
}

static struct http_worker_pool_options pool_of(struct api *api,
                                               const char *name,
                                               uint64_t threads, uint64_t queue,
                                               unsigned full_http)
{
	return (struct http_worker_pool_options){
		.name = name,
		.threads = (unsigned)threads,
		.queue_max = (unsigned)queue,
		.full_http = full_http,
		.retry_after_s = RETRY_AFTER_S,
		.worker_start = worker_start,
		.worker_stop = worker_stop,
		.pool_context = api,
	};
}

/* The hash that the password of an unknown name is checked against. */
static enum status make_dummy(char *hash)
{
	char password[16];

	random_bytes(password, sizeof(password));
	return password_hash(span_make(password, sizeof(password)), hash);
}

static void start_phone_auth(struct api *api,
                             const struct identity_settings *settings)
{
	struct phone_auth *phone = &api->phone;

	phone->provider = identity_sms_provider(settings);
	if (phone->provider.kind == SMS_NONE)
		return;
	phone->key = code_key(span_of(settings->key_secret));
	phone->send_rules = identity_send_rules(settings);
	phone->ttl_s = settings->code_ttl_s;
	phone->interval_s = settings->code_interval_s;
	phone->tries_max = settings->code_tries;
	phone->sender = sms_sender_start(&phone->provider);
	api->shared.phone = phone;
}

static enum status start_server(struct api *api,
                                const struct identity_settings *settings)
{
	const struct http_server_options options = {
		.bind_address = settings->bind_address,
		.port = (uint16_t)settings->port,
		.routes = routes,
		.route_count = ARRAY_LEN(routes),
		.pools = api->pools,
		.pool_count = POOL_COUNT,
		.inline_context = &api->shared,
		.max_body = BODY_MAX,
		.connection_max = (unsigned)settings->connections_max,
		.idle_timeout_s = (unsigned)settings->idle_s,
		.body_timeout_s = HTTP_BODY_TIMEOUT_S,
		.unread_max = UNREAD_MAX,
		.unread_user_max = UNREAD_USER_MAX,
		.observe = identity_metrics_observe,
		.turn_max_ms = settings->turn_max_ms,
		.slow_turn = slow_turn_log,
	};

	return http_server_start(&options, &api->server);
}

enum status api_start(const struct identity_settings *settings,
                      struct keyring *keyring, struct tokens *tokens,
                      struct revocations *revocations,
                      struct session_uses *session_uses,
                      struct database_source *source, struct api **ret_api)
{
	CLEANUP(api_stop) struct api *api = mem_new(sizeof(*api));
	enum status status = make_dummy(api->dummy_hash);

	if (status != ST_OK)
		return status;
	if (!identity_trusted_proxies(settings, &api->trusted_proxies))
		return ST_BROKEN;
	api->source = source;
	api->guess_rules = identity_guess_rules(settings);
	api->session_rules = identity_session_rules(settings);
	api->shared = (struct api_context){
		.tokens = tokens,
		.revocations = revocations,
		.session_uses = session_uses,
		.keyring = keyring,
		.keys_max_age_s = identity_keys_max_age_s(settings),
		.issuer = settings->issuer,
		.service_secret = settings->service_secret,
		.password_grant = settings->password_grant,
		.name_reserved_s = settings->name_reserved_s,
		.session_rules = &api->session_rules,
		.dummy_hash = api->dummy_hash,
		.guess_rules = &api->guess_rules,
		.trusted_proxies = &api->trusted_proxies,
	};
	api->pools[POOL_HASH] = pool_of(api, "hash", settings->hash_threads,
	                                settings->hash_queue, 429);
	api->pools[POOL_HASH].client_max = (unsigned)settings->hash_client_max;
	api->pools[POOL_QUERY] = pool_of(api, "query", settings->query_threads,
	                                 settings->query_queue, 503);
	api->pools[POOL_PHONE] =
		pool_of(api, "phone", PHONE_THREADS, PHONE_QUEUE, 503);
	api->pools[POOL_PHONE].client_max = PHONE_CLIENT_MAX;
	start_phone_auth(api, settings);
	status = start_server(api, settings);
	if (status == ST_OK)
		*ret_api = MOVE(api);
	return status;
}

void api_stop(struct api **api)
{
	struct api *a = MOVE(*api);

	if (!a)
		return;
	http_server_stop(&a->server);
	sms_sender_stop(&a->phone.sender);
	mem_wipe(&a->phone.key, sizeof(a->phone.key));
	mem_free(&a);
}

void api_update_metrics(struct api *api)
{
	metric_set(&identity_metrics_hash_waiting,
	           http_server_queued(api->server, POOL_HASH));
	metric_set(&identity_metrics_query_waiting,
	           http_server_queued(api->server, POOL_QUERY));
}
