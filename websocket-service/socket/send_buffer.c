#include "websocket-service/socket/send_buffer.h"
#include "common/base/mem.h"

#include <string.h>

enum { POOLED_BYTES = 2048, POOL_MAX = 16384 /* buffers: 32 MiB */ };

struct outbox_pool {
	char *buffer[POOL_MAX];
	unsigned count;
};

struct outbox_pool *outbox_pool_create(void)
{
	return mem_new(sizeof(struct outbox_pool));
}

void outbox_pool_destroy(struct outbox_pool **pool)
{
	if (!*pool)
		return;
	while ((*pool)->count)
		mem_free(&(*pool)->buffer[--(*pool)->count]);
	mem_free(pool);
}

static void take(struct outbox *outbox, struct outbox_pool *pool)
{
	outbox->capacity = POOLED_BYTES;
	outbox->data = pool->count ? pool->buffer[--pool->count]
	                           : mem_resize(NULL, POOLED_BYTES);
}

static void give_back(struct outbox *outbox, struct outbox_pool *pool)
{
	if (outbox->capacity == POOLED_BYTES && pool->count < POOL_MAX)
		pool->buffer[pool->count++] = outbox->data;
	else
		mem_free(&outbox->data);
	*outbox = (struct outbox){0};
}

bool outbox_add(struct outbox *outbox, struct outbox_pool *pool,
                struct span bytes, uint32_t max)
{
	uint32_t need;

	if (bytes.len > max || outbox->len > max - bytes.len)
		return false;
	need = outbox->len + (uint32_t)bytes.len;
	if (!outbox->data)
		take(outbox, pool);
	if (need > outbox->capacity) {
		while (outbox->capacity < need)
			outbox->capacity *= 2;
		outbox->data = mem_resize(outbox->data, outbox->capacity);
	}
	memcpy(outbox->data + outbox->len, bytes.data, bytes.len);
	outbox->len = need;
	return true;
}

void outbox_sent(struct outbox *outbox, struct outbox_pool *pool,
                 uint32_t bytes)
{
	outbox->len -= bytes;
	if (outbox->len)
		memmove(outbox->data, outbox->data + bytes, outbox->len);
	else
		outbox_clear(outbox, pool);
}

void outbox_clear(struct outbox *outbox, struct outbox_pool *pool)
{
	if (outbox->data)
		give_back(outbox, pool);
}

void outbox_cut(struct outbox *outbox, struct outbox_pool *pool, uint32_t bytes)
{
	if (bytes < outbox->len)
		outbox->len = bytes;
	if (outbox->len == 0)
		outbox_clear(outbox, pool);
}
