/*
 * pair - the two users of a direct conversation, from its key: d:<low>:<high>.
 * save_record_key() writes it.
 */
#ifndef PARLEY_WIRE_PAIR_H
#define PARLEY_WIRE_PAIR_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct pair {
	uint64_t low, high;
};

bool pair_read(struct span key, struct pair *ret_pair);

/* The other user; `user` itself in a conversation with oneself. */
static inline uint64_t pair_other(const struct pair *pair, uint64_t user)
{
	return pair->low == user ? pair->high : pair->low;
}

static inline bool pair_has(const struct pair *pair, uint64_t user)
{
	return pair->low == user || pair->high == user;
}

#endif
