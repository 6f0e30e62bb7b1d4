/*
 * user_connections - the open sockets of each user on this gateway.
 *
 * Ownership  a link is part of the caller's connection.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_USER_CONNECTIONS_H
#define PARLEY_WEBSOCKET_SOCKET_USER_CONNECTIONS_H

#include <stdint.h>

struct user_connections;
struct user;

struct user_link {
	struct user_link *prev, *next; /* the user's other sockets */
	struct user *user;             /* NULL: not linked */
};

struct user_connections *user_connections_create(void);
void user_connections_destroy(struct user_connections **map);
void user_connections_add(struct user_connections *map, uint64_t id,
                          struct user_link *link);
void user_connections_remove(struct user_connections *map,
                             struct user_link *link);
/* The first link of the user, or NULL; the others follow by ->next. */
struct user_link *user_connections_find(const struct user_connections *map,
                                        uint64_t id);
/* The number of the user's sockets. */
uint32_t user_connections_sockets(const struct user_connections *map,
                                  uint64_t id);
/* The number of users. */
uint32_t user_connections_count(const struct user_connections *map);

#endif
