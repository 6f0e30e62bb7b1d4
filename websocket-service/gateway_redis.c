/* Redis is no part of readiness: nothing but presence depends on it. */
#include "common/base/scope.h"
#include "common/io/redis/redis.h"
#include "common/service/log.h"
#include "common/service/readiness.h"
#include "websocket-service/gateway_loop.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/gateway_private.h"
#include "websocket-service/presence/presence_publisher.h"
#include "websocket-service/presence/presence_queries.h"

enum { PENDING_MAX = 20000, CHECK_MS = 1000 };

/*
 * All commands of the gateway, on the keys of a user and a message that do not
 * exist: a Redis that refuses one of them is of no use.
 */
static const struct redis_check checks[] = {
	{{"SET", "message:check", "1", "EX", "60", "NX"},
         REDIS_KIND(REDIS_TEXT) | REDIS_KIND(REDIS_NIL)},
	{{"ZADD", "presence:0", "1", "check"}, REDIS_KIND(REDIS_NUMBER)},
	{{"ZREVRANGE", "presence:0", "0", "0", "WITHSCORES"},
         REDIS_KIND(REDIS_LIST)},
	{{"ZREMRANGEBYRANK", "presence:0", "0", "-9"},
         REDIS_KIND(REDIS_NUMBER)},
	{{"EXPIRE", "presence:0", "60"}, REDIS_KIND(REDIS_NUMBER)},
};

static void on_down(struct gateway *g, const char *why)
{
	g->redis_lost = true;
	if (service_hint("redis", false, why))
		log_event(LOG_WARN, "redis.down", F_TEXT("why", why));
}

static void on_up(struct gateway *g)
{
	(void)service_hint("redis", true, NULL);
	log_event(LOG_INFO, "redis.up");
	presence_queries_redis_up(g->presence_queries, g->redis_lost);
	presence_publisher_publish_all(g->presence_publisher);
	g->redis_lost = false;
}

static void on_change(void *context, bool up, const char *why)
{
	struct gateway *g = context;

	metric_set(&gateway_metrics.redis_up, up);
	if (up)
		on_up(g);
	else
		on_down(g, why);
}

void gateway_redis_create(struct gateway *g)
{
	(void)service_hint("redis", false, "not connected yet");
	g->redis =
		redis_create(gateway_loop_uv(g->loop),
	                     &(struct redis_options){
				     .host = g->settings->redis_host,
				     .port = (uint16_t)g->settings->redis_port,
				     .password = g->settings->redis_password,
				     .pending_max = PENDING_MAX,
				     .checks = checks,
				     .check_count = ARRAY_LEN(checks),
				     .check_ms = CHECK_MS,
				     .changed = on_change,
				     .context = g,
			     });
}
