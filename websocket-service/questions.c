#include "websocket-service/questions.h"
#include "websocket-service/gateway_metrics.h"

#include <string.h>

enum {
	ANSWERS_KEPT = 200000,
	BAD_TOKEN_KEPT_MS = 5000,
	USER_KEPT_MS = 3600 * 1000,
	NO_USER_KEPT_MS = 2000,
};

static enum status read_owner(enum status asked, const struct http_answer *http,
                              struct lookup_answer *ret_answer)
{
	struct token_owner owner;
	enum status st = identity_read_owner(asked, http, &owner);

	if (st != ST_OK)
		return st;
	ret_answer->user = owner.user;
	ret_answer->expires_at_ms = owner.expires_at_ms;
	memcpy(ret_answer->session, owner.session, sizeof(owner.session));
	return ST_OK;
}

static uint64_t owner_holds(const struct lookup_answer *answer, uint64_t now_ms)
{
	if (answer->status == ST_OK)
		return answer->expires_at_ms;
	return answer->status == ST_DENIED ? now_ms + BAD_TOKEN_KEPT_MS : 0;
}

static enum status read_user(enum status asked, const struct http_answer *http,
                             struct lookup_answer *ret_answer)
{
	return identity_read_user(asked, http, &ret_answer->user);
}

/* A user once found stays; one not found may register any moment. */
static uint64_t user_holds(const struct lookup_answer *answer, uint64_t now_ms)
{
	if (answer->status == ST_OK)
		return now_ms + USER_KEPT_MS;
	return answer->status == ST_NOT_FOUND ? now_ms + NO_USER_KEPT_MS : 0;
}

static void on_asked(void *context, bool answered, uint64_t took_us)
{
	(void)context;
	metric_took(&gateway_metrics.lookup_time, took_us);
	if (!answered)
		metric_count(&gateway_metrics.lookups_failed, 1);
}

static struct lookups_options
options_of(struct http_poller *poller, const struct gateway_settings *settings)
{
	return (struct lookups_options){
		.poller = poller,
		.base_url = settings->identity_url,
		.timeout_ms = (unsigned)settings->identity_timeout_ms,
		.kept_max = ANSWERS_KEPT,
		.asked = on_asked,
	};
}

struct lookups *questions_tokens(struct http_poller *poller,
                                 const struct gateway_settings *settings)
{
	struct lookups_options options = options_of(poller, settings);

	options.read = read_owner;
	options.holds_until = owner_holds;
	return lookups_create(&options);
}

struct lookups *questions_users(struct http_poller *poller,
                                const struct gateway_settings *settings)
{
	struct lookups_options options = options_of(poller, settings);

	options.read = read_user;
	options.holds_until = user_holds;
	return lookups_create(&options);
}
