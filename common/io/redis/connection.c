/*
 * An attempt resolves the host and connects to its addresses in turn. A
 * connection is up when Redis has answered a round of checks well; rounds
 * follow one another, so that a Redis that hangs, or no longer does what is
 * asked, is noticed without any other command.
 */
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/base/scope.h"
#include "common/io/redis/loop.h"
#include "common/io/redis/private.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

enum {
	BACKOFF_BASE_MS = 100,
	BACKOFF_MAX_MS = 5000,
	/*
	 * Ticks are counted, not milliseconds: when this loop has stood still,
	 * the reply may wait in the socket, and the loop reads it before the
	 * next tick.
	 */
	TICKS_UNANSWERED_MAX = 4,
	/* The host may have another address by then. */
	ROUNDS_REFUSED_MAX = 5,
};

static void on_backoff_over(uv_timer_t *timer);
static void on_next_address(uv_timer_t *timer);

static const struct redis_check ping = {.words = {"PING"},
                                        .kinds = REDIS_KIND(REDIS_TEXT)};

/* --- states -------------------------------------------------------------- */

static void report_down(struct redis *redis, const char *why)
{
	bool changed = redis->up || strcmp(redis->reported, why) != 0;
	char reason[REDIS_WHY_MAX];

	redis->up = false;
	if (!changed)
		return;
	(void)snprintf(reason, sizeof(reason), "%s", why);
	memcpy(redis->reported, reason, sizeof(reason));
	redis->options.changed(redis->options.context, false, redis->reported);
}

static void report_up(struct redis *redis)
{
	redis->auth_error[0] = '\0';
	redis->passed = true;
	redis->tries = 0;
	if (redis->up)
		return;
	redis->up = true;
	redis->reported[0] = '\0';
	redis->options.changed(redis->options.context, true, NULL);
}

static void retry_later(struct redis *redis)
{
	uint64_t wait_ms =
		1 + backoff_ms(redis->tries++, BACKOFF_BASE_MS, BACKOFF_MAX_MS);

	(void)uv_timer_start(redis->timer, on_backoff_over, wait_ms, 0);
}

/* The reason of the last address is the one that is reported. */
static void connection_failed(struct redis *redis, const char *why)
{
	bool others = redis->next_address < redis->addresses.count;

	(void)uv_timer_stop(redis->timer);
	redis->connection = NULL;
	if (!redis->passed && others) {
		(void)uv_timer_start(redis->timer, on_next_address, 0, 0);
		return;
	}
	report_down(redis, why);
	retry_later(redis);
}

/* It is down before hiredis completes the pending commands. */
static void drop_connection(struct redis *redis, const char *why)
{
	redisAsyncContext *connection = redis->connection;

	connection->data = NULL;
	connection_failed(redis, why);
	redisAsyncFree(connection);
}

/* --- checks -------------------------------------------------------------- */

static void refuse(struct redis *redis, const char *why)
{
	if (redis->refused)
		return; /* the first reason counts */
	redis->refused = true;
	(void)snprintf(redis->refusal, sizeof(redis->refusal), "%s", why);
}

static void round_passed(struct redis *redis)
{
	redis->rounds_refused = 0;
	report_up(redis);
}

/* The wrong password is the reason why later commands get NOAUTH. */
static void round_refused(struct redis *redis)
{
	const char *why = redis->refusal;

	if (*redis->auth_error && !strncmp(why, "NOAUTH", 6))
		why = redis->auth_error;
	redis->rounds_refused++;
	report_down(redis, why);
}

static void on_auth(redisAsyncContext *connection, void *reply, void *data)
{
	const redisReply *answer = reply;
	struct redis *redis = connection->data;

	(void)data;
	if (redis && answer && answer->type == REDIS_REPLY_ERROR)
		(void)snprintf(redis->auth_error, sizeof(redis->auth_error),
		               "%s", answer->str);
}

static void on_check(redisAsyncContext *connection, void *reply, void *data)
{
	const struct redis_check *check = data;
	struct redis *redis = connection->data;
	struct redis_reply answered = redis_reply_of(reply);

	if (!redis || answered.kind == REDIS_NO_REPLY)
		return;
	redis->ticks_unanswered = 0;
	if (answered.kind == REDIS_FAULT)
		refuse(redis, answered.text.data);
	else if (!(check->kinds & REDIS_KIND(answered.kind)))
		refuse(redis, "not the reply of a Redis");
	if (--redis->unanswered > 0)
		return;
	if (redis->refused)
		round_refused(redis);
	else
		round_passed(redis);
}

static void send_check(struct redis *redis, const struct redis_check *check)
{
	unsigned count = 0;

	while (check->words[count])
		count++;
	if (redisAsyncCommandArgv(redis->connection, on_check, (void *)check,
	                          (int)count, (const char **)check->words,
	                          NULL) == REDIS_OK)
		redis->unanswered++;
}

static void send_checks(struct redis *redis)
{
	redis->refused = false;
	redis->ticks_unanswered = 0;
	send_check(redis, &ping);
	for (unsigned i = 0; i < redis->options.check_count; i++)
		send_check(redis, &redis->options.checks[i]);
}

