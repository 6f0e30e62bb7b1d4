#include "common/base/mem.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/socket/connection_private.h"

#include <utlist.h>

/* A tick that is this late means that the whole process was stopped. */
enum { STALL_S = 5 };

struct connections *
connections_create(const struct connections_options *options)
{
	struct connections *set = mem_new(sizeof(*set));

	set->options = *options;
	set->by_id = slot_map_create(connections_room(set));
	set->by_user = user_connections_create();
	set->send_buffers = send_buffer_pool_create();
	timer_wheel_start(&set->timers, clock_mono_s());
	set->ticked_s = clock_mono_s();
	return set;
}

void connections_destroy(struct connections **connections)
{
	struct connections *set = *connections;

	if (!set)
		return;
	slot_map_destroy(&set->by_id);
	user_connections_destroy(&set->by_user);
	send_buffer_pool_destroy(&set->send_buffers);
	mem_free(connections);
}

uint32_t connections_count(const struct connections *connections)
{
	return slot_map_count(connections->by_id);
}

uint32_t connections_room(const struct connections *connections)
{
	return connections->options.connections_max + CONNECTION_REFUSED_MAX;
}

struct connection *connections_find(const struct connections *connections,
                                    uint64_t id)
{
	struct connection *c = slot_map_get(connections->by_id, id);

	return c && c->state == STATE_OPEN ? c : NULL;
}

bool connections_has_user(const struct connections *connections, uint64_t user)
{
	return user_connections_find(connections->by_user, user);
}

/*
 * The next socket of the user; *link starts with the first one. The caller may
 * close the socket.
 */
static struct connection *next_of(struct user_link **link)
{
	struct connection *c;

	if (!*link)
		return NULL;
	c = CONTAINER_OF(*link, struct connection, link);
	*link = (*link)->next;
	return c;
}

unsigned connections_deliver(struct connections *connections, uint64_t user,
                             struct span framed, uint64_t except)
{
	struct user_link *link =
		user_connections_find(connections->by_user, user);
	struct connection *c;
	unsigned count = 0;

	while ((c = next_of(&link))) {
		if (c->id == except)
			continue;
		connection_queue(c, framed);
		count++;
	}
	metric_count(&gateway_metrics.frames_out, count);
	return count;
}

void connections_welcome(struct connections *connections, uint64_t user)
{
	struct user_link *link =
		user_connections_find(connections->by_user, user);
	struct connection *c;

	while ((c = next_of(&link)))
		connection_release_welcome(c);
}

void connections_each(const struct connections *connections, uint64_t user,
                      void (*each)(void *context, uint64_t connection),
                      void *context)
{
	struct user_link *link =
		user_connections_find(connections->by_user, user);
	const struct connection *c;

	while ((c = next_of(&link)))
		each(context, c->id);
}

/* The sockets of the session; NULL: those that got `welcome`. */
static unsigned close_chosen(struct connections *connections, uint64_t user,
                             const struct uuid *session,
                             enum websocket_code code, const char *reason)
{
	struct user_link *link =
		user_connections_find(connections->by_user, user);
	struct connection *c;
	unsigned count = 0;

	while ((c = next_of(&link))) {
		bool chosen = session ? span_equal(uuid_span(&c->session_id),
		                                   uuid_span(session))
		                      : !c->session;

		if (!chosen)
			continue;
		connection_close(c, code, reason);
		count++;
	}
	return count;
}

unsigned connections_close_welcomed(struct connections *connections,
                                    uint64_t user, enum websocket_code code,
                                    const char *reason)
{
	return close_chosen(connections, user, NULL, code, reason);
}

unsigned connections_close_session(struct connections *connections,
                                   uint64_t user, const struct uuid *session,
                                   enum websocket_code code, const char *reason)
{
	return close_chosen(connections, user, session, code, reason);
}

void connections_flush(struct connections *connections)
{
	while (connections->dirty) {
		struct connection *c = connections->dirty;

		DL_DELETE2(connections->dirty, c, dirty_prev, dirty_next);
		c->dirty = false;
		connection_flush(c);
	}
}

static void close_one(const struct connections *set, struct connection *c)
{
	if (c->state == STATE_OPEN && !(set->settled_only && c->unsettled))
		connection_close(c, set->close_code, set->close_reason);
	else if (c->state < STATE_OPEN)
		connection_refuse(c, &upgrade_unavailable);
}

/* A close may free the connection, or others. */
static void close_more(struct connections *set)
{
	for (unsigned i = 0; i < CONNECTIONS_PER_STEP && set->to_close; i++) {
		struct connection *c = set->to_close;

		set->to_close = c->next;
		close_one(set, c);
	}
}

void connections_close_all(struct connections *connections, bool settled_only,
                           enum websocket_code code, const char *reason)
{
	bool goes_on = connections->to_close &&
	               connections->settled_only == settled_only &&
	               connections->close_code == code;

	if (!goes_on)
		connections->to_close = connections->all;
	connections->settled_only = settled_only;
	connections->close_code = code;
	connections->close_reason = reason;
	close_more(connections);
}

void connections_tick(struct connections *connections)
{
	uint64_t now = clock_mono_s();

	if (now > connections->ticked_s + STALL_S)
		connections->received_floor_s = now;
	connections->ticked_s = now;
	close_more(connections);
	timer_wheel_advance(&connections->timers, now, CONNECTIONS_PER_STEP,
	                    connection_on_timer, connections);
}
