/*
 * watches_private - what the files of the watches module share.
 *
 * watches.c       looking into Redis: questions, and each second all of them
 * watches_told.c  who watches whom, and who is told what when
 */
#ifndef PARLEY_WEBSOCKET_WATCHES_PRIVATE_H
#define PARLEY_WEBSOCKET_WATCHES_PRIVATE_H

#include "common/base/buf.h"
#include "websocket-service/belief.h"
#include "websocket-service/slots.h"
#include "websocket-service/watches.h"

#include <uthash.h>

struct watch;
struct watcher;

/* A user whom somebody here watches. */
struct watched {
	uint64_t user;
	uint64_t number; /* in by_number */
	struct belief belief;
	struct watch *watches;
	struct watched *prev, *next; /* the longest not looked at first */
	UT_hash_handle hh;
};

struct watch {
	uint64_t user;
	struct watched *watched;
	struct watcher *watcher;
	struct watch *prev, *next; /* of the same watched */
	struct watch *untold_next;
	uint64_t told_ms; /* the last change; 0: none */
	bool told_online;
	bool untold;       /* in the watcher's list of those */
	UT_hash_handle hh; /* among the watcher's */
};

/* A socket that watches. */
struct watcher {
	uint64_t connection;
	struct watch *watches;
	struct watch *untold;
	unsigned questions;
	unsigned asking; /* users in them that it does not watch yet */
	struct watcher *prev, *next; /* those with `untold` */
	UT_hash_handle hh;
};

struct question;

struct watches {
	struct connections *connections;
	struct redis *redis;
	struct slots *by_number; /* watched */
	struct watched *by_user;
	struct watched *by_look;
	struct watcher *watchers;
	struct watcher *restless;
	uint32_t count;
	struct slots *questions;
	struct question *asked; /* oldest first */
	uint32_t under_way;     /* of the look at all of them */
	uint64_t look_ms;       /* when it began */
	uint64_t calm_until_ms;
	struct buf key;
	struct buf text;
};

/* watches_told.c */
struct watcher *watcher_find(const struct watches *w, uint64_t connection);
struct watcher *watcher_of(struct watches *w, uint64_t connection);
/* Ends all of its watching. */
void watcher_clear(struct watches *w, struct watcher *watcher);
void watcher_drop(struct watches *w, struct watcher *watcher);
/* NULL when it does not watch the user. */
struct watch *watch_find(const struct watcher *watcher, uint64_t user);
/* What was seen is told to the watcher by whoever calls: it is its first. */
const struct belief *watch_begin(struct watches *w, struct watcher *watcher,
                                 uint64_t user,
                                 const struct sighting *sighting);
void watched_seen(struct watches *w, struct watched *watched,
                  const struct sighting *sighting);
/* Tells what may be told by now. */
void watches_tell(struct watches *w);
void watches_send(struct watches *w, struct connection *connection);

#endif