static void on_tick(uv_timer_t *timer)
{
	struct redis *redis = timer->data;

	if (!redis->unanswered) {
		if (redis->rounds_refused < ROUNDS_REFUSED_MAX)
			send_checks(redis);
		else
			drop_connection(redis, redis->reported);
		return;
	}
	if (++redis->ticks_unanswered >= TICKS_UNANSWERED_MAX)
		drop_connection(redis, "no answer");
}

/* --- one connection ------------------------------------------------------ */

static const char *text_of(const char *error)
{
	return *error ? error : "closed by the server";
}

/* hiredis frees the context after this callback and the next. */
static void on_disconnect(const redisAsyncContext *connection, int status)
{
	struct redis *redis = connection->data;
	const char *why = text_of(connection->errstr);

	(void)status;
	if (!redis)
		return;
	/* A server with too many clients says so and closes. */
	if (*redis->auth_error)
		why = redis->auth_error;
	if (redis->refused)
		why = redis->refusal;
	connection_failed(redis, why);
}

static void on_connect(const redisAsyncContext *connection, int status)
{
	struct redis *redis = connection->data;

	if (redis && status != REDIS_OK)
		connection_failed(redis, text_of(connection->errstr));
}

static void on_too_long(void *context)
{
	drop_connection(context, "a reply is too long");
}

static void greet(struct redis *redis)
{
	const char *auth[] = {"AUTH", redis->options.password};

	redis->auth_error[0] = '\0';
	if (*redis->options.password)
		(void)redisAsyncCommandArgv(redis->connection, on_auth, NULL, 2,
		                            auth, NULL);
	send_checks(redis);
}

static void watch(struct redis *redis, redisAsyncContext *connection)
{
	connection->data = redis;
	redis->connection = connection;
	redis_loop_attach(connection, redis->loop, on_too_long);
	(void)redisAsyncSetConnectCallback(connection, on_connect);
	(void)redisAsyncSetDisconnectCallback(connection, on_disconnect);
	greet(redis);
	(void)uv_timer_start(redis->timer, on_tick, redis->options.check_ms,
	                     redis->options.check_ms);
}

/* The address is numeric: hiredis asks no name server. */
static void connect_next(struct redis *redis)
{
	const char *address = redis->addresses.text[redis->next_address++];
	redisAsyncContext *connection =
		redisAsyncConnect(address, (int)redis->options.port);
	char why[REDIS_WHY_MAX] = "no memory";

	redis->passed = false;
	redis->unanswered = 0;
	redis->rounds_refused = 0;
	if (connection && !connection->err) {
		watch(redis, connection);
		return;
	}
	if (connection) {
		(void)snprintf(why, sizeof(why), "%s", connection->errstr);
		redisAsyncFree(connection);
	}
	connection_failed(redis, why);
}

static void on_next_address(uv_timer_t *timer)
{
	connect_next(timer->data);
}

/* --- attempts ------------------------------------------------------------ */

static void connect_first(struct redis *redis)
{
	redis->resolving = false;
	redis->next_address = 0;
	connect_next(redis);
}

/*
 * Addresses that were found once serve on while name servers do not answer. A
 * late answer serves the next attempt.
 */
static void on_resolved(void *context,
                        const struct resolver_addresses *addresses,
                        const char *why)
{
	struct redis *redis = context;

	if (addresses)
		redis->addresses = *addresses;
	if (!redis->resolving)
		return;
	if (redis->addresses.count) {
		connect_first(redis);
		return;
	}
	redis->resolving = false;
	report_down(redis, why);
	retry_later(redis);
}

static void on_patience_over(uv_timer_t *timer)
{
	struct redis *redis = timer->data;
	char why[REDIS_WHY_MAX];

	if (redis->addresses.count) {
		connect_first(redis);
		return;
	}
	(void)snprintf(why, sizeof(why), "%.255s is not resolved yet",
	               redis->options.host);
	report_down(redis, why);
}

static void begin_attempt(struct redis *redis)
{
	redis->resolving = true;
	(void)uv_timer_start(redis->timer, on_patience_over,
	                     redis->options.check_ms, 0);
	resolver_ask(redis->resolver);
}

static void on_backoff_over(uv_timer_t *timer)
{
	begin_attempt(timer->data);
}

void redis_connection_refuses(struct redis *redis, const char *why)
{
	report_down(redis, why);
}

void redis_connection_start(struct redis *redis)
{
	redis->timer = mem_new(sizeof(*redis->timer));
	(void)uv_timer_init(redis->loop, redis->timer);
	redis->timer->data = redis;
	redis->resolver = resolver_create(redis->loop, redis->options.host,
	                                  on_resolved, redis);
	begin_attempt(redis);
}

static void free_handle(uv_handle_t *handle)
{
	void *memory = handle;

	mem_free(&memory);
}

void redis_connection_stop(struct redis *redis)
{
	redisAsyncContext *connection = MOVE(redis->connection);

	resolver_destroy(&redis->resolver);
	uv_close((uv_handle_t *)redis->timer, free_handle);
	if (!connection)
		return;
	redis->up = false;
	redis->stopping = true;
	connection->data = NULL;
	redisAsyncFree(connection); /* completes the pending commands */
}
