#include "tests/ledger/judge/histories.h"
#include "tests/ledger/judge/contents.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/delivery_sets.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/recipients.h"
#include "tests/ledger/judge/room_members.h"
#include "tests/ledger/judge/rooms.h"

static void check_seq(struct ledger *ledger, unsigned user,
                      const struct message *message, uint64_t before_seq)
{
	enum fault fault =
		message->seq <= before_seq ? FAULT_misordered : FAULT_gaps;

	if (message->seq != before_seq + 1)
		faults_add(ledger, fault,
		           "user %u reads seq %llu of conversation %llu "
		           "after %llu",
		           user, (unsigned long long)message->seq,
		           (unsigned long long)message->conversation,
		           (unsigned long long)before_seq);
}

static void store(struct ledger *ledger, unsigned user,
                  const struct delivery_sets *sets, unsigned position,
                  const struct message *message)
{
	unsigned bit = position * ledger->config.devices;

	if (delivery_sets_has(ledger, sets, SET_STORED, bit))
		faults_add(ledger, FAULT_duplicates,
		           "seq %llu of conversation %llu twice in the "
		           "history of user %u",
		           (unsigned long long)message->seq,
		           (unsigned long long)message->conversation, user);
	delivery_sets_add(ledger, sets, SET_STORED, bit);
}

/*
 * The seq expected before this entry. Where the history of a room begins is
 * judged later (memberships), so its first entry is accepted here.
 */
static uint64_t seq_before(struct ledger *ledger, unsigned user,
                           const struct message *message, uint64_t before_seq)
{
	const struct conversation_log *log =
		conversation_log_find(ledger, message->conversation);
	int position;

	if (before_seq || !log || !log->room)
		return before_seq;
	position = room_members_index(log->room, user);
	if (position >= 0)
		log->room->members[position].first_seq = message->seq;
	return message->seq - 1;
}

static void history_change(struct ledger *ledger, unsigned user,
                           const struct message *message, uint64_t before_seq)
{
	struct ledger_device_id device = {user, 0};
	unsigned position;
	struct change *change =
		rooms_change(ledger, device, message, &position);

	if (!change)
		return;
	check_seq(ledger, user, message,
	          seq_before(ledger, user, message, before_seq));
	store(ledger, user, &change->sets, position, message);
}

void histories_entry(struct ledger *ledger, unsigned user,
                     const struct message *message, uint64_t before_seq)
{
	struct ledger_device_id device = {user, 0};
	const struct entry *entry;
	uint32_t number;

	if (message->change != CHANGE_none) {
		history_change(ledger, user, message, before_seq);
		return;
	}
	if (!observations_check(ledger, device, message, &number))
		return; /* the fault is recorded */
	entry = &ledger->entries[number];
	check_seq(ledger, user, message,
	          seq_before(ledger, user, message, before_seq));
	contents_judge(ledger, user, number, message);
	store(ledger, user, &entry->sets,
	      (unsigned)recipients_position(ledger, entry, user), message);
}

void histories_read_by_non_member(struct ledger *ledger, unsigned user,
                                  uint64_t conversation)
{
	faults_add(ledger, FAULT_misrouted,
	           "user %u reads conversation %llu, which is not in the list",
	           user, (unsigned long long)conversation);
}

void histories_end(struct ledger *ledger, unsigned user, uint64_t conversation,
                   uint64_t read_seq, uint64_t last_seq)
{
	const struct conversation_log *log =
		conversation_log_find(ledger, conversation);
	uint64_t top = log ? log->top : 0;

	if (read_seq != last_seq || last_seq != top)
		faults_add(ledger, FAULT_gaps,
		           "conversation %llu of user %u: last_seq %llu, the "
		           "history ends at %llu, the highest seq seen is %llu",
		           (unsigned long long)conversation, user,
		           (unsigned long long)last_seq,
		           (unsigned long long)read_seq,
		           (unsigned long long)top);
}
