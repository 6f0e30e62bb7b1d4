/*
 * users - which of this gateway's sockets belong to a user.
 *
 * Ownership  a link is part of the caller's connection.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_USERS_H
#define PARLEY_WEBSOCKET_SOCKET_USERS_H

#include <stdint.h>

struct users;
struct user;

struct user_link {
	struct user_link *prev, *next; /* the same user's others */
	struct user *user;             /* NULL: not linked */
};

struct users *users_create(void);
void users_destroy(struct users **users);
void users_add(struct users *users, uint64_t id, struct user_link *link);
void users_remove(struct users *users, struct user_link *link);
/* The first of a user's links, then by ->next until NULL. */
struct user_link *users_find(const struct users *users, uint64_t id);
uint32_t users_count(const struct users *users);

#endif
