#include "tests/ledger/judge/order.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/room_members.h"
#include "tests/ledger/judge/sessions.h"

/* --- at a socket --------------------------------------------------------- */
/*
 * The user was certainly a member when the message was sent. A new member may
 * get older messages at any moment, and a user who left gets none.
 */
static bool was_member(const struct conversation_log *log, unsigned user,
                       uint64_t sent_us)
{
	int position = log->room ? room_members_index(log->room, user) : -1;

	return position < 0 ||
	       room_members_sure(&log->room->members[position], sent_us);
}

/* NULL: what was made at this time may arrive on the device in any order. */
static struct live_seq *ordered(struct ledger *ledger,
                                struct ledger_device_id device,
                                uint64_t conversation, uint64_t made_us)
{
	const struct device_session *session = sessions_get(ledger, device);
	struct conversation_log *log =
		conversation_log_find(ledger, conversation);

	if (!log || !session->number || made_us < session->welcome_us ||
	    !was_member(log, device.user, made_us))
		return NULL;
	return conversation_log_live_seq(ledger, log, device);
}

static void overtaken(struct ledger *ledger, struct ledger_device_id device,
                      uint64_t conversation, uint32_t seq, uint32_t after)
{
	if (ledger->totals.overtaken < LEDGER_EXAMPLES_MAX)
		ledger->overtaken[ledger->totals.overtaken] =
			(struct overtaken){device, conversation, seq, after};
	ledger->totals.overtaken++;
}

/*
 * What is made during a session arrives on it in the order of seq: messages
 * first sent, and changes first asked for, after its welcome. Older entries may
 * arrive again at any moment.
 */
void order_arrived(struct ledger *ledger, struct ledger_device_id device,
                   uint32_t number)
{
	const struct entry *entry = &ledger->entries[number];
	struct live_seq *live =
		ordered(ledger, device, entry->conversation, entry->sent_us);

	if (!live)
		return;
	if (entry->seq < live->change_seq)
		overtaken(ledger, device, entry->conversation, entry->seq,
		          live->change_seq);
	if (entry->seq < live->seq)
		faults_add(ledger, FAULT_misordered,
		           "user %u, device %u got seq %u of conversation "
		           "%llu after %u",
		           device.user, device.device, entry->seq,
		           (unsigned long long)entry->conversation, live->seq);
	else
		live->seq = entry->seq;
}

void order_change_arrived(struct ledger *ledger, struct ledger_device_id device,
                          uint64_t conversation, const struct change *change)
{
	struct live_seq *live = change->begun_us
	                                ? ordered(ledger, device, conversation,
	                                          change->begun_us)
	                                : NULL;
	uint32_t highest;

	if (!live)
		return;
	highest = live->seq > live->change_seq ? live->seq : live->change_seq;
	if (change->seq < highest)
		overtaken(ledger, device, conversation, change->seq, highest);
	if (change->seq > live->change_seq)
		live->change_seq = change->seq;
}

/*
 * A change may precede messages of a lower seq that are repeated after the
 * death of a process: their recipients are the members after the change. So
 * this is excused when any message or change has arrived again at any socket,
 * which shows that work was repeated. Of messages alone nothing is excused.
 */
void order_judge_changes(struct ledger *ledger)
{
	if (ledger->totals.wire_duplicates)
		return;
	for (uint64_t i = 0; i < ledger->totals.overtaken; i++) {
		const struct overtaken *one =
			&ledger->overtaken[i < LEDGER_EXAMPLES_MAX
		                                   ? i
		                                   : LEDGER_EXAMPLES_MAX - 1];

		faults_add(ledger, FAULT_misordered,
		           "user %u, device %u got seq %u of conversation "
		           "%llu after %u, and one of them is a change",
		           one->device.user, one->device.device, one->seq,
		           (unsigned long long)one->conversation, one->after);
	}
}

/* --- in the conversation ------------------------------------------------- */
/* What is known of one sender while the messages pass in the order of seq. */
struct sender {
	uint64_t latest_us; /* when the latest was sent, by any device */
	struct {
		uint64_t session;
		uint32_t position;
	} sent[LEDGER_DEVICES_MAX];
};

/*
 * A message that was sent after another one of the same sender was answered
 * must have the higher seq.
 */
static bool judge_answered(struct ledger *ledger,
                           const struct conversation_log *log,
                           const struct entry *entry, struct sender *sender)
{
	bool misordered =
		entry->acked_us && entry->acked_us < sender->latest_us;

	if (misordered)
		faults_add(ledger, FAULT_misordered,
		           "seq %u of conversation %llu was answered before "
		           "one below it was sent",
		           entry->seq, (unsigned long long)log->id);
	if (entry->sent_us > sender->latest_us)
		sender->latest_us = entry->sent_us;
	return !misordered;
}

/* Messages that one socket sent once are saved in the order of sending. */
static void judge_socket(struct ledger *ledger,
                         const struct conversation_log *log,
                         const struct entry *entry, struct sender *sender)
{
	uint64_t *session = &sender->sent[entry->device].session;
	uint32_t *position = &sender->sent[entry->device].position;

	if (entry->repeated)
		return;
	if (*session == entry->session && entry->position < *position)
		faults_add(ledger, FAULT_misordered,
		           "seq %u of conversation %llu was sent before one "
		           "below it, on the same socket",
		           entry->seq, (unsigned long long)log->id);
	*session = entry->session;
	*position = entry->position;
}

void order_judge(struct ledger *ledger, const struct conversation_log *log)
{
	struct sender senders[LEDGER_ROOM_MEMBERS_MAX] = {{0}};

	for (uint32_t seq = 1; seq <= log->top; seq++) {
		const struct entry *entry;
		int position;

		if (!log->by_seq[seq] || log->by_seq[seq] & CHANGE_BIT)
			continue; /* a gap, judged before; or a change */
		entry = &ledger->entries[log->by_seq[seq] - 1];
		position = conversation_log_position(log, entry->from);
		if (position < 0)
			continue; /* misrouted: already recorded */
		if (judge_answered(ledger, log, entry, &senders[position]))
			judge_socket(ledger, log, entry, &senders[position]);
	}
}
