/*
 * fanout - hands each record of message_events to the sockets of those whom
 * its key names. Step 10 of a message.
 *
 * No JSON is read: the key says who, the value is the frame, a header says
 * which socket to leave out or which send is settled.
 */
#ifndef PARLEY_WEBSOCKET_FANOUT_H
#define PARLEY_WEBSOCKET_FANOUT_H

#include <stddef.h>

struct fanout;
struct connections;
struct sends;
struct kafka_message;

struct fanout *fanout_create(struct connections *connections,
                             struct sends *sends, unsigned long long gateway);
void fanout_destroy(struct fanout **fanout);
/* Returns the bytes that went into queues. */
size_t fanout_event(struct fanout *fanout, const struct kafka_message *event);

#endif
