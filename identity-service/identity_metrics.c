#include "identity-service/identity_metrics.h"
#include "common/base/scope.h"
#include "common/wire/identity.h"

#include <string.h>

struct metric identity_metrics_verifications =
	METRIC_COUNTER("parley_token_verifications_total",
                       "Tokens whose signature was checked.");
struct metric identity_metrics_hash = METRIC_HISTOGRAM(
	"parley_password_hash_seconds", "Time to hash or check a password.");
struct metric identity_metrics_hash_waiting = METRIC_GAUGE(
	"parley_hash_queue", "Sign-ins that wait for a hash thread.");
struct metric identity_metrics_query_waiting = METRIC_GAUGE(
	"parley_query_queue", "Look-ups that wait for a database thread.");
struct metric identity_metrics_tokens_cached =
	METRIC_GAUGE("parley_tokens_cached", "Verified tokens in the cache.");
struct metric identity_metrics_revoked =
	METRIC_GAUGE("parley_sessions_revoked", "Revoked sessions in memory.");
struct metric identity_metrics_refresh_reused = METRIC_COUNTER(
	"parley_refresh_tokens_reused_total",
	"Sessions revoked because a refresh token was used by two clients.");

#define REFUSED(subject_) \
	METRIC_COUNTER("parley_guesses_refused_total{subject=\"" subject_ \
	               "\"}", \
	               "Sign-ins refused because of earlier failures.")

struct metric identity_metrics_guesses_refused[GUESS_SUBJECTS] = {
	[GUESS_ADDRESS] = REFUSED("address"),
	[GUESS_NAME] = REFUSED("name"),
	[GUESS_KNOWN] = REFUSED("known"),
};

struct metric identity_metrics_sms_sent = METRIC_COUNTER(
	"parley_sms_sent_total", "SMS that the provider has taken.");
struct metric identity_metrics_sms_failed =
	METRIC_COUNTER("parley_sms_failed_total",
                       "SMS that the provider refused, or of which it did "
                       "not say in time that it has taken them.");
struct metric identity_metrics_codes_right =
	METRIC_COUNTER("parley_phone_codes_checked_total{result=\"right\"}",
                       "Codes that users sent back.");
struct metric identity_metrics_codes_wrong =
	METRIC_COUNTER("parley_phone_codes_checked_total{result=\"wrong\"}",
                       "Codes that users sent back.");

#define CODES_REFUSED(subject_) \
	METRIC_COUNTER("parley_phone_codes_refused_total{subject=\"" subject_ \
	               "\"}", \
	               "Codes that were not sent because of a limit.")

struct metric identity_metrics_codes_refused[SEND_SUBJECTS] = {
	[SEND_PHONE] = CODES_REFUSED("phone"),
	[SEND_ADDRESS] = CODES_REFUSED("address"),
	[SEND_COUNTRY] = CODES_REFUSED("country"),
	[SEND_TOTAL] = CODES_REFUSED("total"),
	[SEND_FEW_USED] = CODES_REFUSED("few_used"),
};

static struct metric lookup =
	METRIC_HISTOGRAM("parley_token_lookup_seconds",
                         "Time from a token look-up to its answer.");

#define REQUESTS "parley_http_requests_total"
#define HELP     "Requests by route and class of the HTTP code."
#define COUNTER(path_, class_) \
	METRIC_COUNTER(REQUESTS "{route=\"" path_ "\",code=\"" class_ "\"}", \
	               HELP)
#define ROUTE(path_) \
	{ \
		path_, \
		{ \
			COUNTER(path_, "2xx"), COUNTER(path_, "4xx"), \
				COUNTER(path_, "5xx") \
		} \
	}

enum { CLASSES = 3 };

static struct {
	const char *path;
	struct metric by_class[CLASSES];
} routes[] = {
	ROUTE(IDENTITY_LOOKUP_PATH),
	ROUTE(IDENTITY_ENDED_PATH),
	ROUTE(IDENTITY_DELETED_PATH),
	ROUTE("/auth/account"),
	ROUTE("/auth/account/delete"),
	ROUTE("/auth/profile"),
	ROUTE("/auth/users/{}"),
	ROUTE("/auth/users"),
	ROUTE("/auth/status"),
	ROUTE("/auth/login"),
	ROUTE("/auth/register"),
	ROUTE("/auth/refresh"),
	ROUTE("/auth/password"),
	ROUTE("/auth/phone"),
	ROUTE("/auth/phone/start"),
	ROUTE("/auth/phone/verify"),
	ROUTE("/auth/logout"),
	ROUTE("/auth/sessions"),
	ROUTE("/auth/sessions/{}"),
	ROUTE("/token"),
	ROUTE("/auth/token"),
	ROUTE("/auth/revoke"),
	ROUTE("/auth/introspect"),
	ROUTE("/.well-known/jwks.json"),
	ROUTE("/.well-known/oauth-authorization-server"),
	ROUTE(""), /* no route */
};

void identity_metrics_start(void)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		for (unsigned j = 0; j < CLASSES; j++)
			metrics_add(&routes[i].by_class[j]);
	}
	metrics_add(&lookup);
	metrics_add(&identity_metrics_verifications);
	metrics_add(&identity_metrics_tokens_cached);
	metrics_add(&identity_metrics_revoked);
	metrics_add(&identity_metrics_refresh_reused);
	metrics_add(&identity_metrics_hash);
	metrics_add(&identity_metrics_hash_waiting);
	metrics_add(&identity_metrics_query_waiting);
	for (unsigned i = 0; i < GUESS_SUBJECTS; i++)
		metrics_add(&identity_metrics_guesses_refused[i]);
	metrics_add(&identity_metrics_sms_sent);
	metrics_add(&identity_metrics_sms_failed);
	metrics_add(&identity_metrics_codes_right);
	metrics_add(&identity_metrics_codes_wrong);
	for (unsigned i = 0; i < SEND_SUBJECTS; i++)
		metrics_add(&identity_metrics_codes_refused[i]);
}

void identity_metrics_observe(void *context, const char *route_path,
                              unsigned http, uint64_t took_us)
{
	unsigned class = http < 400 ? 0 : http < 500 ? 1 : 2;

	(void)context;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (strcmp(routes[i].path, route_path) != 0)
			continue;
		metric_count(&routes[i].by_class[class], 1);
		if (i == 0)
			metric_observe_us(&lookup, took_us);
		return;
	}
}
