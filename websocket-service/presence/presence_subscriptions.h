/*
 * presence_subscriptions - which sockets are subscribed to which users, the
 * presence state of those users, and the changes to send.
 *
 * A socket gets all changes in one frame. It gets one change per user in
 * PRESENCE_NOTIFY_INTERVAL_MS at most, with the state at that moment. No Redis
 * here: see presence_queries.h.
 *
 * A user with subscriptions has a number that is never reused, so that a late
 * reply about a user without any is ignored.
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
struct rooms;

/* At most `max` users can have subscriptions. */
struct presence_subscriptions *
presence_subscriptions_create(struct connections *connections, uint32_t max);
void presence_subscriptions_destroy(struct presence_subscriptions **set);

/*
 * Subscribes a socket to a user with that fresh sample. Returns the value for
 * frame_presence_add(); the caller sends it. A user that is `hidden` from the
 * socket looks offline and never seen.
 */
uint64_t presence_subscriptions_add(struct presence_subscriptions *set,
                                    uint64_t connection, uint64_t user,
                                    const struct presence_sample *sample,
                                    bool hidden);
/* From now on those who block the socket's user are hidden, and no others. */
void presence_subscriptions_hide(struct presence_subscriptions *set,
                                 uint64_t connection,
                                 const struct rooms *rooms);
bool presence_subscriptions_has(const struct presence_subscriptions *set,
                                uint64_t connection, uint64_t user);
/* Ends all subscriptions of a socket. */
void presence_subscriptions_remove_socket(struct presence_subscriptions *set,
                                          uint64_t connection);

/* The user whose latest poll is the oldest; it moves to the end. */
uint64_t presence_subscriptions_next_user(struct presence_subscriptions *set,
                                          uint64_t *ret_number);
/* A new sample of the user with that number. */
void presence_subscriptions_sample(struct presence_subscriptions *set,
                                   uint64_t number,
                                   const struct presence_sample *sample);
/* Starts the grace period of presence_state.h. */
void presence_subscriptions_start_grace(struct presence_subscriptions *set);
/* Sends the changes that are due, and begins with
 * presence_subscriptions_step().
 */
void presence_subscriptions_notify(struct presence_subscriptions *set);
/*
 * Call it about every 50 ms: a bounded part of the work, however many sockets
 * subscribe to one user, change or close at once.
 */
void presence_subscriptions_step(struct presence_subscriptions *set);

/* Whether the user has subscriptions, and so a state. */
bool presence_subscriptions_knows(const struct presence_subscriptions *set,
                                  uint64_t user);
/* Users with subscriptions. */
uint32_t presence_subscriptions_users(const struct presence_subscriptions *set);
/* Subscriptions: of all sockets; of one socket. */
uint32_t presence_subscriptions_count(const struct presence_subscriptions *set);
uint32_t
presence_subscriptions_count_of(const struct presence_subscriptions *set,
                                uint64_t connection);

#endif
