/*
 * memberships - the known memberships of one user in large conversations
 * (rooms): a list, sorted by room.
 *
 * A membership that has ended stays, so that a late statement about the time
 * before is recognised by its lower seq, however late it is: the process that
 * makes it may have been stopped for hours. Of more than MEMBERSHIPS_LEFT_MAX
 * the older half is dropped.
 *
 * Ownership  a list is part of the caller's object; zeroed is empty. Pointers
 *            into it are valid until the next memberships_insert().
 */
#ifndef PARLEY_WEBSOCKET_DELIVER_MEMBERSHIPS_H
#define PARLEY_WEBSOCKET_DELIVER_MEMBERSHIPS_H

#include <stdbool.h>
#include <stdint.h>

enum { MEMBERSHIPS_LEFT_MAX = 512 };

struct membership {
	uint64_t room;
	uint64_t seq;    /* of the latest statement */
	uint64_t from;   /* the user sees the entries after this one */
	uint32_t left_s; /* 0: the user is a member */
	uint32_t index;  /* in room_members, while the user is in it */
};

struct memberships {
	struct membership *list;
	uint32_t count;
	uint32_t capacity;
};

void memberships_free(struct memberships *memberships);
/* NULL when nothing is known about the room. */
struct membership *memberships_find(const struct memberships *memberships,
                                    uint64_t room);
/* A room that is not in the list; it gets seq 0 and "left". */
struct membership *memberships_insert(struct memberships *memberships,
                                      uint64_t room);

static inline bool membership_active(const struct membership *membership)
{
	return membership->left_s == 0;
}

#endif
