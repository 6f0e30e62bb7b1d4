#include "common/base/clock.h"
#include "common/base/mem.h"
#include "websocket-service/connection.h"
#include "websocket-service/measures.h"
#include "websocket-service/watches_private.h"

#include <utlist.h>

/* --- who is watched ------------------------------------------------------ */

static struct watched *watched_find(const struct watches *w, uint64_t user)
{
	struct watched *watched;

	HASH_FIND(hh, w->by_user, &user, sizeof(user), watched);
	return watched;
}

static struct watched *watched_make(struct watches *w, uint64_t user)
{
	struct watched *watched = mem_new(sizeof(*watched));

	watched->user = user;
	watched->number = slots_add(w->by_number, watched);
	DL_APPEND(w->by_look, watched);
	HASH_ADD(hh, w->by_user, user, sizeof(watched->user), watched);
	return watched;
}

static void watched_drop(struct watches *w, struct watched *watched)
{
	slots_remove(w->by_number, watched->number);
	DL_DELETE(w->by_look, watched);
	HASH_DEL(w->by_user, watched);
	mem_free(&watched);
}

/* --- who watches --------------------------------------------------------- */

struct watcher *watcher_find(const struct watches *w, uint64_t connection)
{
	struct watcher *watcher;

	HASH_FIND(hh, w->watchers, &connection, sizeof(connection), watcher);
	return watcher;
}

struct watcher *watcher_of(struct watches *w, uint64_t connection)
{
	struct watcher *watcher = watcher_find(w, connection);

	if (watcher)
		return watcher;
	watcher = mem_new(sizeof(*watcher));
	watcher->connection = connection;
	HASH_ADD(hh, w->watchers, connection, sizeof(connection), watcher);
	return watcher;
}

static void rest(struct watches *w, struct watcher *watcher)
{
	DL_DELETE(w->restless, watcher);
	watcher->untold = NULL;
}

static void watch_end(struct watches *w, struct watch *watch)
{
	struct watched *watched = watch->watched;

	HASH_DEL(watch->watcher->watches, watch);
	DL_DELETE(watched->watches, watch);
	if (!watched->watches)
		watched_drop(w, watched);
	mem_free(&watch);
	w->count--;
}

void watcher_clear(struct watches *w, struct watcher *watcher)
{
	if (watcher->untold)
		rest(w, watcher);
	while (watcher->watches)
		watch_end(w, watcher->watches);
}

void watcher_drop(struct watches *w, struct watcher *watcher)
{
	watcher_clear(w, watcher);
	HASH_DEL(w->watchers, watcher);
	mem_free(&watcher);
}

struct watch *watch_find(const struct watcher *watcher, uint64_t user)
{
	struct watch *watch;

	HASH_FIND(hh, watcher->watches, &user, sizeof(user), watch);
	return watch;
}

static struct watch *watch_make(struct watches *w, struct watcher *watcher,
                                struct watched *watched)
{
	struct watch *watch = mem_new(sizeof(*watch));

	watch->user = watched->user;
	watch->watched = watched;
	watch->watcher = watcher;
	DL_APPEND(watched->watches, watch);
	HASH_ADD(hh, watcher->watches, user, sizeof(watch->user), watch);
	w->count++;
	return watch;
}

const struct belief *watch_begin(struct watches *w, struct watcher *watcher,
                                 uint64_t user, const struct sighting *sighting)
{
	struct watched *watched = watched_find(w, user);
	struct watch *watch = watch_find(watcher, user);

	if (watched) {
		watched_seen(w, watched, sighting);
	} else {
		watched = watched_make(w, user);
		belief_begin(&watched->belief, sighting);
	}
	if (!watch)
		watch = watch_make(w, watcher, watched);
	watch->told_online = watched->belief.online;
	return &watched->belief;
}

/* --- telling ------------------------------------------------------------- */

static void note_untold(struct watches *w, struct watch *watch)
{
	struct watcher *watcher = watch->watcher;

	if (watch->untold)
		return;
	if (!watcher->untold)
		DL_APPEND(w->restless, watcher);
	watch->untold = true;
	watch->untold_next = watcher->untold;
	watcher->untold = watch;
}

void watched_seen(struct watches *w, struct watched *watched,
                  const struct sighting *sighting)
{
	struct watch *watch;

	if (!belief_take(&watched->belief, sighting, clock_mono_ms(),
	                 w->calm_until_ms))
		return;
	DL_FOREACH (watched->watches, watch)
		note_untold(w, watch);
}

void watches_send(struct watches *w, struct connection *connection)
{
	connection_send(connection, buf_span(&w->text));
}

/* Takes what may be told off the list; returns how many that are. */
static unsigned write_changes(struct watcher *watcher,
                              struct presence_frame *frame, uint64_t now_ms)
{
	struct watch *watch = watcher->untold;
	unsigned count = 0;

	watcher->untold = NULL;
	while (watch) {
		struct watch *next = watch->untold_next;
		const struct belief *belief = &watch->watched->belief;
		bool differs = watch->told_online != belief->online;

		watch->untold = false;
		if (differs && watch->told_ms &&
		    now_ms < watch->told_ms + WATCHES_EACH_MS) {
			watch->untold = true;
			watch->untold_next = watcher->untold;
			watcher->untold = watch;
		} else if (differs) {
			watch->told_online = belief->online;
			watch->told_ms = now_ms;
			frame_presence_add(frame, watch->user,
			                   belief_last_seen(belief));
			count++;
		}
		watch = next;
	}
	return count;
}

static void tell(struct watches *w, struct watcher *watcher, uint64_t now_ms)
{
	struct connection *connection =
		connections_find(w->connections, watcher->connection);
	struct presence_frame frame;
	unsigned count;

	buf_clear(&w->text);
	frame = frame_presence_open(&w->text);
	count = write_changes(watcher, &frame, now_ms);
	frame_presence_close(&frame);
	if (!watcher->untold)
		rest(w, watcher);
	metric_count(&measure_presence_told, count);
	if (count && connection)
		watches_send(w, connection); /* may end the watcher */
}

void watches_tell(struct watches *w)
{
	uint64_t now_ms = clock_mono_ms();
	struct watcher *watcher, *next;

	DL_FOREACH_SAFE (w->restless, watcher, next)
		tell(w, watcher, now_ms);
}
