/*
 * set - which sockets watch which users, what is believed of those, and
 * telling it: changes in one frame a socket, of one user at most every
 * PRESENCE_NOTIFY_INTERVAL_MS, what is true by then. No Redis here: see
 * watches.h.
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

enum { PRESENCE_NOTIFY_INTERVAL_MS = 5000 };

struct presence_subscriptions;
struct connections;

/* `max` users may be watched. */
struct presence_subscriptions *
presence_subscriptions_create(struct connections *connections, uint32_t max);
void presence_subscriptions_destroy(struct presence_subscriptions **set);

/*
 * A socket watches a user of whom this was sample just now; 0 or when they were
 * last online, for frame_presence_add(), which the caller tells. Who is
 * `hidden` from it looks as if they never were.
 */
uint64_t presence_subscriptions_add(struct presence_subscriptions *set,
                                    uint64_t connection, uint64_t user,
                                    const struct presence_sample *sample,
                                    bool hidden);
/* From now on a user is hidden from another's sockets, or is no more. */
void presence_subscriptions_hide(struct presence_subscriptions *set,
                                 uint64_t user, uint64_t from, bool hidden);
bool presence_subscriptions_has(const struct presence_subscriptions *set,
                                uint64_t connection, uint64_t user);
/* Ends all of a socket's watching. */
void presence_subscriptions_remove_socket(struct presence_subscriptions *set,
                                          uint64_t connection);

/* The user who was not looked at for longest; the next call's is another. */
uint64_t presence_subscriptions_next_user(struct presence_subscriptions *set,
                                          uint64_t *ret_number);
void presence_subscriptions_sample(struct presence_subscriptions *set,
                                   uint64_t number,
                                   const struct presence_sample *sample);
/* From now on for PRESENCE_STATE_GRACE_MS. */
void presence_subscriptions_start_grace(struct presence_subscriptions *set);
/* Tells what may be told by now. */
void presence_subscriptions_notify(struct presence_subscriptions *set);

uint32_t presence_subscriptions_users(const struct presence_subscriptions *set);
/* Users and sockets that watch them; of one socket. */
uint32_t presence_subscriptions_count(const struct presence_subscriptions *set);
uint32_t
presence_subscriptions_count_of(const struct presence_subscriptions *set,
                                uint64_t connection);

#endif
