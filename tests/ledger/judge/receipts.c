/*
 * Receipts: what devices sent, what others got, what is stored at the end.
 *
 * Frames may arrive late and twice, so a receipt below an earlier one is only
 * counted. A stored receipt never goes back: at the end it is at least what was
 * ever reported, and what was sent on sockets that stayed connected. It is
 * never ahead of the receipts that the user sent, the messages that the user
 * wrote, and the entry at which the user joined.
 */
#include "tests/ledger/judge/receipts.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/room_members.h"
#include "tests/ledger/judge/sessions.h"

static struct receipt_state *state_of(const struct conversation_log *log,
                                      unsigned user)
{
	int position = conversation_log_position(log, user);

	return position < 0 ? NULL : &log->receipts[position];
}

static void raise(uint64_t *number, uint64_t to)
{
	if (to > *number)
		*number = to;
}

/* --- sent ---------------------------------------------------------------- */
static void note_sent(struct sent_receipt *sent, uint64_t seq, bool last,
                      uint64_t now_us)
{
	if (seq > sent->seq)
		*sent = (struct sent_receipt){
			.seq = seq, .first_us = now_us, .sure = sent->sure};
	if (last)
		raise(&sent->sure, seq);
}

void receipts_sent(struct ledger *ledger, struct ledger_device_id device,
                   uint64_t conversation, uint64_t delivered, uint64_t read,
                   bool last, uint64_t now_us)
{
	const struct conversation_log *log =
		conversation_log_find(ledger, conversation);
	struct receipt_state *state = log ? state_of(log, device.user) : NULL;

	if (!state)
		return; /* misrouted: already recorded */
	/* A read entry is delivered. */
	note_sent(&state->delivered, delivered > read ? delivered : read, last,
	          now_us);
	note_sent(&state->read, read, last, now_us);
	ledger->totals.receipts++;
}

static bool memberships_changed(const struct ledger *ledger, unsigned user)
{
	for (unsigned i = 0; i < ledger->room_count; i++) {
		int position = room_members_index(ledger->rooms[i], user);

		if (position >= 0 && ledger->rooms[i]->members[position].moved)
			return true;
	}
	return false;
}

void receipts_refused(struct ledger *ledger, struct ledger_device_id device,
                      struct span code)
{
	if (span_equal(code, SPAN("unknown_conversation")) &&
	    memberships_changed(ledger, device.user))
		return;
	faults_add(ledger, FAULT_receipts, "refused to user %u: %.*s",
	           device.user, (int)code.len, code.len ? code.data : "");
}

/* --- received ------------------------------------------------------------ */
struct received_receipt *
receipts_received_of(struct ledger *ledger, const struct conversation_log *log,
                     struct ledger_device_id device, unsigned subject)
{
	unsigned positions = log->room ? log->room->count : 2;
	unsigned listener =
		(unsigned)conversation_log_position(log, device.user);
	size_t at =
		((size_t)listener * ledger->config.devices + device.device) *
			positions +
		subject;

	return &log->received_receipts[at];
}

static void note_received(struct ledger *ledger,
                          struct received_receipt *received,
                          struct ledger_device_id device, uint64_t delivered,
                          uint64_t read)
{
	const struct device_session *session = sessions_get(ledger, device);

	if (received->session != session->number)
		*received =
			(struct received_receipt){.session = session->number};
	if (delivered < received->delivered || read < received->read)
		ledger->totals.old_receipts++;
	raise(&received->delivered, delivered);
	raise(&received->read, read);
}

/* The position of the receipt's user; -1: impossible, the fault is recorded. */
static int subject_of(struct ledger *ledger, struct ledger_device_id device,
                      const struct conversation_log *log, uint64_t conversation,
                      uint64_t user)
{
	int subject =
		log ? conversation_log_position_of_id(ledger, log, user) : -1;

	if (log && conversation_log_position(log, device.user) < 0) {
		faults_add(ledger, FAULT_misrouted,
		           "a receipt of conversation %llu at user %u",
		           (unsigned long long)conversation, device.user);
		return -1;
	}
	if (subject < 0)
		faults_add(ledger, FAULT_receipts,
		           "user %u got a receipt of user %llu in conversation "
		           "%llu",
		           device.user, (unsigned long long)user,
		           (unsigned long long)conversation);
	return subject;
}

void receipts_received(struct ledger *ledger, struct ledger_device_id device,
                       uint64_t conversation, uint64_t user, uint64_t delivered,
                       uint64_t read)
{
	const struct conversation_log *log =
		conversation_log_find(ledger, conversation);
	int subject = subject_of(ledger, device, log, conversation, user);
	struct receipt_state *state;

	if (subject < 0)
		return;
	state = &log->receipts[subject];
	ledger->totals.receipts_received++;
	if (read > delivered)
		faults_add(ledger, FAULT_receipts,
		           "user %llu has read %llu of conversation %llu, "
		           "and got %llu",
		           (unsigned long long)user, (unsigned long long)read,
		           (unsigned long long)conversation,
		           (unsigned long long)delivered);
	raise(&state->reported_delivered, delivered);
	raise(&state->reported_read, read);
	note_received(
		ledger,
		receipts_received_of(ledger, log, device, (unsigned)subject),
		device, delivered, read);
}

/* --- stored -------------------------------------------------------------- */
void receipts_stored(struct ledger *ledger, uint64_t conversation,
                     uint64_t user, uint64_t delivered, uint64_t read)
{
	const struct conversation_log *log =
		conversation_log_find(ledger, conversation);
	int position =
		log ? conversation_log_position_of_id(ledger, log, user) : -1;
	struct receipt_state *state;

	if (position < 0) {
		faults_add(ledger, FAULT_receipts,
		           "user %llu is listed in conversation %llu",
		           (unsigned long long)user,
		           (unsigned long long)conversation);
		return;
	}
	state = &log->receipts[position];
	if (state->stored && (state->stored_delivered != delivered ||
	                      state->stored_read != read))
		faults_add(ledger, FAULT_receipts,
		           "user %llu has read %llu and %llu, got %llu and "
		           "%llu of conversation %llu",
		           (unsigned long long)user,
		           (unsigned long long)state->stored_read,
		           (unsigned long long)read,
		           (unsigned long long)state->stored_delivered,
		           (unsigned long long)delivered,
		           (unsigned long long)conversation);
	state->stored = true;
	state->stored_delivered = delivered;
	state->stored_read = read;
}

void receipts_unread(struct ledger *ledger, unsigned user,
                     uint64_t conversation, uint64_t read, uint64_t last_seq,
                     uint64_t unread)
{
	if (read > last_seq || unread != last_seq - read)
		faults_add(ledger, FAULT_receipts,
		           "user %u has %llu unread in conversation %llu, "
		           "and read %llu of %llu",
		           user, (unsigned long long)unread,
		           (unsigned long long)conversation,
		           (unsigned long long)read,
		           (unsigned long long)last_seq);
}
