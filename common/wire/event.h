/*
 * event - one record of the topic message_events: a frame on its way to the
 * sockets of some users. docs/protocol/message_events.md
 *
 * Key        the users it is for: decimal ids with commas, "17,23".
 * Value      the frame, byte for byte as a socket gets it.
 * Partition  event_partition() of the user; one record for each partition that
 *            holds a recipient, so that each user's frames keep their order.
 * Header     one of two, so that a gateway needs to read no JSON; the value
 *            names the socket and the send that a frame comes from:
 *            "origin"  on a message: leave that socket out when it is handed
 *                      to the sender's other ones
 *            "settles" on a state: that send is settled
 */
#ifndef PARLEY_WIRE_EVENT_H
#define PARLEY_WIRE_EVENT_H

#include "common/base/buf.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

#define EVENT_ORIGIN_HEADER  "origin" /* also of a record of message_save */
#define EVENT_SETTLES_HEADER "settles"

/* The partition of topic message_events that has this user's frames. */
uint32_t event_partition(uint64_t user, uint32_t partitions);

/* Appends a user to a key. */
void event_key_add(struct buf *key, uint64_t user);
/*
 * Takes the next user from the front of *key. False at the end, and at the
 * first thing that is no id (then *key is left non-empty).
 */
bool event_key_next(struct span *key, uint64_t *ret_user);

struct event_origin {
	uint64_t gateway;    /* random, of one gateway process's life */
	uint64_t connection; /* its serial there, from 1 */
	uint64_t send;       /* the serial of the message there, from 1 */
};

enum { EVENT_ORIGIN_LEN = 3 * 16 + 2 };

/* Hexadecimal, "gggggggggggggggg-cccccccccccccccc-ssssssssssssssss". */
void event_origin_format(const struct event_origin *origin, char *text);
bool event_origin_parse(struct span text, struct event_origin *ret_origin);

#endif
