/*
 * outbox - the frames that wait for one socket, as the bytes to be sent.
 *
 * Many frames leave in one write. Memory comes from a pool and returns to it
 * when all was sent: an idle socket holds none, a busy one allocates none.
 *
 * Bounds     outbox_add() refuses what would cross `max` bytes.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_SEND_BUFFER_H
#define PARLEY_WEBSOCKET_SOCKET_SEND_BUFFER_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct outbox_pool;

struct outbox_pool *outbox_pool_create(void);
void outbox_pool_destroy(struct outbox_pool **pool);

struct outbox { /* zeroed: empty */
	char *data;
	uint32_t len;
	uint32_t capacity;
};

bool outbox_add(struct outbox *outbox, struct outbox_pool *pool,
                struct span bytes, uint32_t max);
/* What was sent leaves the front. */
void outbox_sent(struct outbox *outbox, struct outbox_pool *pool,
                 uint32_t bytes);
void outbox_clear(struct outbox *outbox, struct outbox_pool *pool);
/* Only the first `bytes` stay. */
void outbox_cut(struct outbox *outbox, struct outbox_pool *pool,
                uint32_t bytes);

static inline struct span outbox_bytes(const struct outbox *outbox)
{
	return span_make(outbox->data, outbox->len);
}

#endif
