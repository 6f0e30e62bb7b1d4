#include "common/base/scope.h"
#include "common/client/identity_client.h"
#include "common/io/kafka/kafka.h"
#include "common/io/redis/redis.h"
#include "common/service/log.h"
#include "common/service/service.h"
#include "common/wire/event.h"
#include "common/wire/frame.h"
#include "websocket-service/deliver/bus.h"
#include "websocket-service/deliver/ephemeral_producer.h"
#include "websocket-service/deliver/fanout.h"
#include "websocket-service/deliver/rooms.h"
#include "websocket-service/deliver/typing.h"
#include "websocket-service/gateway_loop.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/gateway_private.h"
#include "websocket-service/presence/presence_publisher.h"
#include "websocket-service/presence/presence_queries.h"
#include "websocket-service/receive/conversation_keys.h"
#include "websocket-service/receive/frame_dispatch.h"
#include "websocket-service/receive/frame_order.h"
#include "websocket-service/receive/pending_receipts.h"
#include "websocket-service/receive/pending_sends.h"
#include "websocket-service/receive/save_records.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/rate_limits.h"
#include "websocket-service/socket/sockets.h"

#include <errno.h>
#include <string.h>

enum {
	IDENTITY_CONNECTIONS = 32,
	ENDED_POLL_MS = 1000,
	IDENTITY_OWNERS_MAX = 200000,
	RENEW_OWNER_MS = 60 * 1000, /* last_used_at of docs/protocol/rest.md */
	IDENTITY_USERS_MAX = 200000,
	DENIED_TTL_MS = 5000,
	USER_TTL_MS = 3600 * 1000,
	NO_USER_TTL_MS = 2000,
};

/* --- identity-service ---------------------------------------------------- */

static void on_identity_report(void *context,
                               const struct identity_report *report)
{
	(void)context;
	if (!report->poll)
		metric_observe_us(&gateway_metrics.lookup_time,
		                  report->took_us);
	if (!report->poll && !report->answered)
		metric_count(&gateway_metrics.lookups_failed, 1);
	if (!service_hint("identity", report->answered, report->why))
		return;
	if (report->answered)
		log_event(LOG_INFO, "identity.available");
	else
		log_event(LOG_WARN, "identity.unavailable",
		          F_NUMBER("http", report->http),
		          F_TEXT("why", report->why));
}

static void on_session_ended(void *context, uint64_t user, struct span session)
{
	struct gateway *g = context;
	struct uuid id;
	unsigned sockets;

	if (!uuid_parse(session, &id))
		return;
	sockets = connections_close_session(g->connections, user, &id,
	                                    WEBSOCKET_TOKEN_ENDED,
	                                    "session_ended");
	if (sockets)
		log_event(LOG_INFO, "socket.session_ended",
		          F_NUMBER("user", user), F_SPAN("session", session),
		          F_NUMBER("sockets", sockets));
}

/*
 * A socket closes when its token expires, so an owner is cached until then. A
 * user that exists is cached long, because the client learns of a deletion; a
 * user that does not exist may register at any moment.
 */
static void create_identity(struct gateway *g)
{
	(void)service_hint("identity", true, NULL);
	g->identity = identity_client_create(&(struct identity_client_options){
		.loop = gateway_loop_uv(g->loop),
		.base_url = g->settings->identity_url,
		.connection_max = IDENTITY_CONNECTIONS,
		.timeout_ms = (unsigned)g->settings->identity_timeout_ms,
		.owners_max = IDENTITY_OWNERS_MAX,
		.users_max = IDENTITY_USERS_MAX,
		.ttl = {.owner_ms = UINT64_MAX,
	                .renew_owner_ms = RENEW_OWNER_MS,
	                .denied_ms = DENIED_TTL_MS,
	                .user_ms = USER_TTL_MS,
	                .no_user_ms = NO_USER_TTL_MS},
		.ended_ms = ENDED_POLL_MS,
		.ended = on_session_ended,
		.report = on_identity_report,
		.context = g,
	});
}

/* --- socket/ ------------------------------------------------------------- */

