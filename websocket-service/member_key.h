/*
 * member_key - a user and a conversation, as a key of hash tables.
 */
#ifndef PARLEY_WEBSOCKET_MEMBER_KEY_H
#define PARLEY_WEBSOCKET_MEMBER_KEY_H

#include <stdint.h>

struct member_key {
	uint64_t user;
	uint64_t conversation;
};

/* Not inline: static analyzers report false positives for its bytes. */
struct member_key member_key_make(uint64_t user, uint64_t conversation);

#endif
