#include "websocket-service/presence/presence_publisher.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/scope.h"
#include "common/io/redis/redis.h"
#include "websocket-service/presence/presence_clock.h"
#include "websocket-service/socket/timer_wheel.h"

#include <stdio.h>
#include <uthash.h>

enum {
	LIFE_LEN = 16,
	WORD_MAX = 24,
	TRIM_EACH = 360,           /* refreshes: once an hour */
	PUBLISHED_PER_STEP = 1000, /* users */
};

struct local_user {
	uint64_t user;
	struct timer_wheel_entry refresh_timer;
	unsigned refreshes; /* the key is trimmed at each TRIM_EACH-th */
	UT_hash_handle hh;
};

struct presence_publisher {
	struct redis *redis;
	const struct presence_clock *clock;
	struct local_user *users;
	struct timer_wheel timers;
	bool draining;
	char life[LIFE_LEN + 1];
	struct buf key;
};

struct presence_publisher *
presence_publisher_create(struct redis *redis,
                          const struct presence_clock *clock, uint64_t life)
{
	struct presence_publisher *publisher = mem_new(sizeof(*publisher));

	publisher->redis = redis;
	publisher->clock = clock;
	publisher->key = BUF(PRESENCE_KEY_MAX);
	(void)snprintf(publisher->life, sizeof(publisher->life), "%016llx",
	               (unsigned long long)life);
	timer_wheel_start(&publisher->timers, clock_mono_s());
	return publisher;
}

static void drop(struct presence_publisher *publisher, struct local_user *local)
{
	timer_wheel_clear(&publisher->timers, &local->refresh_timer);
	HASH_DEL(publisher->users, local);
	mem_free(&local);
}

void presence_publisher_destroy(struct presence_publisher **publisher)
{
	if (!*publisher)
		return;
	while ((*publisher)->users)
		drop(*publisher, (*publisher)->users);
	buf_free(&(*publisher)->key);
	mem_free(publisher);
}

uint32_t presence_publisher_count(const struct presence_publisher *publisher)
{
	return HASH_COUNT(publisher->users);
}

void presence_publisher_key(struct buf *out, uint64_t user)
{
	buf_append(out, SPAN("presence:"));
	buf_number(out, user);
}

/* --- to Redis ------------------------------------------------------------ */

static struct span key_for(struct presence_publisher *publisher, uint64_t user)
{
	buf_clear(&publisher->key);
	presence_publisher_key(&publisher->key, user);
	return buf_span(&publisher->key);
}

static bool send(struct presence_publisher *publisher, const struct span *words,
                 unsigned count)
{
	return redis_command(publisher->redis, words, count, NULL, NULL, 0);
}

static bool write_score(struct presence_publisher *publisher, uint64_t user,
                        uint64_t score)
{
	char text[WORD_MAX];
	int len =
		snprintf(text, sizeof(text), "%llu", (unsigned long long)score);
	const struct span words[] = {
		SPAN("ZADD"),
		key_for(publisher, user),
		span_make(text, (size_t)len),
		span_make(publisher->life, LIFE_LEN),
	};

	return send(publisher, words, ARRAY_LEN(words));
}

/* Removes old lives, and lets the key of a user who never returns expire. */
static bool trim(struct presence_publisher *publisher, uint64_t user)
{
	char last[WORD_MAX];
	char ttl[WORD_MAX];
	struct span key = key_for(publisher, user);
	const struct span remove[] = {
		SPAN("ZREMRANGEBYRANK"),
		key,
		SPAN("0"),
		span_make(last, (size_t)snprintf(last, sizeof(last), "%d",
	                                         -PRESENCE_LIVES - 1)),
	};
	const struct span expire[] = {
		SPAN("EXPIRE"),
		key,
		span_make(ttl, (size_t)snprintf(ttl, sizeof(ttl), "%d",
	                                        (int)PRESENCE_KEPT_S)),
	};

	return send(publisher, remove, ARRAY_LEN(remove)) &&
	       send(publisher, expire, ARRAY_LEN(expire));
}

/* When Redis does not accept the commands, they are repeated a second later. */
static void publish_online(struct presence_publisher *publisher,
                           struct local_user *local)
{
	uint64_t until_ms =
		presence_clock_now_ms(publisher->clock) + PRESENCE_ALIVE_MS;
	bool accepted = write_score(publisher, local->user, until_ms | 1);
	uint64_t wait_s = 1;

	if (accepted && local->refreshes % TRIM_EACH == 0)
		accepted = trim(publisher, local->user);
	local->refreshes += accepted;
	/* Spreads users that were all published in the same second. */
	if (accepted)
		wait_s = PRESENCE_REFRESH_S - local->user % 3;
	timer_wheel_set(&publisher->timers, &local->refresh_timer,
	                clock_mono_s() + wait_s);
}

/* --- users of this gateway ----------------------------------------------- */

static struct local_user *find(const struct presence_publisher *publisher,
                               uint64_t user)
{
	struct local_user *local;

	HASH_FIND(hh, publisher->users, &user, sizeof(user), local);
	return local;
}

void presence_publisher_user_connected(struct presence_publisher *publisher,
                                       uint64_t user)
{
	struct local_user *local = find(publisher, user);

	if (local)
		return;
	local = mem_new(sizeof(*local));
	local->user = user;
	HASH_ADD(hh, publisher->users, user, sizeof(local->user), local);
	publish_online(publisher, local);
}

void presence_publisher_user_disconnected(struct presence_publisher *publisher,
                                          uint64_t user)
{
	struct local_user *local = find(publisher, user);

	if (!local)
		return;
	drop(publisher, local);
	if (publisher->draining)
		return;
	/* When Redis does not accept this, the score expires. */
	if (write_score(publisher, user,
	                presence_clock_now_ms(publisher->clock) & ~UINT64_C(1)))
		(void)trim(publisher, user);
}

void presence_publisher_drain(struct presence_publisher *publisher)
{
	publisher->draining = true;
}

void presence_publisher_publish_all(struct presence_publisher *publisher)
{
	unsigned count = 0;

	for (struct local_user *local = publisher->users; local;
	     local = local->hh.next) {
		/* Scores first: there may be 100,000 users. */
		local->refreshes = TRIM_EACH - 1;
		if (count++ < PUBLISHED_PER_STEP)
			publish_online(publisher, local);
		else
			timer_wheel_set(&publisher->timers,
			                &local->refresh_timer, clock_mono_s());
	}
}

static void refresh(void *context, struct timer_wheel_entry *timer)
{
	publish_online(context,
	               CONTAINER_OF(timer, struct local_user, refresh_timer));
}

void presence_publisher_tick(struct presence_publisher *publisher)
{
	timer_wheel_advance(&publisher->timers, clock_mono_s(),
	                    PUBLISHED_PER_STEP, refresh, publisher);
}
