/*
 * text_store - texts that were read from the database for a batch. They do not
 * move, so a span of one is valid until it is dropped.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_BATCH_TEXT_STORE_H
#define PARLEY_PERSISTENCE_SAVE_BATCH_TEXT_STORE_H

#include "common/base/span.h"

#include <stddef.h>

struct text_store;

struct text_store *text_store_create(void);
void text_store_destroy(struct text_store **store);
/* Copies the text. */
struct span text_store_keep(struct text_store *store, struct span text);
/* Bytes that are kept. */
size_t text_store_bytes(const struct text_store *store);
/* Drops the texts that came after the store had so many bytes. */
void text_store_drop(struct text_store *store, size_t bytes);

#endif
