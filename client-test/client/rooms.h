/*
 * rooms - a conversation of mine, by its title or its id.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_ROOMS_H
#define PARLEY_CLIENT_TEST_CLIENT_ROOMS_H

#include "client-test/client/rest.h"

struct rooms;

/* The texts live until the call of rooms_found returns. */
struct room {
	uint64_t id;
	uint64_t last_seq;
	uint64_t with;     /* the other one of a direct conversation, or 0 */
	struct span kind;  /* "direct", "group", "channel" */
	struct span title; /* empty: a direct one */
};

/*
 * ST_OK; ST_NOT_FOUND: I am in none that is called so; ST_CONFLICT: in several;
 * else why it can't be said now. `why` has words for a person.
 */
typedef void rooms_found(void *context, enum status status,
                         const struct room *room, struct span why);

struct rooms *rooms_create(struct rest *rest);
/* After the rest: no answer may come any more. */
void rooms_destroy(struct rooms **rooms);

/* `in`: its title, or its id in digits. One at a time. */
void rooms_find(struct rooms *rooms, struct span token, const char *in,
                rooms_found *found, void *context);
/* The one that I have with this user; ST_NOT_FOUND: none yet. */
void rooms_find_with(struct rooms *rooms, struct span token, uint64_t user,
                     rooms_found *found, void *context);
/* One of a list of conversations; false when it is none. */
bool room_read(const struct json *json, struct room *ret_room);

#endif