static bool serves_user(void *context, uint64_t user)
{
	const struct gateway *g = context;

	return gateway_serves_user(g->settings, user);
}

static void on_text(void *context, struct connection *connection,
                    struct span text)
{
	struct gateway *g = context;

	frame_dispatch_text(g->dispatch, connection, text);
}

/* A connected user exists: keeps that as an answer. */
static void remember_user(struct gateway *g, uint64_t user)
{
	struct identity_request request =
		identity_request_user(user, SPAN_NONE);

	identity_client_put(
		g->identity, &request,
		&(struct identity_response){.status = ST_OK, .user = user});
}

static bool on_socket_opened(void *context, struct connection *connection)
{
	struct gateway *g = context;
	uint64_t user = connection_user(connection);

	remember_user(g, user);
	presence_publisher_user_connected(g->presence_publisher, user);
	return rooms_user_connected(g->rooms, user);
}

static void on_socket_closed(void *context, struct connection *connection,
                             bool last)
{
	struct gateway *g = context;
	uint64_t user = connection_user(connection);

	presence_queries_socket_closed(g->presence_queries,
	                               connection_id(connection));
	if (!last)
		return;
	presence_publisher_user_disconnected(g->presence_publisher, user);
	rooms_user_disconnected(g->rooms, user);
}

static void create_connections(struct gateway *g)
{
	g->rate_limits = rate_limits_create((uint32_t)g->settings->user_rate,
	                                    (uint32_t)g->settings->user_burst,
	                                    RATE_LIMITS_USERS_MAX);
	g->connections = connections_create(&(struct connections_options){
		.identity = g->identity,
		.origins = g->settings->origins,
		.ping_s = (unsigned)g->settings->ping_s,
		.silent_s = (unsigned)g->settings->silent_s,
		.queue_bytes = (uint32_t)g->settings->queue_bytes,
		.connections_max = (uint32_t)g->settings->connections_max,
		.user_sockets_max = (uint32_t)g->settings->user_sockets_max,
		.handshakes_max = HANDSHAKES_MAX,
		.serves_user = serves_user,
		.text = on_text,
		.opened = on_socket_opened,
		.closed = on_socket_closed,
		.context = g,
	});
}

/* --- Kafka --------------------------------------------------------------- */

static void on_bus_ready(void *context)
{
	struct gateway *g = context;
	const struct gateway_settings *settings = g->settings;

	ephemeral_producer_warm_up(g->ephemeral);
	if (sockets_listen(g->sockets, settings->bind_address,
	                   (uint16_t)settings->port) != ST_OK) {
		log_event(LOG_ERROR, "service.port_taken",
		          F_NUMBER("port", settings->port),
		          F_TEXT("why", strerror(errno)));
		g->broken = ST_UNAVAILABLE;
		return;
	}
	log_event(LOG_INFO, "gateway.listening",
	          F_NUMBER("port", settings->port));
	gateway_loop_measure(g->loop);
	service_part("sockets", true, NULL);
}

static void on_acknowledged(void *context, uint64_t tag, enum status status)
{
	struct gateway *g = context;

	if (save_records_owner(tag) == SAVE_RECORDS_OF_SENDS)
		pending_sends_acknowledged(g->sends, save_records_number(tag),
		                           status);
	else if (save_records_owner(tag) == SAVE_RECORDS_OF_RECEIPTS)
		pending_receipts_acknowledged(g->receipts,
		                              save_records_number(tag), status);
}

static size_t on_event(void *context, const struct kafka_message *event)
{
	struct gateway *g = context;

	return fanout_event(g->fanout, event);
}

static size_t on_event_rest(void *context)
{
	struct gateway *g = context;

	return fanout_rest(g->fanout);
}

/* Clients that got `welcome` have missed events: they must read the backlog. */
static void on_events_lost(void *context)
{
	struct gateway *g = context;

	connections_close_all(g->connections, false, WEBSOCKET_TRY_LATER,
	                      "read the backlog again");
	rooms_invalidate_all(g->rooms);
}

