#include "websocket-service/socket/user_connections.h"
#include "common/base/mem.h"

#include <uthash.h>
#include <utlist.h>

struct user {
	uint64_t id;
	struct user_link *links;
	uint32_t sockets;
	UT_hash_handle hh;
};

struct user_connections {
	struct user *by_id;
};

struct user_connections *user_connections_create(void)
{
	return mem_new(sizeof(struct user_connections));
}

static struct user *find(const struct user_connections *map, uint64_t id)
{
	struct user *user;

	HASH_FIND(hh, map->by_id, &id, sizeof(id), user);
	return user;
}

static void drop(struct user_connections *map, struct user *user)
{
	HASH_DEL(map->by_id, user);
	mem_free(&user);
}

void user_connections_destroy(struct user_connections **map)
{
	if (!*map)
		return;
	while ((*map)->by_id)
		drop(*map, (*map)->by_id);
	mem_free(map);
}

void user_connections_add(struct user_connections *map, uint64_t id,
                          struct user_link *link)
{
	struct user *user = find(map, id);

	if (!user) {
		user = mem_new(sizeof(*user));
		user->id = id;
		HASH_ADD(hh, map->by_id, id, sizeof(user->id), user);
	}
	link->user = user;
	DL_APPEND(user->links, link);
	user->sockets++;
}

void user_connections_remove(struct user_connections *map,
                             struct user_link *link)
{
	struct user *user = link->user;

	if (!user)
		return;
	DL_DELETE(user->links, link);
	link->user = NULL;
	user->sockets--;
	if (!user->links)
		drop(map, user);
}

struct user_link *user_connections_find(const struct user_connections *map,
                                        uint64_t id)
{
	const struct user *user = find(map, id);

	return user ? user->links : NULL;
}

uint32_t user_connections_sockets(const struct user_connections *map,
                                  uint64_t id)
{
	const struct user *user = find(map, id);

	return user ? user->sockets : 0;
}

uint32_t user_connections_count(const struct user_connections *map)
{
	return HASH_COUNT(map->by_id);
}
