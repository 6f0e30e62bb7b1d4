/*
 * user_limit - how many requests a user may make: USER_RATE in the long run,
 * USER_BURST at once. Who has not asked for long is forgotten, and has all of
 * it again.
 *
 * Threads    any: the one lock is inside.
 */
#ifndef PARLEY_PERSISTENCE_REST_USER_LIMIT_H
#define PARLEY_PERSISTENCE_REST_USER_LIMIT_H

#include "common/base/bucket.h"

struct user_limit;

/* A rate of 0 is no limit. */
struct user_limit *user_limit_create(const struct bucket_rate *rate);
void user_limit_destroy(struct user_limit **limit);
/* False when it is one too many. now_ms is monotonic. */
bool user_limit_take(struct user_limit *limit, uint64_t user, uint64_t now_ms);

#endif
