#include "websocket-service/gateway.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/io/http_client.h"
#include "common/io/kafka.h"
#include "common/io/redis.h"
#include "common/service/log.h"
#include "common/service/service.h"
#include "websocket-service/connection.h"
#include "websocket-service/fanout.h"
#include "websocket-service/intake.h"
#include "websocket-service/lookups.h"
#include "websocket-service/measures.h"
#include "websocket-service/sends.h"
#include "websocket-service/settings.h"
#include "websocket-service/sockets.h"

#include <errno.h>
#include <uv.h>

enum {
	TICK_MS = 1000,
	SENDS_TICK_MS = 50,
	EVENTS_PER_TURN = 500,
	REPORTS_PER_TURN = 2000,
	READER_WAIT_MS = 1000,
	READER_BACKOFF_MS = 200,
	READER_BACKOFF_MAX_MS = 3000,
	ANSWERS_KEPT = 200000,
	BAD_TOKEN_KEPT_MS = 5000,
	USER_KEPT_MS = 3600 * 1000,
	NO_USER_KEPT_MS = 2000,
	IDENTITY_CONNECTIONS = 32,
	REDIS_PENDING_MAX = 20000,
	CLOSE_TURNS = 100,
};

struct gateway {
	const struct gateway_settings *settings;
	uint64_t number; /* random: tells our own origins from others' */
	uv_loop_t loop;
	uv_timer_t tick, sends_tick, reader_retry;
	uv_poll_t wake, reports, events;
	uv_prepare_t before_wait;
	uv_check_t after_wait;
	uv_idle_t more; /* runs while events are left over from a turn */
	struct http_poller *poller;
	struct lookups *tokens;
	struct lookups *recipients;
	struct connections *connections;
	struct redis *redis;
	struct kafka_producer *producer;
	struct kafka_reader *reader;
	struct sends *sends;
	struct intake *intake;
	struct fanout *fanout;
	struct sockets *sockets;
	unsigned reader_tries;
	enum status broken; /* ends the service */
	bool draining;
};

/* --- identity ------------------------------------------------------------ */

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
	metric_took(&measure_lookup, took_us);
	if (!answered)
		metric_count(&measure_lookup_failed, 1);
}

static void start_lookups(struct gateway *g)
{
	struct lookups_options options = {
		.base_url = g->settings->identity_url,
		.timeout_ms = (unsigned)g->settings->identity_timeout_ms,
		.kept_max = ANSWERS_KEPT,
		.asked = on_asked,
	};

	g->poller = http_poller_create(&g->loop, IDENTITY_CONNECTIONS);
	options.poller = g->poller;
	options.read = read_owner;
	options.holds_until = owner_holds;
	g->tokens = lookups_create(&options);
	options.read = read_user;
	options.holds_until = user_holds;
	g->recipients = lookups_create(&options);
}

/* --- sockets ------------------------------------------------------------- */

static void on_text(void *context, struct connection *connection,
                    struct span text)
{
	struct gateway *g = context;

	intake_text(g->intake, connection, text);
}

static void on_socket_opened(void *context, struct connection *connection)
{
	struct gateway *g = context;

	intake_user_seen(g->intake, connection_user(connection));
}

static void start_connections(struct gateway *g)
{
	g->connections = connections_create(&(struct connections_options){
		.tokens = g->tokens,
		.origins = g->settings->origins,
		.ping_s = (unsigned)g->settings->ping_s,
		.silent_s = (unsigned)g->settings->silent_s,
		.queue_bytes = (uint32_t)g->settings->queue_bytes,
		.connections_max = (uint32_t)g->settings->connections_max,
		.text = on_text,
		.opened = on_socket_opened,
		.context = g,
	});
}

