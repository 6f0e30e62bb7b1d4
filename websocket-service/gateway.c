#include "websocket-service/gateway.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/client/identity_client.h"
#include "common/io/kafka/kafka.h"
#include "common/io/redis/redis.h"
#include "common/service/clock_watch.h"
#include "common/service/log.h"
#include "common/service/service.h"
#include "websocket-service/deliver/bus.h"
#include "websocket-service/deliver/ephemeral_producer.h"
#include "websocket-service/deliver/fanout.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/deliver/typing.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/presence/presence_publisher.h"
#include "websocket-service/presence/presence_queries.h"
#include "websocket-service/receive/intake.h"
#include "websocket-service/receive/pending_receipts.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/receive/save_records.h"
#include "websocket-service/settings.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/rate_limits.h"
#include "websocket-service/socket/sockets.h"

#include <errno.h>
#include <uv.h>

enum {
	TICK_MS = 1000,
	SENDS_TICK_MS = 50,
	IDENTITY_CONNECTIONS = 32,
	IDENTITY_OWNERS_MAX = 200000,
	IDENTITY_USERS_MAX = 200000,
	DENIED_TTL_MS = 5000,
	USER_TTL_MS = 3600 * 1000,
	NO_USER_TTL_MS = 2000,
	REDIS_PENDING_MAX = 20000,
	CLOSE_TURNS = 100,
};

struct gateway {
	const struct gateway_settings *settings;
	uint64_t number; /* random: tells our own origins from others' */
	uv_loop_t loop;
	uv_timer_t tick, sends_tick;
	uv_poll_t wake;
	uv_prepare_t before_wait;
	uv_check_t after_wait;
	struct identity_client *identity;
	struct connections *connections;
	struct redis *redis;
	struct bus *bus;
	struct save_records *records;
	struct pending_sends *sends;
	struct pending_receipts *receipts;
	struct ephemeral_producer *ephemeral;
	struct typing *typing;
	struct rooms *rooms;
	struct presence_publisher *presence;
	struct presence_queries *watches;
	struct rate_limits *rate_limits;
	struct intake *intake;
	struct fanout *fanout;
	struct sockets *sockets;
	enum status broken; /* ends the service */
	bool draining;
};

/* --- identity ------------------------------------------------------------ */

static void on_identity_report(void *context,
                               const struct identity_report *report)
{
	(void)context;
	metric_observe_us(&gateway_metrics.lookup_time, report->took_us);
	if (!report->answered)
		metric_count(&gateway_metrics.lookups_failed, 1);
}

/*
 * A socket closes when its token ends, so an owner is kept as long. A user that
 * exists stays; a user that does not exist may register at any moment.
 */
static void start_identity(struct gateway *g)
{
	g->identity = identity_client_create(&(struct identity_client_options){
		.loop = &g->loop,
		.base_url = g->settings->identity_url,
		.connection_max = IDENTITY_CONNECTIONS,
		.timeout_ms = (unsigned)g->settings->identity_timeout_ms,
		.owners_max = IDENTITY_OWNERS_MAX,
		.users_max = IDENTITY_USERS_MAX,
		.ttl = {.owner_ms = UINT64_MAX,
	                .denied_ms = DENIED_TTL_MS,
	                .user_ms = USER_TTL_MS,
	                .no_user_ms = NO_USER_TTL_MS},
		.report = on_identity_report,
		.context = g,
	});
}

/* --- sockets ------------------------------------------------------------- */

static bool serves_user(void *context, uint64_t user)
{
	const struct gateway *g = context;

	return gateway_serves_user(g->settings, user);
}

static void on_text(void *context, struct connection *connection,
                    struct span text)
{
	struct gateway *g = context;

	intake_text(g->intake, connection, text);
}

static bool on_socket_opened(void *context, struct connection *connection)
{
	struct gateway *g = context;
	uint64_t user = connection_user(connection);

	intake_user_seen(g->intake, user);
	presence_publisher_user_connected(g->presence, user);
	return rooms_user_connected(g->rooms, user);
}

static void on_socket_closed(void *context, struct connection *connection,
                             bool last)
{
	struct gateway *g = context;
	uint64_t user = connection_user(connection);

	presence_queries_socket_closed(g->watches, connection_id(connection));
	if (!last)
		return;
	presence_publisher_user_disconnected(g->presence, user);
	rooms_user_disconnected(g->rooms, user);
}

