/*
 * fanout - hands each record of message_events to the sockets of its
 * recipients: the users that its key names, or the members of its room. Step 10
 * of a message in docs/ARCHITECTURE.md
 *
 * It reads no JSON. The key names the recipients, and the value is the frame. A
 * header names the socket to exclude, or the send that is settled, or the
 * members who join or leave; or it holds the answer to a query of this gateway.
 *
 * Repeats    a change of members that was handed over before is ignored: its
 *            seq is remembered for FANOUT_CHANGES_MAX conversations and
 *            partitions.
 * Order      a record is handed over whole before the next. The members of a
 *            room are those at the time when the record is read.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_FANOUT_H
#define PARLEY_WEBSOCKET_DELIVER_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FANOUT_SOCKET_COST = 4096,
	FANOUT_ANSWER_COST = 16, /* for each byte of an answer to a query */
	FANOUT_STEP = 1000,      /* users, and sockets, that one step serves */
	FANOUT_CHANGES_MAX = 100000,
};

struct fanout;
struct connections;
struct conversation_keys;
struct rooms;
struct pending_sends;
struct typing;
struct kafka_message;

struct fanout_options {
	struct connections *connections;
	struct pending_sends *sends;
	struct rooms *rooms;
	struct typing *typing;
	struct conversation_keys *keys;
	uint64_t gateway; /* in the origin header */
};

struct fanout *fanout_create(const struct fanout_options *options);
void fanout_destroy(struct fanout **fanout);
/*
 * Both return what they cost: for each socket, the bytes of the frame and
 * FANOUT_SOCKET_COST for its write. An event for a large room, or for users
 * with very many sockets, takes several turns of the loop. Before the next
 * event, call fanout_rest() until it returns 0.
 */
size_t fanout_event(struct fanout *fanout, const struct kafka_message *event);
size_t fanout_rest(struct fanout *fanout);

#endif
