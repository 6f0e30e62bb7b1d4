/*
 * bus - the gateway's two ends in Kafka, on its loop: it produces to
 * message_save and reads its partitions of message_events.
 *
 * Order      `ready` is called once the reader stands at the end of its
 *            partitions and the producer knows its topic: from then on sockets
 *            may be accepted, for nothing that is told later can be missed.
 * Readiness  the part "kafka" goes down when records are not acknowledged, and
 *            up again when a broker answers, whether anybody sends or not.
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
	/* What became of the record that was produced with that tag. */
	void (*answered)(void *context, uint64_t tag, enum status status);
	/* Returns the bytes that it put into queues of sockets. */
	size_t (*event)(void *context, const struct kafka_message *event);
	/* Events fell out of the log unread. */
	void (*lost)(void *context);
};

MUST_CHECK enum status bus_create(struct uv_loop_s *loop,
                                  const struct gateway_settings *settings,
                                  const struct bus_events *events,
                                  void *context, struct bus **ret_bus);
/* No more tries to begin; what is under way goes on. */
void bus_drain(struct bus *bus);
/* Its handles are closed by the loop's next turns; then bus_destroy(). */
void bus_close(struct bus *bus);
void bus_destroy(struct bus **bus);

struct kafka_producer *bus_producer(const struct bus *bus);
/* Once per second: gauges, and a sign of life while Kafka is down. */
void bus_tick(struct bus *bus);

#endif