static void start_connections(struct gateway *g)
{
	g->connections = connections_create(&(struct connections_options){
		.identity = g->identity,
		.origins = g->settings->origins,
		.ping_s = (unsigned)g->settings->ping_s,
		.silent_s = (unsigned)g->settings->silent_s,
		.queue_bytes = (uint32_t)g->settings->queue_bytes,
		.connections_max = (uint32_t)g->settings->connections_max,
		.handshakes_max = HANDSHAKES_MAX,
		.serves_user = serves_user,
		.text = on_text,
		.opened = on_socket_opened,
		.closed = on_socket_closed,
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

static void on_bus_ready(void *context)
{
	struct gateway *g = context;

	ephemeral_producer_warm_up(g->ephemeral);
	listen_now(g);
}

static void on_answered(void *context, uint64_t tag, enum status status)
{
	struct gateway *g = context;

	if (save_records_owner(tag) == SAVE_RECORDS_OF_SENDS)
		pending_sends_answered(g->sends, save_records_number(tag),
		                       status);
	else if (save_records_owner(tag) == SAVE_RECORDS_OF_RECEIPTS)
		pending_receipts_answered(g->receipts, save_records_number(tag),
		                          status);
}

static size_t on_event(void *context, const struct kafka_message *event)
{
	struct gateway *g = context;

	return fanout_event(g->fanout, event);
}

/* Who was told `welcome` has missed something and must not go on unaware. */
static void on_events_lost(void *context)
{
	struct gateway *g = context;

	connections_close_all(g->connections, false, WEBSOCKET_TRY_LATER,
	                      "read the backlog again");
	rooms_invalidate_all(g->rooms);
}

static const struct bus_events bus_events = {
	.ready = on_bus_ready,
	.answered = on_answered,
	.event = on_event,
	.lost = on_events_lost,
};

/* --- rooms --------------------------------------------------------------- */

static void ask_rooms(void *context, uint64_t number, uint64_t first,
                      struct span users)
{
	struct gateway *g = context;
	struct save_record record = {
		.kind = SAVE_ROOMS, .sender = first, .users = users};

	char origin[EVENT_ORIGIN_LEN];

	event_origin_format(
		&(struct event_origin){.gateway = g->number, .send = number},
		origin);
	metric_count(&gateway_metrics.rooms_queries, 1);
	/* Not taken, or taken and lost: it is asked again. */
	if (save_records_produce(
		    g->records, &record, span_make(origin, sizeof(origin)),
		    save_records_tag(SAVE_RECORDS_OF_NONE, 0)) != ST_OK)
		metric_count(&gateway_metrics.kafka_refused, 1);
}

static void on_rooms_known(void *context, uint64_t user)
{
	struct gateway *g = context;

	connections_welcome(g->connections, user);
}

static void on_rooms_late(void *context, uint64_t user)
{
	struct gateway *g = context;

	if (connections_close_welcomed(g->connections, user,
	                               WEBSOCKET_TRY_LATER,
	                               "read the backlog again"))
		metric_count(&gateway_metrics.rooms_late_answers, 1);
}

static void start_rooms(struct gateway *g)
{
	g->rooms = rooms_create(&(struct rooms_options){
		.partitions = (uint32_t)g->settings->kafka_partitions,
		.absent_max = ROOMS_ABSENT_MAX,
		.query = ask_rooms,
		.welcome = on_rooms_known,
		.welcomed_early = on_rooms_late,
		.context = g,
	});
	g->watches =
		presence_queries_create(g->connections, g->redis, g->rooms);
}

/* --- Redis --------------------------------------------------------------- */

/* Not a part of readiness: nothing depends on hints. */
static void on_redis(void *context, bool up, const char *why)
{
	struct gateway *g = context;

	if (!up) {
		log_event(LOG_WARN, "redis.down", F_TEXT("why", why));
		return;
	}
	log_event(LOG_INFO, "redis.up");
	presence_queries_redis_up(g->watches);
	presence_publisher_publish_all(g->presence);
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
				  .context = g,
			  });
	g->presence = presence_publisher_create(g->redis, g->number);
}

/* --- the loop ------------------------------------------------------------ */

static void on_tick(uv_timer_t *timer)
{
	struct gateway *g = timer->data;

	connections_tick(g->connections);
	metric_set(&gateway_metrics.hints_dropped, redis_dropped(g->redis));
	presence_publisher_tick(g->presence);
	presence_queries_tick(g->watches);
	metric_set(&gateway_metrics.presence_users,
	           presence_publisher_count(g->presence));
	metric_set(&gateway_metrics.presence_subscriptions,
	           presence_queries_subscriptions(g->watches));
	metric_set(&gateway_metrics.rooms, rooms_count(g->rooms));
	metric_set(&gateway_metrics.rooms_pending_users,
	           rooms_pending_users(g->rooms));
	bus_tick(g->bus);
	if (g->draining)
		connections_close_all(g->connections, true,
		                      WEBSOCKET_GOING_AWAY, "restarting");
}

static void on_sends_tick(uv_timer_t *timer)
{
	struct gateway *g = timer->data;

	pending_sends_tick(g->sends);
	pending_receipts_tick(g->receipts);
	rooms_tick(g->rooms);
}

static void on_before_wait(uv_prepare_t *prepare)
{
	struct gateway *g = prepare->data;

	rooms_flush(g->rooms);
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
	(void)uv_prepare_init(&g->loop, &g->before_wait);
	(void)uv_check_init(&g->loop, &g->after_wait);
	(void)uv_poll_init(&g->loop, &g->wake, service_wake_fd());
	g->tick.data = g;
	g->sends_tick.data = g;
	g->before_wait.data = g;
	g->after_wait.data = g;
	(void)uv_timer_start(&g->tick, on_tick, TICK_MS, TICK_MS);
	(void)uv_timer_start(&g->sends_tick, on_sends_tick, SENDS_TICK_MS,
	                     SENDS_TICK_MS);
	(void)uv_prepare_start(&g->before_wait, on_before_wait);
	(void)uv_check_start(&g->after_wait, on_after_wait);
	(void)uv_poll_start(&g->wake, UV_READABLE, on_wake);
}

/* --- messages ------------------------------------------------------------ */

static void on_typing(void *context, struct connection *connection,
                      const struct client_frame *frame)
{
	struct gateway *g = context;

	typing_started(g->typing, connection_user(connection),
	               frame->conversation);
}

static void on_presence(void *context, struct connection *connection,
                        const struct client_frame *frame)
{
	struct gateway *g = context;

	presence_queries_request(g->watches, connection, frame);
}

static void on_block_changed(void *context, uint64_t user, uint64_t by,
                             bool blocks)
{
	struct gateway *g = context;

	presence_queries_block_changed(g->watches, user, by, blocks);
}

static void start_messages(struct gateway *g)
{
	g->records = save_records_create(bus_producer(g->bus),
	                                 g->settings->topic_save);
	g->sends = pending_sends_create(&(struct pending_sends_options){
		.connections = g->connections,
		.records = g->records,
		.redis = g->redis,
		.gateway = g->number,
		.unsettled_max = (unsigned)g->settings->unsettled_max,
		.accepted_ms = (unsigned)g->settings->accepted_ms,
		.hint_ttl_s = (unsigned)g->settings->hint_ttl_s,
	});
	g->receipts = pending_receipts_create(g->records, PENDING_RECEIPTS_MAX);
	g->typing = typing_create(&(struct typing_options){
		.records = g->records,
		.producer = g->ephemeral,
		.partitions = (uint32_t)g->settings->kafka_partitions,
		.rosters_max = TYPING_ROSTERS_MAX,
	});
	g->rate_limits = rate_limits_create((uint32_t)g->settings->user_rate,
	                                    (uint32_t)g->settings->user_burst,
	                                    RATE_LIMITS_USERS_MAX);
	g->intake = intake_create(&(struct intake_options){
		.connections = g->connections,
		.identity = g->identity,
		.sends = g->sends,
		.receipts = g->receipts,
		.rate_limits = g->rate_limits,
		.unsettled_max = (unsigned)g->settings->unsettled_max,
		.typing = on_typing,
		.presence = on_presence,
		.context = g,
	});
	g->fanout = fanout_create(&(struct fanout_options){
		.connections = g->connections,
		.sends = g->sends,
		.rooms = g->rooms,
		.typing = g->typing,
		.gateway = g->number,
		.block_changed = on_block_changed,
		.context = g,
	});
}

enum status gateway_start(const void *settings, void **ret_gateway)
{
	struct gateway *g = mem_new(sizeof(*g));
	enum status st;

	*ret_gateway = g;
	g->settings = settings;
	g->number = random_u64();
	clock_watch_start();
	gateway_metrics_start();
	service_part("sockets", false, "not listening yet");
	start_loop(g);
	start_identity(g);
	start_connections(g);
	start_redis(g);
	st = bus_create(&g->loop, g->settings, &bus_events, g, &g->bus);
	if (st == ST_OK)
		st = ephemeral_producer_create(&g->loop, g->settings,
		                               &g->ephemeral);
	if (st != ST_OK)
		return st;
	start_rooms(g);
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
	bus_drain(g->bus);
	presence_publisher_drain(g->presence);
	sockets_stop_listening(g->sockets);
	connections_close_all(g->connections, true, WEBSOCKET_GOING_AWAY,
	                      "restarting");
}

bool gateway_drained(void *gateway)
{
	struct gateway *g = gateway;

	return connections_count(g->connections) == 0 &&
	       pending_receipts_count(g->receipts) == 0 &&
	       kafka_producer_pending(bus_producer(g->bus)) == 0;
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
		(uv_handle_t *)&g->tick,       (uv_handle_t *)&g->sends_tick,
		(uv_handle_t *)&g->wake,       (uv_handle_t *)&g->before_wait,
		(uv_handle_t *)&g->after_wait,
	};

	for (unsigned i = 0; i < ARRAY_LEN(handles); i++)
		uv_close(handles[i], NULL);
	if (g->bus)
		bus_close(g->bus);
	if (g->ephemeral)
		ephemeral_producer_close(g->ephemeral);
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
	intake_destroy(&g->intake);
	rate_limits_destroy(&g->rate_limits);
	identity_client_destroy(&g->identity);
	presence_queries_destroy(&g->watches);
	presence_publisher_destroy(&g->presence);
	redis_destroy(&g->redis);
	close_own_handles(g);
	turn_a_few_times(g);
	bus_destroy(&g->bus);
	ephemeral_producer_destroy(&g->ephemeral);
	fanout_destroy(&g->fanout);
	typing_destroy(&g->typing);
	pending_receipts_destroy(&g->receipts);
	rooms_destroy(&g->rooms);
	pending_sends_destroy(&g->sends);
	save_records_destroy(&g->records);
	connections_destroy(&g->connections);
	(void)uv_loop_close(&g->loop);
	mem_free(gateway);
}