static void listen_now(struct gateway *g)
{
	if (sockets_listen(g->sockets, g->settings->bind_address,
	                   (uint16_t)g->settings->port) != ST_OK) {
		log_event(LOG_ERROR, "gateway.port_taken",
		          F_NUMBER("port", g->settings->port),
		          F_TEXT("why", strerror(errno)));
		g->broken = ST_UNAVAILABLE;
		return;
	}
	log_event(LOG_INFO, "gateway.listening",
	          F_NUMBER("port", g->settings->port));
	service_part("sockets", true, NULL);
}

/* --- Kafka --------------------------------------------------------------- */

static void on_answer(void *context, uint64_t tag, enum status status)
{
	struct gateway *g = context;

	sends_answered(g->sends, tag, status);
}

static void on_reports(uv_poll_t *poll, int status, int events)
{
	struct gateway *g = poll->data;

	(void)status;
	(void)events;
	/* The descriptor is level-triggered but emptied: go on until done. */
	while (kafka_producer_poll(g->producer, REPORTS_PER_TURN) ==
	       REPORTS_PER_TURN)
		;
	metric_set(&measure_kafka_pending, kafka_producer_pending(g->producer));
}

static struct kafka_options kafka_options(const struct gateway *g)
{
	return (struct kafka_options){
		.brokers = g->settings->kafka_brokers,
		.client_id = "websocket-service",
		.log = log_kafka,
	};
}

static enum status start_producer(struct gateway *g)
{
	enum status st = kafka_producer_create(
		&(struct kafka_producer_options){
			.common = kafka_options(g),
			.queue_max_kib = (unsigned)g->settings->kafka_queue_kib,
			.timeout_ms = (unsigned)g->settings->kafka_timeout_ms,
			.answer = on_answer,
			.context = g,
		},
		&g->producer);

	if (st != ST_OK)
		return st;
	(void)uv_poll_init(&g->loop, &g->reports,
	                   kafka_producer_fd(g->producer));
	g->reports.data = g;
	(void)uv_poll_start(&g->reports, UV_READABLE, on_reports);
	return ST_OK;
}

static void on_more(uv_idle_t *idle);

/* At most EVENTS_PER_TURN, so that sockets are served in between. */
static void read_events(struct gateway *g)
{
	for (unsigned i = 0; i < EVENTS_PER_TURN; i++) {
		struct kafka_message *event CLEANUP(kafka_message_destroy) =
			NULL;
		enum status st = kafka_reader_poll(g->reader, &event);

		if (st == ST_OK) {
			fanout_event(g->fanout, event);
			continue;
		}
		if (st == ST_UNCERTAIN) {
			/* Who was told `welcome` has missed something. */
			log_event(LOG_ERROR, "events.lost");
			connections_close_all(g->connections, false,
			                      WEBSOCKET_TRY_LATER,
			                      "read the backlog again");
			continue;
		}
		(void)uv_idle_stop(&g->more);
		return;
	}
	(void)uv_idle_start(&g->more, on_more);
}

static void on_more(uv_idle_t *idle)
{
	read_events(idle->data);
}

static void on_events(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	read_events(poll->data);
}

static void start_reader(struct gateway *g);

static void on_reader_retry(uv_timer_t *timer)
{
	start_reader(timer->data);
}

static void reader_later(struct gateway *g, enum status st)
{
	service_part("kafka", false, status_text(st));
	if (st == ST_BROKEN)
		log_event(
			LOG_ERROR, "events.topic_unfit",
			F_TEXT("topic", g->settings->topic_events),
			F_NUMBER("partitions", g->settings->kafka_partitions));
	(void)uv_timer_start(&g->reader_retry, on_reader_retry,
	                     1 + backoff_ms(g->reader_tries++,
	                                    READER_BACKOFF_MS,
	                                    READER_BACKOFF_MAX_MS),
	                     0);
}

