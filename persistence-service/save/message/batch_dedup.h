/*
 * first_send - which entry of a batch was the first with its (sender, uuid).
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_BATCH_DEDUP_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_BATCH_DEDUP_H

#include "persistence-service/save/batch.h"

struct first_send;

struct first_send *first_send_create(void);
void first_send_destroy(struct first_send **sends);
void first_send_clear(struct first_send *sends);
/* The entry noted before with the same identity; else NULL, and it is noted. */
struct batch_entry *first_send_note(struct first_send *sends,
                                    struct batch_entry *entry);
struct batch_entry *first_send_find(const struct first_send *sends,
                                    uint64_t sender, const struct uuid *uuid);

#endif
