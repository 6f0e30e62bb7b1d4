/*
 * about - a user in a conversation, as a key of hash tables.
 */
#ifndef PARLEY_WEBSOCKET_ABOUT_H
#define PARLEY_WEBSOCKET_ABOUT_H

#include <stdint.h>

struct about {
	uint64_t user;
	uint64_t conversation;
};

/* Not in the header: analyzers lose their way among the bytes of a key. */
struct about about_make(uint64_t user, uint64_t conversation);

#endif