static enum status create_kafka(struct gateway *g)
{
	static const struct bus_events events = {
		.ready = on_bus_ready,
		.acknowledged = on_acknowledged,
		.event = on_event,
		.rest = on_event_rest,
		.lost = on_events_lost,
	};
	enum status st = bus_create(gateway_loop_uv(g->loop), g->settings,
	                            &events, g, &g->bus);

	if (st != ST_OK)
		return st;
	return ephemeral_producer_create(gateway_loop_uv(g->loop), g->settings,
	                                 &g->ephemeral);
}

/* --- receive/ ------------------------------------------------------------ */

static void on_typing(void *context, struct connection *connection,
                      const struct client_frame *frame)
{
	struct gateway *g = context;

	typing_started(g->typing, connection_user(connection),
	               frame->conversation, frame->user_to);
}

static void on_presence(void *context, struct connection *connection,
                        const struct client_frame *frame)
{
	struct gateway *g = context;

	presence_queries_request(g->presence_queries, connection, frame);
}

static void on_frame_in_order(void *context, struct connection *connection,
                              const struct client_frame *frame,
                              uint64_t began_us)
{
	struct gateway *g = context;

	frame_dispatch_pass(g->dispatch, connection, frame, began_us);
}

/* A query that is refused, or lost later, is repeated. False: refused. */
static bool query(struct gateway *g, struct save_record *record,
                  uint64_t number)
{
	char origin[EVENT_ORIGIN_LEN];

	event_origin_format(
		&(struct event_origin){.gateway = g->number, .send = number},
		origin);
	if (save_records_produce(
		    g->records, record, span_make(origin, sizeof(origin)),
		    save_records_tag(SAVE_RECORDS_OF_NONE, 0)) == ST_OK)
		return true;
	metric_count(&gateway_metrics.kafka_refused, 1);
	return false;
}

static void query_keys(void *context, uint64_t number, uint64_t user,
                       struct span conversations)
{
	metric_count(&gateway_metrics.keys_queries, 1);
	(void)query(context,
	            &(struct save_record){.kind = SAVE_KEYS,
	                                  .sender = user,
	                                  .conversations = conversations},
	            number);
}

static void on_keys_known(void *context)
{
	struct gateway *g = context;

	frame_order_keys_known(g->order);
}

static void on_key_learned(void *context, uint64_t conversation)
{
	struct gateway *g = context;

	pending_receipts_key_known(g->receipts, conversation);
}

static void create_receive(struct gateway *g)
{
	unsigned unsettled_max = (unsigned)g->settings->unsettled_max;

	g->records = save_records_create(bus_producer(g->bus),
	                                 g->settings->topic_save);
	g->sends = pending_sends_create(&(struct pending_sends_options){
		.connections = g->connections,
		.records = g->records,
		.redis = g->redis,
		.gateway = g->number,
		.unsettled_max = unsettled_max,
		.accepted_ms = (unsigned)g->settings->accepted_ms,
		.hint_ttl_s = (unsigned)g->settings->hint_ttl_s,
	});
	g->keys = conversation_keys_create(&(struct conversation_keys_options){
		.keys_max = CONVERSATION_KEYS_MAX,
		.query = query_keys,
		.learned = on_key_learned,
		.answered = on_keys_known,
		.context = g,
	});
	g->receipts = pending_receipts_create(g->records, g->keys,
	                                      PENDING_RECEIPTS_MAX);
	g->order = frame_order_create(&(struct frame_order_options){
		.connections = g->connections,
		.identity = g->identity,
		.keys = g->keys,
		.unsettled_max = unsettled_max,
		.pass = on_frame_in_order,
		.context = g,
	});
	g->dispatch = frame_dispatch_create(&(struct frame_dispatch_options){
		.rate_limits = g->rate_limits,
		.order = g->order,
		.sends = g->sends,
		.receipts = g->receipts,
		.typing = on_typing,
		.presence = on_presence,
		.context = g,
	});
}

/* --- deliver/ ------------------------------------------------------------ */

