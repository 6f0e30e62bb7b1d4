/*
 * gateway_private - what the files of the gateway module share.
 *
 * gateway.c        start, step, drain and stop
 * gateway_parts.c  makes the parts, and passes events from one to the other
 * gateway_loop.c   the event loop and its timers
 */
#ifndef PARLEY_WEBSOCKET_GATEWAY_PRIVATE_H
#define PARLEY_WEBSOCKET_GATEWAY_PRIVATE_H

#include "common/base/status.h"
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
	struct recipient_check *recipients;
	struct frame_dispatch *dispatch;
	/* deliver/ */
	struct rooms *rooms;
	struct typing *typing;
	struct fanout *fanout;
	/* presence/ */
	struct presence_publisher *presence_publisher;
	struct presence_queries *presence_queries;
	enum status broken; /* ends the service */
	bool draining;
};

struct uv_loop_s;

/* gateway_loop.c */
void gateway_loop_start(struct gateway *g);
struct uv_loop_s *gateway_loop_uv(struct gateway_loop *loop);
/* Runs one turn. */
void gateway_loop_step(struct gateway_loop *loop);
/* Runs turns until the handles that are closing are closed. */
void gateway_loop_settle(struct gateway_loop *loop);
/* Closes the handles of the loop itself. */
void gateway_loop_close(struct gateway_loop *loop);
void gateway_loop_destroy(struct gateway_loop **loop);

/* gateway_parts.c: on a failure the parts made so far stay. */
MUST_CHECK enum status gateway_parts_create(struct gateway *g);
void gateway_parts_close_sockets(struct gateway *g, bool settled_only);
void gateway_parts_destroy(struct gateway *g);

#endif
