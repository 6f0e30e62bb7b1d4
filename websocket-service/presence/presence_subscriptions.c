#include "websocket-service/presence/presence_subscriptions.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/frame.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/socket/connection.h"
#include "websocket-service/socket/slots.h"

#include <uthash.h>
#include <utlist.h>

struct watch;

/* A user whom somebody here watches. */
struct watched {
	uint64_t user;
	uint64_t number;
	struct belief belief;
	struct watch *watches;
	struct watched *prev, *next; /* the longest not looked at first */
	UT_hash_handle hh;
};

/* A socket that watches. */
struct watcher {
	uint64_t connection;
	struct watch *watches;
	struct watch *untold;
	struct watcher *prev, *next; /* those with `untold` */
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
	bool hidden;       /* who is watched blocks who watches */
	bool untold;       /* in the watcher's list of those */
	UT_hash_handle hh; /* among the watcher's */
};

struct watchers {
	struct connections *connections;
	struct slots *by_number;
	struct watched *by_user;
	struct watched *by_look;
	struct watcher *by_connection;
	struct watcher *restless;
	uint32_t count;
	uint64_t calm_until_ms;
	struct buf text;
};

struct watchers *watchers_create(struct connections *connections, uint32_t max)
{
	struct watchers *w = mem_new(sizeof(*w));

	w->connections = connections;
	w->by_number = slots_create(max);
	w->text = BUF(FRAME_OUT_MAX);
	return w;
}

/* --- who is watched ------------------------------------------------------ */

static struct watched *find_watched(const struct watchers *w, uint64_t user)
{
	struct watched *watched;

	HASH_FIND(hh, w->by_user, &user, sizeof(user), watched);
	return watched;
}

static struct watched *make_watched(struct watchers *w, uint64_t user)
{
	struct watched *watched = mem_new(sizeof(*watched));

	watched->user = user;
	watched->number = slots_add(w->by_number, watched);
	DL_APPEND(w->by_look, watched);
	HASH_ADD(hh, w->by_user, user, sizeof(watched->user), watched);
	return watched;
}

static void drop_watched(struct watchers *w, struct watched *watched)
{
	slots_remove(w->by_number, watched->number);
	DL_DELETE(w->by_look, watched);
	HASH_DEL(w->by_user, watched);
	mem_free(&watched);
}

uint64_t watchers_next(struct watchers *watchers, uint64_t *ret_number)
{
	struct watched *watched = watchers->by_look;

	DL_DELETE(watchers->by_look, watched);
	DL_APPEND(watchers->by_look, watched);
	*ret_number = watched->number;
	return watched->user;
}

/* --- who watches --------------------------------------------------------- */

static struct watcher *find_watcher(const struct watchers *w,
                                    uint64_t connection)
{
	struct watcher *watcher;

	HASH_FIND(hh, w->by_connection, &connection, sizeof(connection),
	          watcher);
	return watcher;
}

static struct watcher *make_watcher(struct watchers *w, uint64_t connection)
{
	struct watcher *watcher = mem_new(sizeof(*watcher));

	watcher->connection = connection;
	HASH_ADD(hh, w->by_connection, connection, sizeof(connection), watcher);
	return watcher;
}

static struct watch *find_watch(const struct watcher *watcher, uint64_t user)
{
	struct watch *watch;

	HASH_FIND(hh, watcher->watches, &user, sizeof(user), watch);
	return watch;
}

