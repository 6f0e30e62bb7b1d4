#include "persistence-service/save/batch/text_store.h"

#include "common/base/mem.h"

#include <string.h>
#include <utlist.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct block {
	struct block *next;
	size_t before; /* bytes of the store in earlier blocks */
	size_t used;
	size_t size;
	char data[];
};

/* One block stays allocated while the store is empty. */
struct text_store {
	struct block *blocks; /* the newest first */
};

static void add_block(struct text_store *store, size_t size)
{
	struct block *block = mem_new(sizeof(*block) + size);

	block->before = text_store_bytes(store);
	block->size = size;
	LL_PREPEND(store->blocks, block);
}

struct text_store *text_store_create(void)
{
	struct text_store *store = mem_new(sizeof(*store));

	add_block(store, BLOCK_BYTES);
	return store;
}

void text_store_destroy(struct text_store **store)
{
	struct block *block, *next;

	if (!*store)
		return;
	LL_FOREACH_SAFE ((*store)->blocks, block, next)
		mem_free(&block);
	mem_free(store);
}

struct span text_store_keep(struct text_store *store, struct span text)
{
	struct block *block = store->blocks;
	char *at;

	if (text.len > block->size - block->used) {
		add_block(store,
		          text.len > BLOCK_BYTES ? text.len : BLOCK_BYTES);
		block = store->blocks;
	}
	at = block->data + block->used;
	if (text.len)
		memcpy(at, text.data, text.len);
	block->used += text.len;
	return span_make(at, text.len);
}

size_t text_store_bytes(const struct text_store *store)
{
	return store->blocks ? store->blocks->before + store->blocks->used : 0;
}

void text_store_drop(struct text_store *store, size_t bytes)
{
	while (store->blocks->next && store->blocks->before >= bytes) {
		struct block *block = store->blocks;

		LL_DELETE(store->blocks, block);
		mem_free(&block);
	}
	if (text_store_bytes(store) > bytes)
		store->blocks->used = bytes - store->blocks->before;
}
