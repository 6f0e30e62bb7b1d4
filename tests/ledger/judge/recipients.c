#include "tests/ledger/judge/recipients.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/room_members.h"

unsigned recipients_count(const struct ledger *ledger,
                          const struct entry *entry)
{
	if (entry->to_room)
		return ledger->rooms[entry->to]->count;
	return entry->from == entry->to ? 1 : 2;
}

unsigned recipients_user(const struct ledger *ledger, const struct entry *entry,
                         unsigned position)
{
	if (entry->to_room)
		return ledger->rooms[entry->to]->members[position].user;
	return position == 0 ? entry->from : entry->to;
}

int recipients_position(const struct ledger *ledger, const struct entry *entry,
                        unsigned user)
{
	if (entry->to_room)
		return room_members_index(ledger->rooms[entry->to], user);
	if (user == entry->from)
		return 0;
	return user == entry->to ? 1 : -1;
}

int recipients_device_bit(const struct ledger *ledger,
                          const struct entry *entry,
                          struct ledger_device_id device)
{
	int position = recipients_position(ledger, entry, device.user);

	if (position < 0)
		return -1;
	return position * (int)ledger->config.devices + (int)device.device;
}
