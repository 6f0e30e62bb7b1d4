/*
 * The verdict: compares the histories with each other, and every message with
 * the promises made for it.
 */
#include "tests/ledger/judge/verdict.h"
#include "tests/ledger/judge/contents.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/delivery_sets.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/memberships.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/order.h"
#include "tests/ledger/judge/receipts.h"
#include "tests/ledger/judge/recipients.h"
#include "tests/ledger/judge/room_members.h"
#include "tests/ledger/judge/rooms.h"
#include "tests/ledger/judge/sessions.h"

/* --- histories ----------------------------------------------------------- */
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

void verdict_history_entry(struct ledger *ledger, unsigned user,
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

void verdict_read_by_non_member(struct ledger *ledger, unsigned user,
                                uint64_t conversation)
{
	faults_add(ledger, FAULT_misrouted,
	           "user %u reads conversation %llu, which is not in the list",
	           user, (unsigned long long)conversation);
}

void verdict_history_end(struct ledger *ledger, unsigned user,
                         uint64_t conversation, uint64_t read_seq,
                         uint64_t last_seq)
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

/* --- each message -------------------------------------------------------- */
/* The member at a position of the room; NULL: not a room. */
static const struct room_member *member_at(const struct ledger *ledger,
                                           const struct entry *entry,
                                           unsigned position)
{
	return entry->to_room ? &ledger->rooms[entry->to]->members[position]
	                      : NULL;
}

static bool was_member(const struct ledger *ledger, const struct entry *entry,
                       unsigned position)
{
	const struct room_member *member = member_at(ledger, entry, position);

	return !member || memberships_at(member, entry->seq);
}

/* The user was a member and still is: every device must have it. */
static bool must_have_got(const struct ledger *ledger,
                          const struct entry *entry, unsigned position)
{
	const struct room_member *member = member_at(ledger, entry, position);
	const struct membership *now = member ? memberships_now(member) : NULL;

	return !member || (now && now->from <= entry->seq);
}

/* The message must be in the user's history. */
static bool must_see(const struct ledger *ledger, const struct entry *entry,
                     unsigned position)
{
	const struct room_member *member = member_at(ledger, entry, position);
	const struct membership *now = member ? memberships_now(member) : NULL;

	return !member || (now && now->visible <= entry->seq);
}

/*
 * A device whose session began before the message was first sent, and goes on,
 * must have got it live. The sending device gets `saved` instead.
 */
static bool missed_live(const struct ledger *ledger, const struct entry *entry,
                        struct ledger_device_id device, unsigned bit)
{
	const struct device_session *session = sessions_get(ledger, device);
	bool own = device.user == entry->from;
	bool sent_it = own && device.device == entry->device;

	if (!session->number || session->welcome_us > entry->sent_us)
		return false;
	if (own && !delivery_sets_has(ledger, &entry->sets, SET_SAVED, bit))
		return true;
	return !sent_it &&
	       !delivery_sets_has(ledger, &entry->sets, SET_LIVE, bit);
}

static void add_fault(struct ledger *ledger, enum fault fault, uint32_t number,
                      struct ledger_device_id device)
{
	const struct entry *entry = &ledger->entries[number];

	faults_add(ledger, fault,
	           "message %u (%u to %s%u, conversation %llu, seq %u%s), "
	           "user %u, device %u",
	           number, entry->from, entry->to_room ? "g" : "", entry->to,
	           (unsigned long long)entry->conversation, entry->seq,
	           entry->accepted ? ", accepted" : "", device.user,
	           device.device);
}

/* The device has the message although its user must not see it. */
static bool is_misrouted(const struct ledger *ledger, const struct entry *entry,
                         unsigned position, unsigned bit)
{
	const struct room_member *member = member_at(ledger, entry, position);

	return member &&
	       delivery_sets_has(ledger, &entry->sets, SET_RECEIVED, bit) &&
	       !memberships_visible(member, entry->seq);
}

/* Counts each fault once for a message. */
static void judge_devices(struct ledger *ledger, uint32_t number)
{
	const struct entry *entry = &ledger->entries[number];
	bool recorded[FAULT_COUNT] = {false};

	for (unsigned p = 0; p < recipients_count(ledger, entry); p++) {
		for (unsigned i = 0; i < ledger->config.devices; i++) {
			struct ledger_device_id device = {
				recipients_user(ledger, entry, p), i};
			unsigned bit = p * ledger->config.devices + i;
			bool found[FAULT_COUNT] = {
				[FAULT_misrouted] =
					is_misrouted(ledger, entry, p, bit),
				[FAULT_undelivered] =
					must_have_got(ledger, entry, p) &&
					!delivery_sets_has(ledger, &entry->sets,
			                                   SET_RECEIVED, bit),
				[FAULT_unheard] =
					must_have_got(ledger, entry, p) &&
					missed_live(ledger, entry, device, bit),
			};

			for (unsigned f = 0; f < FAULT_COUNT; f++) {
				if (found[f] && !recorded[f])
					add_fault(ledger, f, number, device);
				recorded[f] = recorded[f] || found[f];
			}
		}
	}
}

/*
 * True if all histories that must have the message have it; `split` if only
 * some do.
 */
static bool is_stored(struct ledger *ledger, uint32_t number)
{
	const struct entry *entry = &ledger->entries[number];
	unsigned with = 0, without = 0, user = 0;

	for (unsigned p = 0; p < recipients_count(ledger, entry); p++) {
		bool has = delivery_sets_has(ledger, &entry->sets, SET_STORED,
		                             p * ledger->config.devices);

		if (!must_see(ledger, entry, p)) {
			if (has)
				add_fault(ledger, FAULT_misrouted, number,
				          (struct ledger_device_id){
						  recipients_user(ledger, entry,
				                                  p),
						  0});
			continue;
		}
		with += has;
		without += !has;
		if (!has)
			user = recipients_user(ledger, entry, p);
	}
	if (with && without)
		faults_add(ledger, FAULT_split,
		           "message %u is not in the history of user %u",
		           number, user);
	return with && !without;
}

static void judge_missing(struct ledger *ledger, uint32_t number)
{
	struct entry *entry = &ledger->entries[number];

	if (entry->acked_us && !entry->saved_us &&
	    room_members_maybe_outside(ledger, entry)) {
		ledger->totals.turned_away += !entry->turned_away;
		entry->turned_away = true;
	} else if (entry->acked_us) {
		faults_add(ledger, FAULT_lost, "message %u (%u to %s%u), %s",
		           number, entry->from, entry->to_room ? "g" : "",
		           entry->to, entry->saved_us ? "saved" : "accepted");
	} else if (!entry->refused) {
		ledger->totals.unknown++;
	}
}

static void judge_entry(struct ledger *ledger, uint32_t number)
{
	const struct entry *entry = &ledger->entries[number];
	int sender = recipients_position(ledger, entry, entry->from);

	if (!entry->sent_us)
		return;
	if (!is_stored(ledger, number)) {
		judge_missing(ledger, number);
		return;
	}
	ledger->totals.stored++;
	ledger->totals.unanswered_kept += !entry->acked_us;
	if (!was_member(ledger, entry, (unsigned)sender))
		faults_add(ledger, FAULT_misrouted,
		           "message %u is saved as seq %u of g%u, of which "
		           "user %u was no member",
		           number, entry->seq, entry->to, entry->from);
	judge_devices(ledger, number);
}

void verdict_judge(struct ledger *ledger)
{
	struct conversation_log *log = NULL;

	memberships_judge(ledger);
	for (uint32_t number = 0; number < ledger->count; number++)
		judge_entry(ledger, number);
	edits_judge(ledger);
	while ((log = conversation_log_next(ledger, log))) {
		order_judge(ledger, log);
		receipts_judge(ledger, log);
	}
}
