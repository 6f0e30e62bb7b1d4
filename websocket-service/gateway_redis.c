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
	{{"TIME"}, REDIS_KIND(REDIS_LIST)},
};

static void on_down(struct gateway *g, const char *why)
{
	g->redis_lost = true;
	if (service_hint("redis", false, why))
		log_event(LOG_WARN, "redis.down", F_TEXT("why", why));
}

/* --- the time of Redis --------------------------------------------------- */
/* The answer is seconds and microseconds. */
static bool read_time(const struct redis_reply *reply, uint64_t *ret_ms)
{
	uint64_t s, us;

	if (reply->kind != REDIS_LIST || reply->count != 2 ||
	    !span_to_u64(redis_item(reply, 0).text, UINT32_MAX, &s) ||
	    !span_to_u64(redis_item(reply, 1).text, 999999, &us))
		return false;
	*ret_ms = s * 1000 + us / 1000;
	return true;
}

static void on_time(void *context, uint64_t publishes,
                    const struct redis_reply *reply)
{
	struct gateway *g = context;
	uint64_t redis_ms;

	if (read_time(reply, &redis_ms))
		presence_clock_set(&g->presence_clock, redis_ms);
	if (publishes && g->presence_publisher) /* NULL: it stops */
		presence_publisher_publish_all(g->presence_publisher);
}

static bool ask_time(struct gateway *g, bool publishes)
{
	const struct span words[] = {SPAN("TIME")};

	g->presence_clock_age_s = 0;
	return redis_command(g->redis, words, ARRAY_LEN(words), on_time, g,
	                     publishes);
}

void gateway_redis_second(struct gateway *g)
{
	if (++g->presence_clock_age_s >= PRESENCE_CLOCK_ASK_S)
		(void)ask_time(g, false);
}

/* --- its state ----------------------------------------------------------- */
/* Redis answers in order: the time is there before any other answer. */
static void on_up(struct gateway *g)
{
	(void)service_hint("redis", true, NULL);
	log_event(LOG_INFO, "redis.up");
	presence_queries_redis_up(g->presence_queries, g->redis_lost);
	if (!ask_time(g, true))
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
