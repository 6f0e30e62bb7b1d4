#include "websocket-service/presence/presence_publisher.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/scope.h"
#include "common/io/redis/redis.h"
#include "websocket-service/socket/timer_wheel.h"

#include <stdio.h>
#include <uthash.h>

enum {
	LIFE_LEN = 16,
	WORD_MAX = 24,
	TIDY_EACH = 360, /* refreshes: once an hour */
};

struct here {
	uint64_t user;
	struct wheel_item again;
	unsigned said; /* times; each TIDY_EACH the key is tidied */
	UT_hash_handle hh;
};

struct presence {
	struct redis *redis;
	struct here *users;
	struct wheel wheel;
	bool draining;
	char life[LIFE_LEN + 1];
	struct buf key;
};

static uint64_t now_s(void)
{
	return clock_mono_ms() / 1000;
}

struct presence *presence_create(struct redis *redis, uint64_t life)
{
	struct presence *presence = mem_new(sizeof(*presence));

	presence->redis = redis;
	presence->key = BUF(PRESENCE_KEY_MAX);
	(void)snprintf(presence->life, sizeof(presence->life), "%016llx",
	               (unsigned long long)life);
	wheel_start(&presence->wheel, now_s());
	return presence;
}

static void drop(struct presence *presence, struct here *here)
{
	wheel_clear(&presence->wheel, &here->again);
	HASH_DEL(presence->users, here);
	mem_free(&here);
}

void presence_destroy(struct presence **presence)
{
	if (!*presence)
		return;
	while ((*presence)->users)
		drop(*presence, (*presence)->users);
	buf_free(&(*presence)->key);
	mem_free(presence);
}

uint32_t presence_count(const struct presence *presence)
{
	return HASH_COUNT(presence->users);
}

void presence_key(struct buf *out, uint64_t user)
{
	buf_append(out, SPAN("presence:"));
	buf_number(out, user);
}

/* --- to Redis ------------------------------------------------------------ */

static struct span key_of(struct presence *presence, uint64_t user)
{
	buf_clear(&presence->key);
	presence_key(&presence->key, user);
	return buf_span(&presence->key);
}

static bool send(struct presence *presence, const struct span *words,
                 unsigned count)
{
	return redis_command(presence->redis, words, count, NULL, NULL, 0);
}

static bool say_score(struct presence *presence, uint64_t user, uint64_t score)
{
	char text[WORD_MAX];
	int len =
		snprintf(text, sizeof(text), "%llu", (unsigned long long)score);
	const struct span words[] = {
		SPAN("ZADD"),
		key_of(presence, user),
		span_make(text, (size_t)len),
		span_make(presence->life, LIFE_LEN),
	};

	return send(presence, words, ARRAY_LEN(words));
}

/* Old lives go, and in the end who never comes again. */
static bool tidy(struct presence *presence, uint64_t user)
{
	char last[WORD_MAX];
	char ttl[WORD_MAX];
	struct span key = key_of(presence, user);
	const struct span trim[] = {
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

	return send(presence, trim, ARRAY_LEN(trim)) &&
	       send(presence, expire, ARRAY_LEN(expire));
}

/* What Redis does not take now is said a second later. */
static void say_here(struct presence *presence, struct here *here)
{
	uint64_t until_ms = clock_unix_ms() + PRESENCE_ALIVE_MS;
	bool said = say_score(presence, here->user, until_ms | 1);

	if (said && here->said % TIDY_EACH == 0)
		said = tidy(presence, here->user);
	here->said += said;
	/* Not all in the same second, once all have been said at once. */
	wheel_set(&presence->wheel, &here->again,
	          now_s() + (said ? PRESENCE_REFRESH_S - here->user % 3 : 1));
}

/* --- who is here --------------------------------------------------------- */

static struct here *find(const struct presence *presence, uint64_t user)
{
	struct here *here;

	HASH_FIND(hh, presence->users, &user, sizeof(user), here);
	return here;
}

void presence_enter(struct presence *presence, uint64_t user)
{
	struct here *here = find(presence, user);

	if (here)
		return;
	here = mem_new(sizeof(*here));
	here->user = user;
	HASH_ADD(hh, presence->users, user, sizeof(here->user), here);
	say_here(presence, here);
}

void presence_leave(struct presence *presence, uint64_t user)
{
	struct here *here = find(presence, user);

	if (!here)
		return;
	drop(presence, here);
	if (presence->draining)
		return;
	/* Not taken: their time will be over. */
	if (say_score(presence, user, clock_unix_ms() & ~UINT64_C(1)))
		(void)tidy(presence, user);
}

void presence_drain(struct presence *presence)
{
	presence->draining = true;
}

void presence_say_all(struct presence *presence)
{
	for (struct here *here = presence->users; here; here = here->hh.next) {
		here->said = 0;
		say_here(presence, here);
	}
}

static void say_again(void *context, struct wheel_item *item)
{
	say_here(context, CONTAINER_OF(item, struct here, again));
}

void presence_tick(struct presence *presence)
{
	wheel_turn(&presence->wheel, now_s(), say_again, presence);
}
