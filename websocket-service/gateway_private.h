/*
 * gateway_private - what the files of the gateway module share.
 *
 * gateway.c        start, timers, drain and stop
 * gateway_parts.c  makes the parts, and passes events from one to the other
 * gateway_redis.c  makes the connection to Redis, reports its state, keeps its
 * time
 */
#ifndef PARLEY_WEBSOCKET_GATEWAY_PRIVATE_H
#define PARLEY_WEBSOCKET_GATEWAY_PRIVATE_H

#include "common/base/scope.h"
#include "common/base/status.h"
#include "websocket-service/presence/presence_clock.h"
#include "websocket-service/settings.h"

#include <stdbool.h>
#include <stdint.h>

struct gateway_loop;

struct gateway {
	const struct gateway_settings *settings;
	uint64_t number; /* random: marks our origins in headers of records */
	struct gateway_loop *loop;
	struct identity_client *identity;
	struct redis *redis;
	struct bus *bus;
	struct ephemeral_producer *ephemeral;
	/* socket/ */
	struct connections *connections;
	struct rate_limits *rate_limits;
	struct sockets *sockets;
	/* receive/ */
	struct save_records *records;
	struct pending_sends *sends;
	struct pending_receipts *receipts;
	struct conversation_keys *keys;
	struct frame_order *order;
	struct frame_dispatch *dispatch;
	/* deliver/ */
	struct rooms *rooms;
	struct typing *typing;
	struct fanout *fanout;
	/* presence/ */
	struct presence_publisher *presence_publisher;
	struct presence_queries *presence_queries;
	enum status broken;         /* ends the service */
	uint64_t draining_since_ms; /* 0: not draining */
	struct presence_clock presence_clock;
	unsigned presence_clock_age_s; /* since Redis was asked */
	bool redis_lost; /* Redis was down; what it holds may be too old */
};

void gateway_redis_create(struct gateway *g);
/* Once per second: keeps the time of Redis. */
void gateway_redis_second(struct gateway *g);
/* On a failure the parts made so far stay, for gateway_parts_destroy(). */
MUST_CHECK enum status gateway_parts_create(struct gateway *g);
void gateway_parts_destroy(struct gateway *g);

#endif
