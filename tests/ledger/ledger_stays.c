/*
 * Who was in a room when, by what the room itself says, and what follows from
 * it for who must and who must not have what.
 */
#include "common/base/mem.h"
#include "tests/ledger/ledger_private.h"

const struct stay *ledger_stay_at(const struct seat *seat, uint32_t seq)
{
	for (unsigned i = 0; i < seat->stay_count; i++) {
		if (seat->stays[i].from <= seq && seq <= seat->stays[i].to)
			return &seat->stays[i];
	}
	return NULL;
}

bool ledger_sees(const struct seat *seat, uint32_t seq)
{
	for (unsigned i = 0; i < seat->stay_count; i++) {
		if (seat->stays[i].visible <= seq && seq <= seat->stays[i].to)
			return true;
	}
	return false;
}

const struct stay *ledger_stay_now(const struct seat *seat)
{
	const struct stay *last;

	if (!seat->stay_count)
		return NULL;
	last = &seat->stays[seat->stay_count - 1];
	return last->to == UINT32_MAX ? last : NULL;
}

/* --- the changes one after the other ---------------------------------------
 */
static void come(struct seat *seat, uint32_t seq, bool all)
{
	seat->stays = mem_resize(seat->stays,
	                         (seat->stay_count + 1) * sizeof(*seat->stays));
	seat->stays[seat->stay_count++] = (struct stay){
		.from = seq,
		.to = UINT32_MAX,
		.visible = all ? 1 : seq,
	};
}

static void go(struct seat *seat, uint32_t seq)
{
	seat->stays[seat->stay_count - 1].to = seq;
}

static void move(struct ledger_book *book, struct room *room,
                 const struct change *change, bool in)
{
	for (unsigned i = 0; i < room->count; i++) {
		struct seat *seat = &room->seats[i];

		if (!(change->users >> i & 1))
			continue;
		if (in == (ledger_stay_now(seat) != NULL))
			ledger_fault(book, LEDGER_split,
			             "user %u %s room %s by seq %u, and %s",
			             seat->user, in ? "comes into" : "leaves",
			             room->name, change->seq,
			             in ? "was in it" : "was not in it");
		else if (in)
			come(seat, change->seq, room->all);
		else
			go(seat, change->seq);
	}
}

static void replay_one(struct ledger_book *book, struct room *room,
                       const struct change *change)
{
	switch (change->what) {
	case CHANGE_created:
	case CHANGE_invited:
	case CHANGE_joined:
		move(book, room, change, true);
		break;
	case CHANGE_left:
	case CHANGE_removed:
		move(book, room, change, false);
		break;
	case CHANGE_history:
		room->all = change->all;
		break;
	default:
		break;
	}
}

void ledger_room_replay(struct ledger_book *book, struct room *room)
{
	const struct talk *talk = ledger_talk_room(book, room);

	for (uint32_t seq = 1; seq <= talk->top; seq++) {
		if (talk->by_seq[seq] & CHANGE_BIT)
			replay_one(book, room,
			           &room->changes[talk->by_seq[seq] &
			                          ~CHANGE_BIT]);
	}
}

/* --- what follows ----------------------------------------------------------
 */
static void judge_seat(struct ledger_book *book, const struct room *room,
                       const struct seat *seat)
{
	const struct stay *now = ledger_stay_now(seat);

	if (now && seat->first_seq != now->visible)
		ledger_fault(book, LEDGER_gaps,
		             "the history of room %s begins with seq %llu for "
		             "user %u, not with %u",
		             room->name, (unsigned long long)seat->first_seq,
		             seat->user, now->visible);
	if (!now && seat->first_seq)
		ledger_fault(book, LEDGER_misrouted,
		             "user %u is not in room %s, and reads seq %llu",
		             seat->user, room->name,
		             (unsigned long long)seat->first_seq);
}

static void judge_change_at(struct ledger_book *book, const struct room *room,
                            const struct change *change, unsigned position)
{
	const struct seat *seat = &room->seats[position];
	const struct stay *stay = ledger_stay_at(seat, change->seq);
	bool must = stay && stay->to == UINT32_MAX;

	for (unsigned i = 0; i < book->plan.devices; i++) {
		unsigned bit = position * book->plan.devices + i;
		bool got = ledger_has(book, &change->marks, SET_GOT, bit);

		if (got && !ledger_sees(seat, change->seq))
			ledger_fault(book, LEDGER_misrouted,
			             "the change of seq %u of room %s at user "
			             "%u, device %u",
			             change->seq, room->name, seat->user, i);
		if (must && !got)
			ledger_fault(book, LEDGER_undelivered,
			             "the change of seq %u of room %s, user "
			             "%u, device %u",
			             change->seq, room->name, seat->user, i);
	}
	if (must && !ledger_has(book, &change->marks, SET_STORED,
	                        position * book->plan.devices))
		ledger_fault(book, LEDGER_split,
		             "the change of seq %u of room %s is not in the "
		             "history of user %u",
		             change->seq, room->name, seat->user);
}

static void judge_room(struct ledger_book *book, struct room *room)
{
	for (unsigned i = 0; i < room->count; i++)
		judge_seat(book, room, &room->seats[i]);
	for (unsigned c = 0; c < room->change_count; c++) {
		for (unsigned i = 0; i < room->count; i++)
			judge_change_at(book, room, &room->changes[c], i);
	}
}

void ledger_rooms_judge(struct ledger_book *book)
{
	for (unsigned i = 0; i < book->room_count; i++) {
		struct room *room = book->rooms[i];

		if (!room->conversation)
			continue;
		ledger_room_replay(book, room);
		judge_room(book, room);
	}
}