/* Blocks for up to READER_WAIT_MS: there are no sockets yet to be kept. */
static void start_reader(struct gateway *g)
{
	struct kafka_reader_options options = {
		.common = kafka_options(g),
		.topic = g->settings->topic_events,
		.partitions = (unsigned)g->settings->kafka_partitions,
	};
	enum status st;

	(void)gateway_shard(g->settings, &options.shard, &options.shards);
	st = kafka_reader_create(&options, READER_WAIT_MS, &g->reader);
	if (st != ST_OK) {
		reader_later(g, st);
		return;
	}
	(void)uv_poll_init(&g->loop, &g->events, kafka_reader_fd(g->reader));
	g->events.data = g;
	(void)uv_poll_start(&g->events, UV_READABLE, on_events);
	service_part("kafka", true, NULL);
	listen_now(g);
}

/* --- Redis --------------------------------------------------------------- */

/* Not a part of readiness: nothing depends on hints. */
static void on_redis(void *context, bool up, const char *why)
{
	(void)context;
	if (up)
		log_event(LOG_INFO, "redis.up");
	else
		log_event(LOG_WARN, "redis.down", F_TEXT("why", why));
}

static void start_redis(struct gateway *g)
{
	g->redis = redis_create(
		&g->loop, &(struct redis_options){
				  .host = g->settings->redis_host,
				  .port = (uint16_t)g->settings->redis_port,
				  .password = g->settings->redis_password,
				  .pending_max = REDIS_PENDING_MAX,
				  .changed = on_redis,
			  });
}

/* --- the loop ------------------------------------------------------------ */

static void on_tick(uv_timer_t *timer)
{
	struct gateway *g = timer->data;

	connections_tick(g->connections);
	metric_set(&measure_hints_dropped, redis_dropped(g->redis));
	metric_set(&measure_kafka_rebuilt, kafka_producer_rebuilt(g->producer));
	if (g->reader)
		metric_set(&measure_events_lag,
		           (uint64_t)kafka_reader_lag(g->reader));
	if (g->draining)
		connections_close_all(g->connections, true,
		                      WEBSOCKET_GOING_AWAY, "restarting");
}

static void on_sends_tick(uv_timer_t *timer)
{
	struct gateway *g = timer->data;

	sends_tick(g->sends);
}

static void on_before_wait(uv_prepare_t *prepare)
{
	struct gateway *g = prepare->data;

	connections_flush(g->connections);
}

static void on_after_wait(uv_check_t *check)
{
	struct gateway *g = check->data;

	connections_flush(g->connections);
}

/* Only ends the wait: service_main() looks at service_stopping(). */
static void on_wake(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	(void)uv_poll_stop(poll);
}

static void start_loop(struct gateway *g)
{
	(void)uv_loop_init(&g->loop);
	(void)uv_timer_init(&g->loop, &g->tick);
	(void)uv_timer_init(&g->loop, &g->sends_tick);
	(void)uv_timer_init(&g->loop, &g->reader_retry);
	(void)uv_prepare_init(&g->loop, &g->before_wait);
	(void)uv_check_init(&g->loop, &g->after_wait);
	(void)uv_idle_init(&g->loop, &g->more);
	(void)uv_poll_init(&g->loop, &g->wake, service_wake_fd());
	g->tick.data = g;
	g->sends_tick.data = g;
	g->reader_retry.data = g;
	g->before_wait.data = g;
	g->after_wait.data = g;
	g->more.data = g;
	(void)uv_timer_start(&g->tick, on_tick, TICK_MS, TICK_MS);
	(void)uv_timer_start(&g->sends_tick, on_sends_tick, SENDS_TICK_MS,
	                     SENDS_TICK_MS);
	(void)uv_timer_start(&g->reader_retry, on_reader_retry, 0, 0);
	(void)uv_prepare_start(&g->before_wait, on_before_wait);
	(void)uv_check_start(&g->after_wait, on_after_wait);
	(void)uv_poll_start(&g->wake, UV_READABLE, on_wake);
}

