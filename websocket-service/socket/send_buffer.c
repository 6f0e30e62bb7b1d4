#include "websocket-service/socket/send_buffer.h"
#include "common/base/mem.h"

#include <string.h>

enum { POOLED_BYTES = 2048, POOL_MAX = 16384 /* buffers: 32 MiB */ };

struct send_buffer_pool {
	char *buffer[POOL_MAX];
	unsigned count;
};

struct send_buffer_pool *send_buffer_pool_create(void)
{
	return mem_new(sizeof(struct send_buffer_pool));
}

void send_buffer_pool_destroy(struct send_buffer_pool **pool)
{
	if (!*pool)
		return;
	while ((*pool)->count)
		mem_free(&(*pool)->buffer[--(*pool)->count]);
	mem_free(pool);
}

static void take(struct send_buffer *buffer, struct send_buffer_pool *pool)
{
	buffer->capacity = POOLED_BYTES;
	buffer->data = pool->count ? pool->buffer[--pool->count]
	                           : mem_resize(NULL, POOLED_BYTES);
}

static void give_back(struct send_buffer *buffer, struct send_buffer_pool *pool)
{
	if (buffer->capacity == POOLED_BYTES && pool->count < POOL_MAX)
		pool->buffer[pool->count++] = buffer->data;
	else
		mem_free(&buffer->data);
	*buffer = (struct send_buffer){0};
}

bool send_buffer_add(struct send_buffer *buffer, struct send_buffer_pool *pool,
                     struct span bytes, uint32_t max)
{
	uint32_t need;

	if (bytes.len > max || buffer->len > max - bytes.len)
		return false;
	need = buffer->len + (uint32_t)bytes.len;
	if (!buffer->data)
		take(buffer, pool);
	if (need > buffer->capacity) {
		while (buffer->capacity < need)
			buffer->capacity *= 2;
		buffer->data = mem_resize(buffer->data, buffer->capacity);
	}
	memcpy(buffer->data + buffer->len, bytes.data, bytes.len);
	buffer->len = need;
	return true;
}

void send_buffer_sent(struct send_buffer *buffer, struct send_buffer_pool *pool,
                      uint32_t bytes)
{
	buffer->len -= bytes;
	if (buffer->len)
		memmove(buffer->data, buffer->data + bytes, buffer->len);
	else
		send_buffer_clear(buffer, pool);
}

void send_buffer_clear(struct send_buffer *buffer,
                       struct send_buffer_pool *pool)
{
	if (buffer->data)
		give_back(buffer, pool);
}

void send_buffer_cut(struct send_buffer *buffer, struct send_buffer_pool *pool,
                     uint32_t bytes)
{
	if (bytes < buffer->len)
		buffer->len = bytes;
	if (buffer->len == 0)
		send_buffer_clear(buffer, pool);
}