static struct watch *make_watch(struct watchers *w, struct watcher *watcher,
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

static void drop_watch(struct watchers *w, struct watch *watch)
{
	struct watched *watched = watch->watched;

	HASH_DEL(watch->watcher->watches, watch);
	DL_DELETE(watched->watches, watch);
	if (!watched->watches)
		drop_watched(w, watched);
	mem_free(&watch);
	w->count--;
}

static void drop_watcher(struct watchers *w, struct watcher *watcher)
{
	if (watcher->untold)
		DL_DELETE(w->restless, watcher);
	while (watcher->watches)
		drop_watch(w, watcher->watches);
	HASH_DEL(w->by_connection, watcher);
	mem_free(&watcher);
}

void watchers_destroy(struct watchers **watchers)
{
	struct watchers *w = *watchers;

	if (!w)
		return;
	while (w->by_connection)
		drop_watcher(w, w->by_connection);
	slots_destroy(&w->by_number);
	buf_free(&w->text);
	mem_free(watchers);
}

void watchers_leave(struct watchers *watchers, uint64_t connection)
{
	struct watcher *watcher = find_watcher(watchers, connection);

	if (watcher)
		drop_watcher(watchers, watcher);
}

bool watchers_has(const struct watchers *watchers, uint64_t connection,
                  uint64_t user)
{
	const struct watcher *watcher = find_watcher(watchers, connection);

	return watcher && find_watch(watcher, user);
}

uint32_t watchers_users(const struct watchers *watchers)
{
	return HASH_COUNT(watchers->by_user);
}

uint32_t watchers_count(const struct watchers *watchers)
{
	return watchers->count;
}

uint32_t watchers_count_of(const struct watchers *watchers, uint64_t connection)
{
	const struct watcher *watcher = find_watcher(watchers, connection);

	return watcher ? HASH_COUNT(watcher->watches) : 0;
}

/* --- what is seen -------------------------------------------------------- */

static void note_untold(struct watchers *w, struct watch *watch)
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

static void believe(struct watchers *w, struct watched *watched,
                    const struct sighting *seen)
{
	struct watch *watch;

	if (!belief_take(&watched->belief, seen, clock_mono_ms(),
	                 w->calm_until_ms))
		return;
	DL_FOREACH (watched->watches, watch)
		note_untold(w, watch);
}

void watchers_seen(struct watchers *watchers, uint64_t number,
                   const struct sighting *seen)
{
	struct watched *watched = slots_get(watchers->by_number, number);

	if (watched)
		believe(watchers, watched, seen);
}

static bool looks_online(const struct watch *watch)
{
	return watch->watched->belief.online && !watch->hidden;
}

static uint64_t looks_last_seen(const struct watch *watch)
{
	return watch->hidden ? UINT64_MAX
	                     : belief_last_seen(&watch->watched->belief);
}

void watchers_hide(struct watchers *watchers, uint64_t user, uint64_t from,
                   bool hidden)
{
	struct watched *watched = find_watched(watchers, user);
	struct watch *watch;

	if (!watched)
		return;
	DL_FOREACH (watched->watches, watch) {
		const struct connection *connection = connections_find(
			watchers->connections, watch->watcher->connection);

		if (!connection || connection_user(connection) != from)
			continue;
		watch->hidden = hidden;
		note_untold(watchers, watch);
	}
}

uint64_t watchers_add(struct watchers *watchers, uint64_t connection,
                      uint64_t user, const struct sighting *seen, bool hidden)
{
	struct watcher *watcher = find_watcher(watchers, connection);
	struct watched *watched = find_watched(watchers, user);
	struct watch *watch;

	if (watched) {
		believe(watchers, watched, seen);
	} else {
		watched = make_watched(watchers, user);
		belief_begin(&watched->belief, seen);
	}
	if (!watcher)
		watcher = make_watcher(watchers, connection);
	watch = find_watch(watcher, user);
	if (!watch)
		watch = make_watch(watchers, watcher, watched);
	watch->hidden = hidden;
	watch->told_online = looks_online(watch);
	return looks_last_seen(watch);
}

void watchers_calm(struct watchers *watchers)
{
	watchers->calm_until_ms = clock_mono_ms() + BELIEF_CALM_MS;
}

/* --- telling ------------------------------------------------------------- */

/* Whether it was told; if it is to be told later it stays on the list. */
static bool write_change(struct watch *watch, struct presence_frame *frame,
                         uint64_t now_ms)
{
	watch->untold = false;
	if (watch->told_online == looks_online(watch))
		return false;
	if (watch->told_ms && now_ms < watch->told_ms + WATCHERS_EACH_MS) {
		watch->untold = true;
		LL_PREPEND2(watch->watcher->untold, watch, untold_next);
		return false;
	}
	watch->told_online = looks_online(watch);
	watch->told_ms = now_ms;
	frame_presence_add(frame, watch->user, looks_last_seen(watch));
	return true;
}

static unsigned write_changes(struct watcher *watcher, struct buf *text,
                              uint64_t now_ms)
{
	struct presence_frame frame = frame_presence_open(text);
	struct watch *watch = watcher->untold;
	unsigned count = 0;

	watcher->untold = NULL;
	while (watch) {
		struct watch *next = watch->untold_next;

		count += write_change(watch, &frame, now_ms);
		watch = next;
	}
	frame_presence_close(&frame);
	return count;
}

/* Sending may end the connection, and with it the watcher. */
static void tell(struct watchers *w, struct watcher *watcher, uint64_t now_ms)
{
	struct connection *connection =
		connections_find(w->connections, watcher->connection);
	unsigned count;

	buf_clear(&w->text);
	count = write_changes(watcher, &w->text, now_ms);
	if (!watcher->untold)
		DL_DELETE(w->restless, watcher);
	metric_count(&measure_presence_told, count);
	if (count && connection)
		connection_send(connection, buf_span(&w->text));
}

void watchers_tell(struct watchers *watchers)
{
	uint64_t now_ms = clock_mono_ms();
	struct watcher *watcher, *next;

	DL_FOREACH_SAFE (watchers->restless, watcher, next)
		tell(watchers, watcher, now_ms);
}
