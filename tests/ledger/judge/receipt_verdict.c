/*
 * The verdict on receipts: they are stored, and every connected member got
 * them.
 */
#include "tests/ledger/judge/blocks.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/memberships.h"
#include "tests/ledger/judge/receipts.h"
#include "tests/ledger/judge/room_members.h"
#include "tests/ledger/judge/sessions.h"

/* The last seqs of a user's own entries: everything before them is read. */
struct own {
	uint64_t written; /* a message */
	uint64_t any;     /* or a change that the user made or is affected by */
};

static void note_change(const struct ledger *ledger,
                        const struct conversation_log *log,
                        const struct change *change, struct own *own)
{
	for (unsigned i = 0; i < log->room->count; i++) {
		uint64_t id = ledger->ids[log->room->members[i].user];

		if (change->user_from == id || change->users >> i & 1)
			own[i].any = change->seq;
	}
}

static void find_own(const struct ledger *ledger,
                     const struct conversation_log *log, struct own *own)
{
	for (uint32_t seq = 1; seq <= log->top; seq++) {
		uint32_t slot = log->by_seq[seq];
		int position;

		if (!slot)
			continue;
		if (slot & CHANGE_BIT && log->room) {
			note_change(ledger, log,
			            &log->room->changes[slot & ~CHANGE_BIT],
			            own);
			continue;
		}
		position = conversation_log_position(
			log, ledger->entries[slot - 1].from);
		if (position >= 0)
			own[position] = (struct own){seq, seq};
	}
}

static void judge_number(struct ledger *ledger,
                         const struct conversation_log *log, unsigned user,
                         const char *what, uint64_t kept, uint64_t least,
                         uint64_t most)
{
	if (kept < least || kept > most)
		faults_add(ledger, FAULT_receipts,
		           "user %u has %s %llu of conversation %llu, not "
		           "%llu to %llu",
		           user, what, (unsigned long long)kept,
		           (unsigned long long)log->id,
		           (unsigned long long)least, (unsigned long long)most);
}

static uint64_t max3(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t most = a > b ? a : b;

	return most > c ? most : c;
}

static bool is_member(const struct conversation_log *log, unsigned position)
{
	return !log->room || memberships_now(&log->room->members[position]);
}

static void judge_stored(struct ledger *ledger,
                         const struct conversation_log *log, unsigned position,
                         const struct own *own)
{
	const struct receipt_state *state = &log->receipts[position];
	unsigned user = conversation_log_user(log, position);
	uint64_t read = max3(state->read.seq, own->any, 0);
	uint64_t delivered = max3(state->delivered.seq, own->any, 0);

	judge_number(ledger, log, user, "been reported to have read",
	             state->reported_read, 0, read);
	judge_number(ledger, log, user, "been reported to have got",
	             state->reported_delivered, 0, delivered);
	if (!is_member(log, position) || !state->stored)
		return;
	judge_number(ledger, log, user, "read", state->stored_read,
	             max3(state->read.sure, state->reported_read, own->written),
	             read);
	judge_number(ledger, log, user, "got", state->stored_delivered,
	             max3(state->delivered.sure, state->reported_delivered,
	                  state->stored_read),
	             delivered);
}

/*
 * A device that was connected when the subject first sent the receipt, and
 * still is, must have got it, unless an entry of the subject covers it.
 */
static bool missed(struct ledger *ledger, const struct conversation_log *log,
                   struct ledger_device_id device, unsigned subject,
                   const struct own *own)
{
	const struct sent_receipt *sent = &log->receipts[subject].read;
	const struct device_session *session = sessions_get(ledger, device);
	const struct received_receipt *received;
	int listener = conversation_log_position(log, device.user);
	const struct room_member *member =
		log->room ? &log->room->members[listener] : NULL;

	if (!log->room && blocks_find(ledger, log->one, log->two))
		return false;
	if (sent->sure != sent->seq || sent->seq <= own->any ||
	    !session->number || session->welcome_us > sent->first_us)
		return false;
	if (member && !room_members_sure(member, sent->first_us))
		return false;
	received = receipts_received_of(ledger, log, device, subject);
	return received->session != session->number ||
	       received->read < sent->seq;
}

static void judge_received(struct ledger *ledger,
                           const struct conversation_log *log, unsigned subject,
                           const struct own *own, unsigned positions)
{
	for (unsigned listener = 0; listener < positions; listener++) {
		struct ledger_device_id device = {
			conversation_log_user(log, listener), 0};

		if (listener == subject ||
		    device.user == conversation_log_user(log, subject) ||
		    !is_member(log, listener) || !is_member(log, subject))
			continue;
		for (; device.device < ledger->config.devices;
		     device.device++) {
			if (missed(ledger, log, device, subject, own))
				faults_add(ledger, FAULT_receipts,
				           "user %u, device %u did not get the "
				           "receipt that "
				           "user %u has read %llu of "
				           "conversation %llu",
				           device.user, device.device,
				           conversation_log_user(log, subject),
				           (unsigned long long)log
				                   ->receipts[subject]
				                   .read.seq,
				           (unsigned long long)log->id);
		}
	}
}

static bool may_be_large(const struct ledger *ledger,
                         const struct conversation_log *log)
{
	return ledger->config.list_max && log->room &&
	       log->room->count > ledger->config.list_max;
}

void receipts_judge(struct ledger *ledger, const struct conversation_log *log)
{
	struct own own[LEDGER_ROOM_MEMBERS_MAX] = {{0}};
	unsigned positions = conversation_log_positions(log);

	find_own(ledger, log, own);
	for (unsigned i = 0; i < positions; i++) {
		judge_stored(ledger, log, i, &own[i]);
		if (!may_be_large(ledger, log))
			judge_received(ledger, log, i, &own[i], positions);
	}
}
