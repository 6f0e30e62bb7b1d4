#include "websocket-service/receive/conversation_keys.h"
#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/wire/event.h"
#include "common/wire/save_record.h"

#include <uthash.h>
#include <utlist.h>

enum { ID_TEXT_MAX = 20 + 1 };

/* A conversation whose key is asked for. */
struct asked {
	struct asked *prev, *next; /* in `queued` or in `sent`, oldest first */
	uint64_t conversation;
	uint64_t user;
	uint64_t until_ms;
	uint64_t number; /* of its query; 0 in `queued` */
	bool again;      /* asked for since the query was sent */
	UT_hash_handle hh;
};

struct known {
	struct pair pair;
	uint64_t absent; /* the query that found no such conversation; or 0 */
};

struct conversation_keys {
	struct conversation_keys_options options;
	struct lru *known; /* struct known by conversation */
	struct asked *by_conversation;
	struct asked *queued;
	struct asked *sent;
	uint64_t number; /* of the latest query */
	bool in_flight;  /* that query has no answer yet */
	struct buf list; /* of the query being written */
};

struct conversation_keys *
conversation_keys_create(const struct conversation_keys_options *options)
{
	struct conversation_keys *keys = mem_new(sizeof(*keys));

	keys->options = *options;
	keys->known = lru_create(options->keys_max, sizeof(struct known));
	keys->list = BUF(SAVE_CONVERSATIONS_MAX * ID_TEXT_MAX);
	return keys;
}

static void drop(struct conversation_keys *keys, struct asked *asked)
{
	if (asked->number)
		DL_DELETE(keys->sent, asked);
	else
		DL_DELETE(keys->queued, asked);
	HASH_DEL(keys->by_conversation, asked);
	mem_free(&asked);
}

void conversation_keys_destroy(struct conversation_keys **keys)
{
	if (!*keys)
		return;
	while ((*keys)->by_conversation)
		drop(*keys, (*keys)->by_conversation);
	lru_destroy(&(*keys)->known);
	buf_free(&(*keys)->list);
	mem_free(keys);
}

static struct asked *find(const struct conversation_keys *keys,
                          uint64_t conversation)
{
	struct asked *asked;

	HASH_FIND(hh, keys->by_conversation, &conversation,
	          sizeof(conversation), asked);
	return asked;
}

static bool get_known(struct conversation_keys *keys, uint64_t conversation,
                      struct known *ret_known)
{
	return lru_get(keys->known,
	               span_make(&conversation, sizeof(conversation)), 0,
	               ret_known);
}

bool conversation_keys_find(struct conversation_keys *keys,
                            uint64_t conversation, uint64_t asked,
                            struct pair *ret_pair)
{
	struct known known;

	if (!get_known(keys, conversation, &known))
		return false;
	if (known.absent && (asked == 0 || asked > known.absent))
		return false;
	*ret_pair = known.pair;
	return true;
}

static void put_known(struct conversation_keys *keys, uint64_t conversation,
                      const struct known *known)
{
	lru_put(keys->known, span_make(&conversation, sizeof(conversation)),
	        known, UINT64_MAX);
}

static void learn(struct conversation_keys *keys, uint64_t conversation,
                  const struct pair *pair)
{
	struct asked *asked = find(keys, conversation);

	put_known(keys, conversation, &(struct known){.pair = *pair});
	if (asked)
		drop(keys, asked);
}

void conversation_keys_learn_group(struct conversation_keys *keys,
                                   uint64_t conversation)
{
	learn(keys, conversation, &(struct pair){0, 0});
}

/* --- queries ------------------------------------------------------------- */

uint64_t conversation_keys_ask(struct conversation_keys *keys, uint64_t user,
                               uint64_t conversation)
{
	struct asked *asked = find(keys, conversation);

	if (asked) {
		asked->again = asked->number != 0;
		return keys->number + 1;
	}
	if (HASH_COUNT(keys->by_conversation) >= CONVERSATION_KEYS_ASKED_MAX)
		return 0;
	asked = mem_new(sizeof(*asked));
	asked->conversation = conversation;
	asked->user = user;
	asked->until_ms = clock_mono_ms() + CONVERSATION_KEYS_WAIT_MS;
	HASH_ADD(hh, keys->by_conversation, conversation, sizeof(conversation),
	         asked);
	DL_APPEND(keys->queued, asked);
	return keys->number + 1;
}

/* One query, about the conversations that have waited longest. */
static void send_query(struct conversation_keys *keys)
{
	uint64_t user = keys->queued->user;

	keys->number++;
	buf_clear(&keys->list);
	for (unsigned i = 0; keys->queued && i < SAVE_CONVERSATIONS_MAX; i++) {
		struct asked *asked = keys->queued;

		DL_DELETE(keys->queued, asked);
		DL_APPEND(keys->sent, asked);
		asked->number = keys->number;
		event_key_add(&keys->list, asked->conversation);
	}
	keys->in_flight = true;
	keys->options.query(keys->options.context, keys->number, user,
	                    buf_span(&keys->list));
}

void conversation_keys_flush(struct conversation_keys *keys)
{
	if (keys->queued && !keys->in_flight)
		send_query(keys);
}

void conversation_keys_tick(struct conversation_keys *keys)
{
	uint64_t now_ms = clock_mono_ms();

	while (keys->sent && keys->sent->until_ms <= now_ms)
		drop(keys, keys->sent);
	if (!keys->sent)
		keys->in_flight = false;
	while (keys->queued)
		send_query(keys);
}

/* The query was sent; those who have asked since need another one. */
static void ask_again(struct conversation_keys *keys, struct asked *asked)
{
	DL_DELETE(keys->sent, asked);
	asked->number = 0;
	asked->again = false;
	asked->until_ms = clock_mono_ms() + CONVERSATION_KEYS_WAIT_MS;
	DL_APPEND(keys->queued, asked);
}

/* Nothing makes a known conversation unknown. */
static void learn_absence(struct conversation_keys *keys, uint64_t number,
                          uint64_t conversation)
{
	struct asked *asked = find(keys, conversation);
	struct known known;

	if (number > keys->number)
		return; /* no query of ours */
	if (get_known(keys, conversation, &known) && !known.absent)
		return;
	put_known(keys, conversation, &(struct known){.absent = number});
	if (!asked || asked->number != number)
		return;
	if (asked->again)
		ask_again(keys, asked);
	else
		drop(keys, asked);
}

static void forget_absence(struct conversation_keys *keys,
                           uint64_t conversation)
{
	struct known known;

	if (get_known(keys, conversation, &known) && known.absent)
		lru_remove(keys->known,
		           span_make(&conversation, sizeof(conversation)));
}

void conversation_keys_answered(struct conversation_keys *keys, uint64_t number,
                                struct span answer)
{
	uint64_t conversation;
	struct span rest = answer, key;

	if (number == keys->number)
		keys->in_flight = false;
	while (event_keys_next(&rest, &conversation, &key)) {
		struct pair pair = {0, 0};

		if (key.len) {
			(void)pair_read(key, &pair);
			learn(keys, conversation, &pair);
		} else {
			learn_absence(keys, number, conversation);
		}
		keys->options.learned(keys->options.context, conversation);
	}
	keys->options.answered(keys->options.context);
	while (event_keys_next(&answer, &conversation, &key))
		if (!key.len)
			forget_absence(keys, conversation);
}
