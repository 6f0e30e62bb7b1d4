/*
 * watchers - which sockets watch which users, what is believed of those, and
 * telling it: changes in one frame a socket, of one user at most every
 * WATCHERS_EACH_MS, what is true by then. No Redis here: see watches.h.
 *
 * Users who are watched have numbers that are never given out twice, so that
 * a reply about one who is watched no more is nothing.
 *
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_PRESENCE_SUBSCRIPTIONS_H
#define PARLEY_WEBSOCKET_PRESENCE_SUBSCRIPTIONS_H

#include "websocket-service/presence/presence_state.h"

#include <stdbool.h>
#include <stdint.h>

enum { WATCHERS_EACH_MS = 5000 };

struct watchers;
struct connections;

/* `max` users may be watched. */
struct watchers *watchers_create(struct connections *connections, uint32_t max);
void watchers_destroy(struct watchers **watchers);

/*
 * A socket watches a user of whom this was seen just now; 0 or when they were
 * last online, for frame_presence_add(), which the caller tells. Who is
 * `hidden` from it looks as if they never were.
 */
uint64_t watchers_add(struct watchers *watchers, uint64_t connection,
                      uint64_t user, const struct sighting *seen, bool hidden);
/* From now on a user is hidden from another's sockets, or is no more. */
void watchers_hide(struct watchers *watchers, uint64_t user, uint64_t from,
                   bool hidden);
bool watchers_has(const struct watchers *watchers, uint64_t connection,
                  uint64_t user);
/* Ends all of a socket's watching. */
void watchers_leave(struct watchers *watchers, uint64_t connection);

/* The user who was not looked at for longest; the next call's is another. */
uint64_t watchers_next(struct watchers *watchers, uint64_t *ret_number);
void watchers_seen(struct watchers *watchers, uint64_t number,
                   const struct sighting *seen);
/* From now on for BELIEF_CALM_MS. */
void watchers_calm(struct watchers *watchers);
/* Tells what may be told by now. */
void watchers_tell(struct watchers *watchers);

uint32_t watchers_users(const struct watchers *watchers);
/* Users and sockets that watch them; of one socket. */
uint32_t watchers_count(const struct watchers *watchers);
uint32_t watchers_count_of(const struct watchers *watchers,
                           uint64_t connection);

#endif
