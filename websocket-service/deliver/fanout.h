/*
 * fanout - hands each record of message_events to the sockets of those whom
 * its key names, or who are in its room. Step 10 of a message.
 *
 * No JSON is read: the key says who, the value is the frame, a header says
 * which socket to leave out, which send is settled, who has come or gone, or
 * answers what this gateway has asked.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_FANOUT_H
#define PARLEY_WEBSOCKET_DELIVER_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fanout;
struct connections;
struct rooms;
struct pending_sends;
struct typing;
struct kafka_message;

struct fanout_options {
	struct connections *connections;
	struct pending_sends *sends;
	struct rooms *rooms;
	struct typing *typing;
	uint64_t gateway; /* of the origin header */
	/* One user blocks another, or no longer does. */
	void (*block_changed)(void *context, uint64_t user, uint64_t by,
	                      bool blocks);
	void *context;
};

struct fanout *fanout_create(const struct fanout_options *options);
void fanout_destroy(struct fanout **fanout);
/* Returns the bytes that went into queues. */
size_t fanout_event(struct fanout *fanout, const struct kafka_message *event);

#endif