static void query_rooms(void *context, uint64_t number, uint64_t first,
                        struct span users)
{
	metric_count(&gateway_metrics.rooms_queries, 1);
	(void)query(context,
	            &(struct save_record){.kind = SAVE_ROOMS,
	                                  .sender = first,
	                                  .users = users},
	            number);
}

static bool query_roster(void *context, const struct typing_query *asked)
{
	return query(context,
	             &(struct save_record){.kind = SAVE_ROSTER,
	                                   .sender = asked->user,
	                                   .user_to = asked->user_to,
	                                   .conversation = asked->conversation},
	             asked->number);
}

static void on_welcome(void *context, uint64_t user)
{
	struct gateway *g = context;

	connections_welcome(g->connections, user);
}

static void on_welcomed_early(void *context, uint64_t user)
{
	struct gateway *g = context;

	if (connections_close_welcomed(g->connections, user,
	                               WEBSOCKET_TRY_LATER,
	                               "read the backlog again"))
		metric_count(&gateway_metrics.rooms_late_answers, 1);
}

static void on_blockers_known(void *context, uint64_t user)
{
	struct gateway *g = context;

	presence_queries_blockers_known(g->presence_queries, user);
}

static void create_deliver(struct gateway *g)
{
	uint32_t partitions = (uint32_t)g->settings->kafka_partitions;

	g->rooms = rooms_create(&(struct rooms_options){
		.partitions = partitions,
		.absent_max = ROOMS_ABSENT_MAX,
		.welcome_wait_ms = g->settings->welcome_wait_ms,
		.query = query_rooms,
		.welcome = on_welcome,
		.welcomed_early = on_welcomed_early,
		.blockers_known = on_blockers_known,
		.context = g,
	});
	g->typing = typing_create(&(struct typing_options){
		.query = query_roster,
		.context = g,
		.producer = g->ephemeral,
		.partitions = partitions,
		.rosters_max = TYPING_ROSTERS_MAX,
	});
	g->fanout = fanout_create(&(struct fanout_options){
		.connections = g->connections,
		.sends = g->sends,
		.rooms = g->rooms,
		.typing = g->typing,
		.keys = g->keys,
		.gateway = g->number,
	});
}

/* --- all parts ----------------------------------------------------------- */

enum status gateway_parts_create(struct gateway *g)
{
	enum status st;

	create_identity(g);
	create_connections(g);
	gateway_redis_create(g);
	g->presence_publisher = presence_publisher_create(
		g->redis, &g->presence_clock, g->number);
	st = create_kafka(g);
	if (st != ST_OK)
		return st;
	create_receive(g);
	create_deliver(g);
	g->presence_queries = presence_queries_create(
		g->connections, g->redis, &g->presence_clock, g->rooms);
	return sockets_create(gateway_loop_uv(g->loop),
	                      connections_room(g->connections),
	                      &connection_events, g->connections, &g->sockets);
}

void gateway_parts_destroy(struct gateway *g)
{
	/* After a start that failed, no event may reach a part: no turn then.
	 */
	if (g->sockets) {
		sockets_destroy(&g->sockets);
		gateway_loop_settle(g->loop);
	}
	frame_dispatch_destroy(&g->dispatch);
	frame_order_destroy(&g->order);
	rate_limits_destroy(&g->rate_limits);
	identity_client_destroy(&g->identity);
	presence_queries_destroy(&g->presence_queries);
	presence_publisher_destroy(&g->presence_publisher);
	redis_destroy(&g->redis);
	gateway_loop_close(g->loop);
	if (g->bus)
		bus_close(g->bus);
	if (g->ephemeral)
		ephemeral_producer_close(g->ephemeral);
	gateway_loop_settle(g->loop);
	bus_destroy(&g->bus);
	ephemeral_producer_destroy(&g->ephemeral);
	fanout_destroy(&g->fanout);
	typing_destroy(&g->typing);
	conversation_keys_destroy(&g->keys);
	pending_receipts_destroy(&g->receipts);
	rooms_destroy(&g->rooms);
	pending_sends_destroy(&g->sends);
	save_records_destroy(&g->records);
	connections_destroy(&g->connections);
}
