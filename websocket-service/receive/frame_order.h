/*
 * frame_order - passes on the frames of clients that become records of
 * message_save, and `typing`, each with the key of its conversation and its
 * recipient known. Step 2 of a message in docs/ARCHITECTURE.md
 *
 * Target     a frame may name the conversation of a pair by its id or, if it is
 *            a message, by the other user. What is passed on has `user_to` for
 *            a pair; a message then has no `conversation`. A frame of a user
 *            who is not one of the pair is refused.
 * Look-ups   an unknown conversation is asked for (conversation_keys); whether
 *            the recipient of a message exists is asked of identity-service.
 *            The frame is held meanwhile: for a key at most
 *            CONVERSATION_KEYS_WAIT_MS, then it is refused as retryable.
 * Order      the frames of one socket to one conversation are passed on in the
 *            order in which they came, however they name it: a frame waits
 *            behind the held frames of its socket that name the same
 *            conversation, or one whose key is not known yet.
 * Bounds     frames that are held: FRAME_ORDER_HELD_MAX with
 *            FRAME_ORDER_HELD_BYTES of text in all, and unsettled_max of a
 *            socket, together with its other messages under way; past that a
 *            frame is refused as retryable.
 * Threads    the loop's. A frame that is not held needs no allocation.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_FRAME_ORDER_H
#define PARLEY_WEBSOCKET_RECEIVE_FRAME_ORDER_H

#include <stdint.h>

enum {
	FRAME_ORDER_HELD_MAX = 4000,
	FRAME_ORDER_HELD_BYTES = 32 * 1024 * 1024,
};

struct client_frame;
struct connection;
struct connections;
struct conversation_keys;
struct frame_order;
struct identity_client;

struct frame_order_options {
	struct connections *connections;
	struct identity_client *identity;
	struct conversation_keys *keys;
	unsigned unsettled_max; /* of a socket */
	/* The frame is valid during the call. */
	void (*pass)(void *context, struct connection *connection,
	             const struct client_frame *frame, uint64_t began_us);
	void *context;
};

struct frame_order *
frame_order_create(const struct frame_order_options *options);
void frame_order_destroy(struct frame_order **order);

/* A valid message or change of one, or `typing`. */
void frame_order_take(struct frame_order *order, struct connection *connection,
                      const struct client_frame *frame, uint64_t began_us);
/* Keys of conversations have arrived. */
void frame_order_keys_known(struct frame_order *order);
/* Call it about every 50 ms: refuses frames that have waited too long. */
void frame_order_tick(struct frame_order *order);

#endif
