#include "tests/ledger/judge/rooms.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/delivery_sets.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/room_members.h"

#include <assert.h>

unsigned rooms_add(struct ledger *ledger,
                   const struct ledger_room_config *config)
{
	struct room *room = mem_new(sizeof(*room));

	assert(config->count > 0 && config->count <= LEDGER_ROOM_MEMBERS_MAX);
	assert(config->initial_count > 0 &&
	       config->initial_count <= config->count);
	assert(ledger->room_count < UINT16_MAX);
	room->name = mem_text(config->name, strlen(config->name));
	room->all = config->all;
	room->count = config->count;
	room->initial_count = config->initial_count;
	room->members = mem_new(config->count * sizeof(*room->members));
	for (unsigned i = 0; i < config->count; i++)
		room->members[i].user = config->users[i];
	ledger->rooms = mem_resize(ledger->rooms, (ledger->room_count +
	                                           1) * sizeof(*ledger->rooms));
	ledger->rooms[ledger->room_count] = room;
	ledger->change_calls++;
	return ledger->room_count++;
}

void rooms_free(struct ledger *ledger)
{
	while (ledger->room_count) {
		struct room *room = ledger->rooms[--ledger->room_count];

		for (unsigned i = 0; i < room->count; i++)
			mem_free(&room->members[i].memberships);
		mem_free(&room->members);
		mem_free(&room->changes);
		mem_free(&room->name);
		mem_free(&room);
	}
	mem_free(&ledger->rooms);
}

/* --- calls of the run ---------------------------------------------------- */
static void set_conversation(struct ledger *ledger, struct room *room,
                             uint64_t conversation)
{
	if (room->conversation == conversation)
		return;
	if (room->conversation) {
		faults_add(ledger, FAULT_split,
		           "room %s is conversation %llu and %llu", room->name,
		           (unsigned long long)room->conversation,
		           (unsigned long long)conversation);
		return;
	}
	room->conversation = conversation;
	(void)conversation_log_get_room(ledger, room);
}

void rooms_created(struct ledger *ledger, unsigned number,
                   uint64_t conversation, uint64_t now_us)
{
	struct room *room = ledger->rooms[number];

	set_conversation(ledger, room, conversation);
	for (unsigned i = 0; i < room->initial_count; i++)
		room->members[i].sure_since_us = now_us;
}

unsigned rooms_count(const struct ledger *ledger)
{
	return ledger->room_count;
}

uint64_t rooms_conversation(const struct ledger *ledger, unsigned room)
{
	return ledger->rooms[room]->conversation;
}

static struct room_member *member_of(const struct ledger *ledger, unsigned room,
                                     unsigned user)
{
	int position = room_members_index(ledger->rooms[room], user);

	return position < 0 ? NULL : &ledger->rooms[room]->members[position];
}

void rooms_membership_begins(struct ledger *ledger, unsigned room,
                             unsigned user, bool joins, uint64_t now_us)
{
	struct room_member *member = member_of(ledger, room, user);

	member->changing_us = now_us;
	member->joins = joins;
}

void rooms_membership_changing(struct ledger *ledger, unsigned room,
                               unsigned user)
{
	struct room_member *member = member_of(ledger, room, user);

	ledger->change_calls++;
	member->sure_since_us = 0;
	member->moved = true;
}

void rooms_membership_doubtful(struct ledger *ledger, unsigned room,
                               unsigned user)
{
	member_of(ledger, room, user)->doubtful = true;
}

bool rooms_is_doubtful(const struct ledger *ledger, unsigned room,
                       unsigned user)
{
	return member_of(ledger, room, user)->doubtful;
}

void rooms_member_joined(struct ledger *ledger, unsigned room, unsigned user,
                         uint64_t now_us)
{
	member_of(ledger, room, user)->sure_since_us = now_us;
}

bool rooms_is_member(const struct ledger *ledger, unsigned room, unsigned user)
{
	const struct room_member *member = member_of(ledger, room, user);

	return member && member->sure_since_us;
}

bool rooms_owned_by(struct ledger *ledger, unsigned user, uint64_t conversation)
{
	const struct conversation_log *log =
		conversation_log_find(ledger, conversation);

	return log && log->room && log->room->members[0].user == user;
}

