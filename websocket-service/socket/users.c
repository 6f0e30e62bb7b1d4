#include "websocket-service/socket/users.h"
#include "common/base/mem.h"

#include <uthash.h>
#include <utlist.h>

struct user {
	uint64_t id;
	struct user_link *links;
	UT_hash_handle hh;
};

struct users {
	struct user *by_id;
};

struct users *users_create(void)
{
	return mem_new(sizeof(struct users));
}

static struct user *find(const struct users *users, uint64_t id)
{
	struct user *user;

	HASH_FIND(hh, users->by_id, &id, sizeof(id), user);
	return user;
}

static void drop(struct users *users, struct user *user)
{
	HASH_DEL(users->by_id, user);
	mem_free(&user);
}

void users_destroy(struct users **users)
{
	if (!*users)
		return;
	while ((*users)->by_id)
		drop(*users, (*users)->by_id);
	mem_free(users);
}

void users_add(struct users *users, uint64_t id, struct user_link *link)
{
	struct user *user = find(users, id);

	if (!user) {
		user = mem_new(sizeof(*user));
		user->id = id;
		HASH_ADD(hh, users->by_id, id, sizeof(user->id), user);
	}
	link->user = user;
	DL_APPEND(user->links, link);
}

void users_remove(struct users *users, struct user_link *link)
{
	struct user *user = link->user;

	if (!user)
		return;
	DL_DELETE(user->links, link);
	link->user = NULL;
	if (!user->links)
		drop(users, user);
}

struct user_link *users_find(const struct users *users, uint64_t id)
{
	const struct user *user = find(users, id);

	return user ? user->links : NULL;
}

uint32_t users_count(const struct users *users)
{
	return HASH_COUNT(users->by_id);
}