static void start_messages(struct gateway *g)
{
	g->sends = sends_create(&(struct sends_options){
		.connections = g->connections,
		.producer = g->producer,
		.redis = g->redis,
		.topic = g->settings->topic_save,
		.gateway = g->number,
		.unsettled_max = (unsigned)g->settings->unsettled_max,
		.accepted_ms = (unsigned)g->settings->accepted_ms,
		.hint_ttl_s = (unsigned)g->settings->hint_ttl_s,
	});
	g->intake = intake_create(&(struct intake_options){
		.connections = g->connections,
		.recipients = g->recipients,
		.sends = g->sends,
	});
	g->fanout = fanout_create(g->connections, g->sends, g->number);
}

enum status gateway_start(const void *settings, void **ret_gateway)
{
	struct gateway *g = mem_new(sizeof(*g));
	enum status st;

	*ret_gateway = g;
	g->settings = settings;
	g->number = random_u64();
	measures_start();
	service_part("kafka", false, "not asked yet");
	service_part("sockets", false, "not listening yet");
	start_loop(g);
	start_lookups(g);
	start_connections(g);
	start_redis(g);
	st = start_producer(g);
	if (st != ST_OK)
		return st;
	start_messages(g);
	return sockets_create(&g->loop, &connection_events, g->connections,
	                      &g->sockets);
}

enum status gateway_step(void *gateway)
{
	struct gateway *g = gateway;

	(void)uv_run(&g->loop, UV_RUN_ONCE);
	return g->broken;
}

/* --- the end ------------------------------------------------------------- */

/*
 * A socket with messages under way is closed when they are settled, the others
 * at once: no sender has to ask what became of a message.
 */
void gateway_drain(void *gateway)
{
	struct gateway *g = gateway;

	g->draining = true;
	service_part("sockets", false, "draining");
	(void)uv_timer_stop(&g->reader_retry);
	sockets_stop_listening(g->sockets);
	connections_close_all(g->connections, true, WEBSOCKET_GOING_AWAY,
	                      "restarting");
}

bool gateway_drained(void *gateway)
{
	struct gateway *g = gateway;

	return connections_count(g->connections) == 0 &&
	       kafka_producer_pending(g->producer) == 0;
}

static void close_handle(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void turn_a_few_times(struct gateway *g)
{
	for (unsigned i = 0; i < CLOSE_TURNS; i++) {
		if (!uv_run(&g->loop, UV_RUN_NOWAIT))
			return;
	}
}

static void close_own_handles(struct gateway *g)
{
	uv_handle_t *handles[] = {
		(uv_handle_t *)&g->tick,         (uv_handle_t *)&g->sends_tick,
		(uv_handle_t *)&g->reader_retry, (uv_handle_t *)&g->wake,
		(uv_handle_t *)&g->before_wait,  (uv_handle_t *)&g->after_wait,
		(uv_handle_t *)&g->more,
	};

	for (unsigned i = 0; i < ARRAY_LEN(handles); i++)
		close_handle(handles[i], NULL);
	if (g->producer)
		close_handle((uv_handle_t *)&g->reports, NULL);
	if (g->reader)
		close_handle((uv_handle_t *)&g->events, NULL);
}

void gateway_stop(void **gateway)
{
	struct gateway *g = *gateway;

	/* What the drain left open: still with a close frame. */
	connections_close_all(g->connections, false, WEBSOCKET_GOING_AWAY,
	                      "restarting");
	connections_flush(g->connections);
	sockets_destroy(&g->sockets);
	turn_a_few_times(g);
	http_poller_destroy(&g->poller);
	intake_destroy(&g->intake);
	lookups_destroy(&g->tokens);
	lookups_destroy(&g->recipients);
	redis_destroy(&g->redis);
	close_own_handles(g);
	turn_a_few_times(g);
	kafka_reader_destroy(&g->reader);
	kafka_producer_destroy(&g->producer);
	fanout_destroy(&g->fanout);
	sends_destroy(&g->sends);
	connections_destroy(&g->connections);
	(void)uv_loop_close(&g->loop);
	mem_free(gateway);
}