/* --- changes observed ---------------------------------------------------- */
/*
 * A change may arrive before the creation is answered: the name identifies it.
 */
static struct room *room_of(struct ledger *ledger,
                            const struct message *message)
{
	struct conversation_log *log =
		conversation_log_find(ledger, message->conversation);

	if (log)
		return log->room;
	for (unsigned i = 0; i < ledger->room_count; i++) {
		struct room *room = ledger->rooms[i];

		if (message->change == CHANGE_created && !room->conversation &&
		    span_equal(message->detail, span_of(room->name))) {
			set_conversation(ledger, room, message->conversation);
			return room;
		}
	}
	return NULL;
}

static uint64_t users_of(struct ledger *ledger, const struct room *room,
                         const struct message *message)
{
	uint64_t users = 0, id;

	for (unsigned i = 0; message_change_user(message, i, &id); i++) {
		int position = room_members_index_of_id(ledger, room, id);

		if (position >= 0)
			users |= UINT64_C(1) << position;
		else
			faults_add(ledger, FAULT_phantom,
			           "user %llu in room %s by seq %llu",
			           (unsigned long long)id, room->name,
			           (unsigned long long)message->seq);
	}
	return users;
}

/* When the change was begun that makes this entry; 0: not known. */
static uint64_t begun_us(const struct ledger *ledger, const struct room *room,
                         const struct message *message)
{
	uint64_t id;
	int position;

	if (message->change == CHANGE_created ||
	    !message_change_user(message, 0, &id))
		return 0;
	position = room_members_index_of_id(ledger, room, id);
	return position < 0 ? 0 : room->members[position].changing_us;
}

static struct change *add_change(struct ledger *ledger, struct room *room,
                                 const struct message *message)
{
	struct change *change;

	room->changes = mem_resize(room->changes, (room->change_count +
	                                           1) * sizeof(*room->changes));
	change = &room->changes[room->change_count++];
	*change = (struct change){
		.what = message->change,
		.all = span_equal(message->detail, SPAN("all")),
		.uuid = message->uuid,
		.user_from = message->user_from,
		.users = users_of(ledger, room, message),
		.seq = (uint32_t)message->seq,
		.begun_us = begun_us(ledger, room, message),
		.sets = delivery_sets_new(ledger, room->count),
	};
	ledger->totals.changes++;
	return change;
}

/* All users must get the same change at a seq. */
static struct change *same_change(struct ledger *ledger, struct room *room,
                                  uint32_t slot, const struct message *message)
{
	struct change *change;

	if (!(slot & CHANGE_BIT)) {
		faults_add(ledger, FAULT_duplicates,
		           "seq %llu of room %s is message %u and a change",
		           (unsigned long long)message->seq, room->name,
		           slot - 1);
		return NULL;
	}
	change = &room->changes[slot & ~CHANGE_BIT];
	if (change->what == message->change &&
	    !memcmp(&change->uuid, &message->uuid, sizeof(change->uuid)) &&
	    change->user_from == message->user_from &&
	    change->users == users_of(ledger, room, message))
		return change;
	faults_add(ledger, FAULT_split, "seq %llu of room %s is two changes",
	           (unsigned long long)message->seq, room->name);
	return NULL;
}

struct change *rooms_change(struct ledger *ledger,
                            struct ledger_device_id device,
                            const struct message *message,
                            unsigned *ret_position)
{
	struct room *room = room_of(ledger, message);
	int position = room ? room_members_index(room, device.user) : -1;
	uint32_t *slot;

	if (position < 0) {
		faults_add(ledger, room ? FAULT_misrouted : FAULT_phantom,
		           "a change of conversation %llu at user %u",
		           (unsigned long long)message->conversation,
		           device.user);
		return NULL;
	}
	*ret_position = (unsigned)position;
	if (message->seq == 0 ||
	    message->seq > ledger->count + ledger->change_calls) {
		faults_add(ledger, FAULT_gaps,
		           "a change of room %s has seq %llu", room->name,
		           (unsigned long long)message->seq);
		return NULL;
	}
	slot = conversation_log_slot(conversation_log_get_room(ledger, room),
	                             (uint32_t)message->seq);
	if (*slot)
		return same_change(ledger, room, *slot, message);
	*slot = CHANGE_BIT | room->change_count;
	return add_change(ledger, room, message);
}
