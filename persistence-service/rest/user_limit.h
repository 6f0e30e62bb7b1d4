/*
 * user_limit - limits the requests of a user: PERSISTENCE_USER_RATE sustained,
 * PERSISTENCE_USER_BURST at once. The limit of a user who makes no requests is
 * dropped once it is full again.
 *
 * Threads    any; the module has a lock.
 */
#ifndef PARLEY_PERSISTENCE_REST_USER_LIMIT_H
#define PARLEY_PERSISTENCE_REST_USER_LIMIT_H

#include "common/base/token_bucket.h"

struct user_limit;

/* A rate of 0 means no limit. */
struct user_limit *user_limit_create(const struct token_bucket_rate *rate);
void user_limit_destroy(struct user_limit **limit);
/* False when the request exceeds the limit. now_ms is monotonic. */
bool user_limit_take(struct user_limit *limit, uint64_t user, uint64_t now_ms);

#endif
