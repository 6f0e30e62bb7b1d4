#include "websocket-service/deliver/room_queries.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/base/scope.h"
#include "common/wire/event.h"
#include "common/wire/save_record.h"

#include <utlist.h>

enum { USER_TEXT_MAX = 20 + 1, RETRIES_PER_TICK = 5000 };

struct room_queries {
	room_queries_send *send;
	void *context;
	struct room_query_entry *queued; /* oldest first */
	uint32_t queued_count;
	uint32_t in_flight_count;
	uint32_t pending_count;
	struct buf users; /* of the query being written */
	uint64_t number;  /* of the latest query */
	struct timer_wheel timers;
};

struct room_queries *room_queries_create(room_queries_send *send, void *context)
{
	struct room_queries *queries = mem_new(sizeof(*queries));

	queries->send = send;
	queries->context = context;
	queries->users = BUF(SAVE_USERS_MAX * USER_TEXT_MAX);
	timer_wheel_start(&queries->timers, clock_mono_s());
	return queries;
}

void room_queries_destroy(struct room_queries **queries)
{
	if (!*queries)
		return;
	buf_free(&(*queries)->users);
	mem_free(queries);
}

uint32_t room_queries_pending(const struct room_queries *queries)
{
	return queries->pending_count;
}

bool room_queries_is_answer(const struct room_query_entry *entry,
                            uint64_t number)
{
	return entry->pending && entry->first_number &&
	       number >= entry->first_number;
}

static void set_in_flight(struct room_queries *queries,
                          struct room_query_entry *entry, bool in_flight)
{
	queries->in_flight_count += in_flight;
	queries->in_flight_count -= entry->in_flight;
	entry->in_flight = in_flight;
}

/* An earlier query about the user is no longer waited for. */
static void enqueue(struct room_queries *queries,
                    struct room_query_entry *entry)
{
	set_in_flight(queries, entry, false);
	if (entry->queued)
		return;
	DL_APPEND(queries->queued, entry);
	queries->queued_count++;
	entry->queued = true;
}

static void dequeue(struct room_queries *queries,
                    struct room_query_entry *entry)
{
	if (!entry->queued)
		return;
	DL_DELETE(queries->queued, entry);
	queries->queued_count--;
	entry->queued = false;
}

static void init_query(struct room_queries *queries,
                       struct room_query_entry *entry, uint64_t user)
{
	queries->pending_count += !entry->pending;
	entry->pending = true;
	entry->user = user;
	entry->attempts = 0;
	entry->first_number = 0;
}

void room_queries_start(struct room_queries *queries,
                        struct room_query_entry *entry, uint64_t user)
{
	init_query(queries, entry, user);
	enqueue(queries, entry);
}

void room_queries_start_later(struct room_queries *queries,
                              struct room_query_entry *entry, uint64_t user,
                              unsigned after_s)
{
	if (entry->pending && !entry->first_number)
		return;
	init_query(queries, entry, user);
	dequeue(queries, entry);
	set_in_flight(queries, entry, false);
	timer_wheel_set(&queries->timers, &entry->retry_timer,
	                clock_mono_s() + after_s);
}

void room_queries_stop(struct room_queries *queries,
                       struct room_query_entry *entry)
{
	queries->pending_count -= entry->pending;
	entry->pending = false;
	dequeue(queries, entry);
	set_in_flight(queries, entry, false);
	timer_wheel_clear(&queries->timers, &entry->retry_timer);
}

static void schedule_retry(struct room_queries *queries,
                           struct room_query_entry *entry)
{
	uint64_t more_ms = backoff_ms(
		entry->attempts++, ROOM_QUERIES_RETRY_S * 1000,
		(ROOM_QUERIES_RETRY_MAX_S - ROOM_QUERIES_RETRY_S) * 1000);

	timer_wheel_set(&queries->timers, &entry->retry_timer,
	                clock_mono_s() + ROOM_QUERIES_RETRY_S + more_ms / 1000);
}

/* One query, about the users that have waited longest. */
static void send_query(struct room_queries *queries)
{
	uint64_t first = queries->queued->user;

	queries->number++;
	buf_clear(&queries->users);
	for (unsigned i = 0; queries->queued && i < SAVE_USERS_MAX; i++) {
		struct room_query_entry *entry = queries->queued;

		dequeue(queries, entry);
		set_in_flight(queries, entry, true);
		schedule_retry(queries, entry);
		if (!entry->first_number)
			entry->first_number = queries->number;
		event_key_add(&queries->users, entry->user);
	}
	queries->send(queries->context, queries->number, first,
	              buf_span(&queries->users));
}

void room_queries_flush(struct room_queries *queries)
{
	while (queries->queued && (!queries->in_flight_count ||
	                           queries->queued_count >= SAVE_USERS_MAX))
		send_query(queries);
}

static void on_retry(void *context, struct timer_wheel_entry *timer)
{
	enqueue(context,
	        CONTAINER_OF(timer, struct room_query_entry, retry_timer));
}

void room_queries_tick(struct room_queries *queries)
{
	timer_wheel_advance(&queries->timers, clock_mono_s(), RETRIES_PER_TICK,
	                    on_retry, queries);
	while (queries->queued)
		send_query(queries);
}
