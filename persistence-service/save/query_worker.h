/*
 * query_worker - answers the queries of gateways on a thread of its own, so
 * that no save waits for them: docs/adr/0019.
 *
 * The thread has its own connection and its own producer. It reads what is
 * committed and sends the answer. A query is worth nothing after a second or
 * two, because its gateway asks again: one that finds no room, no database or
 * no Kafka is dropped and counted, and so is one that dies with the process.
 *
 * Bounds     QUERIES_MAX queries, each of at most SAVE_RECORD_MAX bytes.
 * Threads    query_worker_add() belongs to one thread.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_QUERY_WORKER_H
#define PARLEY_PERSISTENCE_SAVE_QUERY_WORKER_H

#include "common/wire/save_record.h"
#include "persistence-service/settings.h"

enum { QUERIES_MAX = 512 };

struct query_worker;

/* ST_BROKEN: Kafka refuses the settings. `settings` must outlive it. */
MUST_CHECK enum status query_worker_start(const struct settings *settings,
                                          struct query_worker **ret_worker);
/* Drops the queries that wait. */
void query_worker_stop(struct query_worker **worker);
/* Copies the query, and the origin of its record. Never blocks. */
void query_worker_add(struct query_worker *worker,
                      const struct save_record *record, struct span origin);

#endif
