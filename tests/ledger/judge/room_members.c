#include "tests/ledger/judge/room_members.h"
#include "tests/ledger/judge/ledger_state.h"

int room_members_index(const struct room *room, unsigned user)
{
	for (unsigned i = 0; i < room->count; i++) {
		if (room->members[i].user == user)
			return (int)i;
	}
	return -1;
}

int room_members_index_of_id(const struct ledger *ledger,
                             const struct room *room, uint64_t id)
{
	for (unsigned i = 0; i < room->count; i++) {
		if (ledger->ids[room->members[i].user] == id)
			return (int)i;
	}
	return -1;
}

bool room_members_sure(const struct room_member *member, uint64_t at_us)
{
	return !member->doubtful && member->sure_since_us &&
	       member->sure_since_us <= at_us;
}

bool room_members_maybe_outside(const struct ledger *ledger,
                                const struct entry *entry)
{
	const struct room *room;

	if (!entry->to_room)
		return false;
	room = ledger->rooms[entry->to];
	return !room_members_sure(
		&room->members[room_members_index(room, entry->from)],
		entry->sent_us);
}
