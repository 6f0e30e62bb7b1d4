/*
 * bus - the gateway's connection to Kafka, on its loop: a producer for
 * message_save and a reader of the gateway's partitions of message_events.
 *
 * Order      `ready` is called when the reader stands at the end of its
 *            partitions and the producer knows its topic. Only then may sockets
 *            be accepted: the gateway then misses no event for them.
 * Readiness  bus_tick() sets the part "kafka": down when records are not
 *            acknowledged or refused, and by kafka_watch, also while no client
 *            sends.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_BUS_H
#define PARLEY_WEBSOCKET_DELIVER_BUS_H

#include "common/base/scope.h"
#include "common/base/status.h"
#include "common/io/kafka/kafka.h"
#include "websocket-service/settings.h"

#include <stdbool.h>
#include <stddef.h>

struct bus;
struct uv_loop_s;

struct bus_events {
	void (*ready)(void *context);
	/* Kafka's acknowledgement for the record with that tag. */
	void (*acknowledged)(void *context, uint64_t tag, enum status status);
	/* Both return what they cost, in bytes; see fanout.h. */
	size_t (*event)(void *context, const struct kafka_message *event);
	/* A further part of the latest event; 0: it is done. */
	size_t (*rest)(void *context);
	/* Events expired in the log before they were read. */
	void (*lost)(void *context);
};

MUST_CHECK enum status bus_create(struct uv_loop_s *loop,
                                  const struct gateway_settings *settings,
                                  const struct bus_events *events,
                                  void *context, struct bus **ret_bus);
/* Stops trying to connect. Records under way go on. */
void bus_drain(struct bus *bus);
/* The next turns of the loop close its handles; then call bus_destroy(). */
void bus_close(struct bus *bus);
void bus_destroy(struct bus **bus);

struct kafka_producer *bus_producer(const struct bus *bus);
/* Once per second: metrics and readiness. */
void bus_tick(struct bus *bus);

#endif
