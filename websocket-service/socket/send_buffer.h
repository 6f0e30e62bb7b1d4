/*
 * send_buffer - the frames that wait for one socket, as the bytes to send.
 *
 * Many frames leave in one write. The memory comes from a pool and returns to
 * it when all bytes are sent: an idle socket holds none, and a busy socket
 * allocates none.
 *
 * Bounds     send_buffer_add() refuses bytes that would exceed `max`.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_SEND_BUFFER_H
#define PARLEY_WEBSOCKET_SOCKET_SEND_BUFFER_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct send_buffer_pool;

struct send_buffer_pool *send_buffer_pool_create(void);
void send_buffer_pool_destroy(struct send_buffer_pool **pool);

struct send_buffer { /* zeroed: empty */
	char *data;
	uint32_t len;
	uint32_t capacity;
};

bool send_buffer_add(struct send_buffer *buffer, struct send_buffer_pool *pool,
                     struct span bytes, uint32_t max);
/* Drops `bytes` from the front: they are sent. */
void send_buffer_sent(struct send_buffer *buffer, struct send_buffer_pool *pool,
                      uint32_t bytes);
void send_buffer_clear(struct send_buffer *buffer,
                       struct send_buffer_pool *pool);
/* Keeps only the first `bytes`. */
void send_buffer_cut(struct send_buffer *buffer, struct send_buffer_pool *pool,
                     uint32_t bytes);

static inline struct span send_buffer_bytes(const struct send_buffer *buffer)
{
	return span_make(buffer->data, buffer->len);
}

#endif
