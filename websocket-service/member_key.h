/*
 * about - a user in a conversation, as a key of hash tables.
 */
#ifndef PARLEY_WEBSOCKET_MEMBER_KEY_H
#define PARLEY_WEBSOCKET_MEMBER_KEY_H

#include <stdint.h>

struct member_key {
	uint64_t user;
	uint64_t conversation;
};

/* Not in the header: analyzers lose their way among the bytes of a key. */
struct member_key member_key_make(uint64_t user, uint64_t conversation);

#endif
