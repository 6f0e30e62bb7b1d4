#include "tests/ledger/judge/conversation_log.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/room_members.h"
#include "tests/ledger/judge/sessions.h"

#include <stdlib.h>
#include <uthash.h>

struct log_slot {
	struct conversation_log log; /* first: a log is its slot */
	UT_hash_handle hh;
};

/* The conversation of two users, by their numbers, rising. */
struct pair_slot {
	uint64_t users; /* pair_key() */
	uint64_t conversation;
	UT_hash_handle hh;
};

enum { FIRST_SEQS = 64 };

struct conversation_log *conversation_log_find(struct ledger *ledger,
                                               uint64_t id)
{
	struct log_slot *slot;

	HASH_FIND(hh, ledger->logs, &id, sizeof(id), slot);
	return slot ? &slot->log : NULL;
}

struct conversation_log *conversation_log_next(struct ledger *ledger,
                                               struct conversation_log *log)
{
	struct log_slot *slot =
		log ? ((struct log_slot *)log)->hh.next : ledger->logs;

	return slot ? &slot->log : NULL;
}

static struct conversation_log *add_log(struct ledger *ledger, uint64_t id,
                                        unsigned positions)
{
	struct log_slot *slot = mem_new(sizeof(*slot));
	struct conversation_log *log = &slot->log;
	size_t devices = (size_t)positions * ledger->config.devices;

	log->id = id;
	log->live = mem_new(devices * sizeof(*log->live));
	log->typing = mem_new(positions * sizeof(*log->typing));
	log->receipts = mem_new(positions * sizeof(*log->receipts));
	log->received_receipts =
		mem_new(devices * positions * sizeof(*log->received_receipts));
	HASH_ADD(hh, ledger->logs, log.id, sizeof(id), slot);
	return log;
}

static uint64_t pair_key(unsigned one, unsigned two)
{
	uint64_t low = one < two ? one : two, high = one < two ? two : one;

	return low << 32 | high;
}

static struct pair_slot *find_pair(const struct ledger *ledger, unsigned one,
                                   unsigned two)
{
	uint64_t users = pair_key(one, two);
	struct pair_slot *slot;

	HASH_FIND(hh, ledger->pairs, &users, sizeof(users), slot);
	return slot;
}

static void add_pair(struct ledger *ledger, const struct conversation_log *log)
{
	struct pair_slot *slot = find_pair(ledger, log->one, log->two);

	if (slot)
		return; /* a second conversation of a pair: split, or misrouted
		         */
	slot = mem_new(sizeof(*slot));
	slot->users = pair_key(log->one, log->two);
	slot->conversation = log->id;
	HASH_ADD(hh, ledger->pairs, users, sizeof(slot->users), slot);
}

uint64_t conversation_log_of_pair(const struct ledger *ledger, unsigned one,
                                  unsigned two)
{
	const struct pair_slot *slot = find_pair(ledger, one, two);

	return slot ? slot->conversation : 0;
}

struct conversation_log *conversation_log_get_direct(struct ledger *ledger,
                                                     uint64_t id,
                                                     const struct entry *entry)
{
	struct conversation_log *log = conversation_log_find(ledger, id);
	bool rising = entry->from <= entry->to;

	if (log)
		return log;
	log = add_log(ledger, id, 2);
	log->one = rising ? entry->from : entry->to;
	log->two = rising ? entry->to : entry->from;
	add_pair(ledger, log);
	return log;
}

struct conversation_log *conversation_log_get_room(struct ledger *ledger,
                                                   struct room *room)
{
	struct conversation_log *log =
		conversation_log_find(ledger, room->conversation);

	if (log)
		return log;
	log = add_log(ledger, room->conversation, room->count);
	log->room = room;
	return log;
}

uint32_t *conversation_log_slot(struct conversation_log *log, uint32_t seq)
{
	uint32_t capacity = log->capacity ? log->capacity : FIRST_SEQS;

	while (capacity <= seq)
		capacity *= 2;
	if (capacity > log->capacity) {
		log->by_seq = mem_resize(log->by_seq,
		                         capacity * sizeof(*log->by_seq));
		memset(&log->by_seq[log->capacity], 0,
		       (capacity - log->capacity) * sizeof(*log->by_seq));
		log->capacity = capacity;
	}
	if (seq > log->top)
		log->top = seq;
	return &log->by_seq[seq];
}

unsigned conversation_log_positions(const struct conversation_log *log)
{
	if (log->room)
		return log->room->count;
	return log->one == log->two ? 1 : 2;
}

unsigned conversation_log_user(const struct conversation_log *log,
                               unsigned position)
{
	if (log->room)
		return log->room->members[position].user;
	return position == 0 ? log->one : log->two;
}

int conversation_log_position(const struct conversation_log *log, unsigned user)
{
	if (log->room)
		return room_members_index(log->room, user);
	if (user == log->one)
		return 0;
	return user == log->two ? 1 : -1;
}

int conversation_log_position_of_id(const struct ledger *ledger,
                                    const struct conversation_log *log,
                                    uint64_t id)
{
	if (log->room)
		return room_members_index_of_id(ledger, log->room, id);
	if (ledger->ids[log->one] == id)
		return 0;
	return ledger->ids[log->two] == id ? 1 : -1;
}

struct live_seq *conversation_log_live_seq(struct ledger *ledger,
                                           struct conversation_log *log,
                                           struct ledger_device_id device)
{
	int position = conversation_log_position(log, device.user);
	const struct device_session *session = sessions_get(ledger, device);
	struct live_seq *live;

	if (position < 0)
		return NULL;
	live = &log->live[(unsigned)position * ledger->config.devices +
	                  device.device];
	if (live->session != session->number)
		*live = (struct live_seq){.session = session->number};
	return live;
}

void conversation_log_free_all(struct ledger *ledger)
{
	struct log_slot *slot, *next;
	struct pair_slot *pair, *next_pair;

	HASH_ITER (hh, ledger->pairs, pair, next_pair) {
		HASH_DEL(ledger->pairs, pair);
		mem_free(&pair);
	}
	HASH_ITER (hh, ledger->logs, slot, next) {
		HASH_DEL(ledger->logs, slot);
		mem_free(&slot->log.by_seq);
		mem_free(&slot->log.by_revision);
		mem_free(&slot->log.live);
		mem_free(&slot->log.typing);
		mem_free(&slot->log.receipts);
		mem_free(&slot->log.received_receipts);
		mem_free(&slot);
	}
}
