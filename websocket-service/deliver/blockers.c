#include "websocket-service/deliver/blockers.h"
#include "common/base/mem.h"
#include "common/wire/event.h"

#include <stdlib.h>

struct blockers blockers_none(void)
{
	return (struct blockers){.until = UINT64_MAX};
}

void blockers_free(struct blockers *blockers)
{
	mem_free(&blockers->users);
	*blockers = blockers_none();
}

static void append(struct blockers *blockers, uint64_t user)
{
	if (blockers->count == blockers->capacity) {
		blockers->capacity =
			blockers->capacity ? blockers->capacity * 2 : 2;
		blockers->users = mem_resize(blockers->users,
		                             blockers->capacity *
		                                     sizeof(*blockers->users));
	}
	blockers->users[blockers->count++] = user;
}

static int by_id(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void blockers_read(struct blockers *blockers, struct span list)
{
	uint64_t user = 0;

	blockers->count = 0;
	while (event_key_next(&list, &user))
		append(blockers, user);
	blockers->until = event_blockers_cut(list) ? user : UINT64_MAX;
	if (blockers->count > 1)
		qsort(blockers->users, blockers->count,
		      sizeof(*blockers->users), by_id);
}

bool blockers_have(const struct blockers *blockers, uint64_t user)
{
	return user > blockers->until ||
	       (blockers->count &&
	        bsearch(&user, blockers->users, blockers->count,
	                sizeof(*blockers->users), by_id) != NULL);
}
