/*
 * room_queries - asks persistence which rooms users are in, until each user is
 * answered.
 *
 * Batching   a query is sent at the end of the turn when none is in flight, so
 *            a single user waits for no other. While one is in flight, users
 *            gather; the next query is about all of them. In a crowd the
 *            queries become longer, not more.
 * Retry      a query that is not answered is repeated with a new number, first
 *            after ROOM_QUERIES_RETRY_S, then less and less often.
 * Ownership  an entry is part of the caller's object; zeroed is "not pending".
 *            Stop it before the object goes away.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_ROOM_QUERIES_H
#define PARLEY_WEBSOCKET_DELIVER_ROOM_QUERIES_H

#include "common/base/span.h"
#include "websocket-service/socket/timer_wheel.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	ROOM_QUERIES_RETRY_S = 2,      /* until the first retry … */
	ROOM_QUERIES_RETRY_MAX_S = 60, /* … doubled each time up to this */
};

/*
 * Asks which rooms these users are in (a list for event_key_next(), at most
 * SAVE_USERS_MAX; `first` is its first user), as query `number`. It may fail:
 * the query is repeated with another number.
 */
typedef void room_queries_send(void *context, uint64_t number, uint64_t first,
                               struct span users);

struct room_queries;

struct room_query_entry {
	struct room_query_entry *prev, *next; /* in the queue */
	struct timer_wheel_entry retry_timer;
	uint64_t user;
	uint64_t first_number; /* of the first query since the start; 0: none */
	unsigned attempts;
	bool pending;
	bool queued;    /* the next query includes the user */
	bool in_flight; /* a query is sent, and its retry is not due yet */
};

struct room_queries *room_queries_create(room_queries_send *send,
                                         void *context);
void room_queries_destroy(struct room_queries **queries);

/* Starts, or starts again: only answers to later queries count. */
void room_queries_start(struct room_queries *queries,
                        struct room_query_entry *entry, uint64_t user);
/* The same, sent in `after_s` seconds. A query that is not sent yet stays. */
void room_queries_start_later(struct room_queries *queries,
                              struct room_query_entry *entry, uint64_t user,
                              unsigned after_s);
void room_queries_stop(struct room_queries *queries,
                       struct room_query_entry *entry);
/* Whether the query of that number was sent after the start. */
bool room_queries_is_answer(const struct room_query_entry *entry,
                            uint64_t number);
/* At the end of each turn: sends a query when none is in flight. */
void room_queries_flush(struct room_queries *queries);
/* Call it about every 50 ms: sends retries, and all queries that wait. */
void room_queries_tick(struct room_queries *queries);
/* Users that wait for an answer. */
uint32_t room_queries_pending(const struct room_queries *queries);

#endif
