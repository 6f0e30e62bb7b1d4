/*
 * The verdict: compares the histories with each other, and every message with
 * the promises made for it.
 */
#include "tests/ledger/judge/verdict.h"
#include "tests/ledger/judge/blocks.h"
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
 * Persistence may die between its commit and the event, and a block may begin
 * before the next process publishes that: then the other user does not get it
 * live. A device that connects after the block finds it over REST.
 */
static bool block_may_hide(const struct ledger *ledger,
                           const struct entry *entry,
                           struct ledger_device_id device)
{
	uint64_t welcome_us = sessions_get(ledger, device)->welcome_us;
	uint64_t since_us =
		welcome_us > entry->sent_us ? welcome_us : entry->sent_us;

	return device.user != entry->from && !entry->to_room &&
	       blocks_possible(ledger, entry->from, entry->to, since_us);
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
	return !sent_it && !block_may_hide(ledger, entry, device) &&
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
					!block_may_hide(ledger, entry,
			                                device) &&
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
	    (room_members_maybe_outside(ledger, entry) ||
	     (!entry->to_room && blocks_possible(ledger, entry->from, entry->to,
	                                         entry->sent_us)))) {
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
	order_judge_changes(ledger);
	while ((log = conversation_log_next(ledger, log))) {
		order_judge(ledger, log);
		receipts_judge(ledger, log);
	}
}
