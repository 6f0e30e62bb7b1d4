#include "tests/ledger/judge/memberships.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/delivery_sets.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"

const struct membership *memberships_at(const struct room_member *member,
                                        uint32_t seq)
{
	for (unsigned i = 0; i < member->membership_count; i++) {
		if (member->memberships[i].from <= seq &&
		    seq <= member->memberships[i].to)
			return &member->memberships[i];
	}
	return NULL;
}

bool memberships_visible(const struct room_member *member, uint32_t seq)
{
	for (unsigned i = 0; i < member->membership_count; i++) {
		if (member->memberships[i].visible <= seq &&
		    seq <= member->memberships[i].to)
			return true;
	}
	return false;
}

const struct membership *memberships_now(const struct room_member *member)
{
	const struct membership *last;

	if (!member->membership_count)
		return NULL;
	last = &member->memberships[member->membership_count - 1];
	return last->to == UINT32_MAX ? last : NULL;
}

/* --- replaying the changes ----------------------------------------------- */
static void join(struct room_member *member, uint32_t seq, bool all)
{
	member->memberships = mem_resize(member->memberships,
	                                 (member->membership_count + 1) *
	                                         sizeof(*member->memberships));
	member->memberships[member->membership_count++] = (struct membership){
		.from = seq,
		.to = UINT32_MAX,
		.visible = all ? 1 : seq,
	};
}

static void leave(struct room_member *member, uint32_t seq)
{
	member->memberships[member->membership_count - 1].to = seq;
}

static void apply(struct ledger *ledger, struct room *room,
                  const struct change *change, bool in)
{
	for (unsigned i = 0; i < room->count; i++) {
		struct room_member *member = &room->members[i];

		if (!(change->users >> i & 1))
			continue;
		if (in == (memberships_now(member) != NULL))
			faults_add(ledger, FAULT_split,
			           "user %u %s room %s by seq %u, and %s",
			           member->user, in ? "joins" : "leaves",
			           room->name, change->seq,
			           in ? "was a member" : "was no member");
		else if (in)
			join(member, change->seq, room->all);
		else
			leave(member, change->seq);
	}
}

static void replay_one(struct ledger *ledger, struct room *room,
                       const struct change *change)
{
	switch (change->what) {
	case CHANGE_created:
	case CHANGE_invited:
	case CHANGE_joined:
		apply(ledger, room, change, true);
		break;
	case CHANGE_left:
	case CHANGE_removed:
		apply(ledger, room, change, false);
		break;
	case CHANGE_history:
		room->all = change->all;
		break;
	default:
		break;
	}
}

static void replay(struct ledger *ledger, struct room *room)
{
	const struct conversation_log *log =
		conversation_log_get_room(ledger, room);

	for (uint32_t seq = 1; seq <= log->top; seq++) {
		if (log->by_seq[seq] & CHANGE_BIT)
			replay_one(
				ledger, room,
				&room->changes[log->by_seq[seq] & ~CHANGE_BIT]);
	}
}

/* --- verdict ------------------------------------------------------------- */
static void judge_history_start(struct ledger *ledger, const struct room *room,
                                const struct room_member *member)
{
	const struct membership *now = memberships_now(member);

	if (now && member->first_seq != now->visible)
		faults_add(ledger, FAULT_gaps,
		           "the history of room %s begins with seq %llu for "
		           "user %u, not with %u",
		           room->name, (unsigned long long)member->first_seq,
		           member->user, now->visible);
	if (!now && member->first_seq)
		faults_add(
			ledger, FAULT_misrouted,
			"user %u is no member of room %s, and reads seq %llu",
			member->user, room->name,
			(unsigned long long)member->first_seq);
}

static void judge_change_at(struct ledger *ledger, const struct room *room,
                            const struct change *change, unsigned position)
{
	const struct room_member *member = &room->members[position];
	const struct membership *membership =
		memberships_at(member, change->seq);
	bool must = membership && membership->to == UINT32_MAX;

	for (unsigned i = 0; i < ledger->config.devices; i++) {
		unsigned bit = position * ledger->config.devices + i;
		bool got = delivery_sets_has(ledger, &change->sets,
		                             SET_RECEIVED, bit);

		if (got && !memberships_visible(member, change->seq))
			faults_add(ledger, FAULT_misrouted,
			           "the change of seq %u of room %s at user "
			           "%u, device %u",
			           change->seq, room->name, member->user, i);
		if (must && !got)
			faults_add(ledger, FAULT_undelivered,
			           "the change of seq %u of room %s, user "
			           "%u, device %u",
			           change->seq, room->name, member->user, i);
	}
	if (must && !delivery_sets_has(ledger, &change->sets, SET_STORED,
	                               position * ledger->config.devices))
		faults_add(ledger, FAULT_split,
		           "the change of seq %u of room %s is not in the "
		           "history of user %u",
		           change->seq, room->name, member->user);
}

void memberships_judge(struct ledger *ledger)
{
	for (unsigned i = 0; i < ledger->room_count; i++) {
		struct room *room = ledger->rooms[i];

		if (!room->conversation)
			continue;
		replay(ledger, room);
		for (unsigned m = 0; m < room->count; m++)
			judge_history_start(ledger, room, &room->members[m]);
		for (unsigned c = 0; c < room->change_count; c++) {
			for (unsigned m = 0; m < room->count; m++)
				judge_change_at(ledger, room, &room->changes[c],
				                m);
		}
	}
}
