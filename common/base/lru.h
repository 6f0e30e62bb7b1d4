/*
 * lru - a bounded cache from short keys to values of one size, with expiry.
 *
 * A full cache evicts its least recently used entry. Keys are copied; values
 * are copied in and out. An evicted or removed value is overwritten.
 *
 * Threads    any: one internal lock, held for a look-up only.
 * Units      expires_ms and now_ms are on one clock of the caller's choice.
 */
#ifndef PARLEY_BASE_LRU_H
#define PARLEY_BASE_LRU_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LRU_KEY_MAX = 64 };

struct lru;

struct lru *lru_create(size_t entries_max, size_t value_size);
void lru_destroy(struct lru **lru);
/* False when absent or expired. `ret_value` may be NULL. */
bool lru_get(struct lru *lru, struct span key, uint64_t now_ms,
             void *ret_value);
void lru_put(struct lru *lru, struct span key, const void *value,
             uint64_t expires_ms);
void lru_remove(struct lru *lru, struct span key);
size_t lru_count(struct lru *lru);

#endif
