/*
 * Groups and channels: who may be in them, and what is told of it.
 */
#include "common/base/mem.h"
#include "tests/ledger/ledger_private.h"

#include <assert.h>

unsigned ledger_book_room(struct ledger_book *book,
                          const struct ledger_room_plan *plan)
{
	struct room *room = mem_new(sizeof(*room));

	assert(plan->count > 0 && plan->count <= LEDGER_SEATS_MAX);
	assert(plan->members > 0 && plan->members <= plan->count);
	assert(book->room_count < UINT16_MAX);
	room->name = mem_text(plan->name, strlen(plan->name));
	room->all = plan->all;
	room->count = plan->count;
	room->members = plan->members;
	room->seats = mem_new(plan->count * sizeof(*room->seats));
	for (unsigned i = 0; i < plan->count; i++)
		room->seats[i].user = plan->users[i];
	book->rooms = mem_resize(book->rooms,
	                         (book->room_count + 1) * sizeof(*book->rooms));
	book->rooms[book->room_count] = room;
	book->moves++;
	return book->room_count++;
}

void ledger_rooms_free(struct ledger_book *book)
{
	while (book->room_count) {
		struct room *room = book->rooms[--book->room_count];

		for (unsigned i = 0; i < room->count; i++)
			mem_free(&room->seats[i].stays);
		mem_free(&room->seats);
		mem_free(&room->changes);
		mem_free(&room->name);
		mem_free(&room);
	}
	mem_free(&book->rooms);
}

int ledger_seat(const struct room *room, unsigned user)
{
	for (unsigned i = 0; i < room->count; i++) {
		if (room->seats[i].user == user)
			return (int)i;
	}
	return -1;
}

/* --- what we do ------------------------------------------------------------
 */
static void place_room(struct ledger_book *book, struct room *room,
                       uint64_t conversation)
{
	if (room->conversation == conversation)
		return;
	if (room->conversation) {
		ledger_fault(book, LEDGER_split,
		             "room %s is conversation %llu and %llu",
		             room->name, (unsigned long long)room->conversation,
		             (unsigned long long)conversation);
		return;
	}
	room->conversation = conversation;
	(void)ledger_talk_room(book, room);
}

void ledger_book_room_made(struct ledger_book *book, unsigned number,
                           uint64_t conversation, uint64_t now_us)
{
	struct room *room = book->rooms[number];

	place_room(book, room, conversation);
	for (unsigned i = 0; i < room->members; i++)
		room->seats[i].in_since_us = now_us;
}

unsigned ledger_book_rooms(const struct ledger_book *book)
{
	return book->room_count;
}

uint64_t ledger_book_room_id(const struct ledger_book *book, unsigned room)
{
	return book->rooms[room]->conversation;
}

static struct seat *seat_of(const struct ledger_book *book, unsigned room,
                            unsigned user)
{
	int seat = ledger_seat(book->rooms[room], user);

	return seat < 0 ? NULL : &book->rooms[room]->seats[seat];
}

void ledger_book_moving(struct ledger_book *book, unsigned room, unsigned user)
{
	struct seat *seat = seat_of(book, room, user);

	book->moves++;
	seat->in_since_us = 0;
	seat->moved = true;
}

void ledger_book_came(struct ledger_book *book, unsigned room, unsigned user,
                      uint64_t now_us)
{
	seat_of(book, room, user)->in_since_us = now_us;
}

bool ledger_book_in(const struct ledger_book *book, unsigned room,
                    unsigned user)
{
	const struct seat *seat = seat_of(book, room, user);

	return seat && seat->in_since_us;
}

bool ledger_book_owns(struct ledger_book *book, unsigned user,
                      uint64_t conversation)
{
	const struct talk *talk = ledger_talk(book, conversation);

	return talk && talk->room && talk->room->seats[0].user == user;
}

/* --- what is told ----------------------------------------------------------
 */
/* A room may be heard of before its making is answered: by its name then. */
static struct room *room_of(struct ledger_book *book,
                            const struct message *message)
{
	struct talk *talk = ledger_talk(book, message->conversation);

	if (talk)
		return talk->room;
	for (unsigned i = 0; i < book->room_count; i++) {
		struct room *room = book->rooms[i];

		if (message->change == CHANGE_created && !room->conversation &&
		    span_equal(message->detail, span_of(room->name))) {
			place_room(book, room, message->conversation);
			return room;
		}
	}
	return NULL;
}

static int seat_of_id(const struct ledger_book *book, const struct room *room,
                      uint64_t id)
{
	for (unsigned i = 0; i < room->count; i++) {
		if (book->ids[room->seats[i].user] == id)
			return (int)i;
	}
	return -1;
}

static uint64_t users_of(struct ledger_book *book, const struct room *room,
                         const struct message *message)
{
	uint64_t users = 0, id;

	for (unsigned i = 0; message_change_user(message, i, &id); i++) {
		int seat = seat_of_id(book, room, id);

		if (seat >= 0)
			users |= UINT64_C(1) << seat;
		else
			ledger_fault(book, LEDGER_phantom,
			             "user %llu in room %s by seq %llu",
			             (unsigned long long)id, room->name,
			             (unsigned long long)message->seq);
	}
	return users;
}

static struct change *add_change(struct ledger_book *book, struct room *room,
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
		.users = users_of(book, room, message),
		.seq = (uint32_t)message->seq,
		.marks = ledger_marks(book, room->count),
	};
	book->totals.changes++;
	return change;
}

/* All must be told the same of a seq. */
static struct change *same_change(struct ledger_book *book, struct room *room,
                                  uint32_t slot, const struct message *message)
{
	struct change *change;

	if (!(slot & CHANGE_BIT)) {
		ledger_fault(book, LEDGER_duplicates,
		             "seq %llu of room %s is message %u and a change",
		             (unsigned long long)message->seq, room->name,
		             slot - 1);
		return NULL;
	}
	change = &room->changes[slot & ~CHANGE_BIT];
	if (change->what == message->change &&
	    !memcmp(&change->uuid, &message->uuid, sizeof(change->uuid)) &&
	    change->user_from == message->user_from &&
	    change->users == users_of(book, room, message))
		return change;
	ledger_fault(book, LEDGER_split, "seq %llu of room %s is two changes",
	             (unsigned long long)message->seq, room->name);
	return NULL;
}

struct change *ledger_change(struct ledger_book *book,
                             struct ledger_place place,
                             const struct message *message, unsigned *ret_seat)
{
	struct room *room = room_of(book, message);
	int seat = room ? ledger_seat(room, place.user) : -1;
	uint32_t *slot;

	if (seat < 0) {
		ledger_fault(book, room ? LEDGER_misrouted : LEDGER_phantom,
		             "a change of conversation %llu at user %u",
		             (unsigned long long)message->conversation,
		             place.user);
		return NULL;
	}
	*ret_seat = (unsigned)seat;
	if (message->seq == 0 || message->seq > book->count + book->moves) {
		ledger_fault(book, LEDGER_gaps,
		             "a change of room %s has seq %llu", room->name,
		             (unsigned long long)message->seq);
		return NULL;
	}
	slot = ledger_slot(ledger_talk_room(book, room),
	                   (uint32_t)message->seq);
	if (*slot)
		return same_change(book, room, *slot, message);
	*slot = CHANGE_BIT | room->change_count;
	return add_change(book, room, message);
}
