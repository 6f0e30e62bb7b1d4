/*
 * blockers - the users who block a user, as persistence lists them.
 *
 * Ownership  the caller's; most users have none, and no memory is allocated.
 * Bounds     the list of one answer: docs/protocol/message_events.md.
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_BLOCKERS_H
#define PARLEY_WEBSOCKET_DELIVER_BLOCKERS_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct blockers {
	uint64_t *users; /* ascending */
	uint64_t until;  /* users with higher ids may all block */
	uint32_t count;
	uint32_t capacity;
};

struct blockers blockers_none(void);
void blockers_free(struct blockers *blockers);
/* Replaces them by the list of an answer, which may have been cut. */
void blockers_read(struct blockers *blockers, struct span list);
bool blockers_have(const struct blockers *blockers, uint64_t user);

#endif
