/*
 * batch_dedup - finds messages with the same (sender, uuid) within a batch.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_BATCH_BATCH_DEDUP_H
#define PARLEY_PERSISTENCE_SAVE_BATCH_BATCH_DEDUP_H

#include "persistence-service/save/batch/batch.h"

struct batch_dedup;

struct batch_dedup *batch_dedup_create(void);
void batch_dedup_destroy(struct batch_dedup **dedup);
void batch_dedup_clear(struct batch_dedup *dedup);
/* The earlier entry with this (sender, uuid); else NULL, and adds this one. */
struct batch_entry *batch_dedup_add(struct batch_dedup *dedup,
                                    struct batch_entry *entry);
struct batch_entry *batch_dedup_find(const struct batch_dedup *dedup,
                                     uint64_t sender, const struct uuid *uuid);

#endif
