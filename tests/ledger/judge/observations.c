#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/contents.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/delivery_sets.h"
#include "tests/ledger/judge/departures.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/message_text.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/order.h"
#include "tests/ledger/judge/recipients.h"
#include "tests/ledger/judge/refusals.h"
#include "tests/ledger/judge/rooms.h"
#include "tests/ledger/judge/sessions.h"

static bool concerns(const struct ledger *ledger,
                     const struct conversation_log *log,
                     const struct entry *entry)
{
	if (log->room || entry->to_room)
		return entry->to_room && log->room == ledger->rooms[entry->to];
	return (log->one == entry->from && log->two == entry->to) ||
	       (log->one == entry->to && log->two == entry->from);
}

/* An observation says where the message is: all must say the same. */
static void set_seq(struct ledger *ledger, uint32_t number,
                    uint64_t conversation, uint64_t seq)
{
	struct entry *entry = &ledger->entries[number];
	struct conversation_log *log;
	uint32_t *slot;

	if (seq == 0 || seq > ledger->count + ledger->change_calls) {
		faults_add(ledger, FAULT_gaps, "message %u has seq %llu",
		           number, (unsigned long long)seq);
		return;
	}
	if (entry->conversation) {
		if (entry->conversation != conversation || entry->seq != seq)
			faults_add(ledger, FAULT_split,
			           "message %u is %llu/%u and %llu/%llu",
			           number,
			           (unsigned long long)entry->conversation,
			           entry->seq, (unsigned long long)conversation,
			           (unsigned long long)seq);
		return;
	}
	log = conversation_log_get_direct(ledger, conversation, entry);
	if (!concerns(ledger, log, entry))
		faults_add(ledger, FAULT_misrouted,
		           "message %u of %u to %s%u in conversation %llu",
		           number, entry->from, entry->to_room ? "g" : "",
		           entry->to, (unsigned long long)conversation);
	entry->conversation = conversation;
	entry->seq = (uint32_t)seq;
	slot = conversation_log_slot(log, entry->seq);
	if (*slot & CHANGE_BIT)
		faults_add(ledger, FAULT_duplicates,
		           "seq %u of conversation %llu is a change and "
		           "message %u",
		           entry->seq, (unsigned long long)conversation,
		           number);
	else if (*slot)
		faults_add(ledger, FAULT_duplicates,
		           "seq %u of conversation %llu is message %u and %u",
		           entry->seq, (unsigned long long)conversation,
		           *slot - 1, number);
	*slot = number + 1;
}

static void note_ack(struct ledger *ledger, struct entry *entry,
                     uint64_t now_us)
{
	if (entry->acked_us)
		return;
	entry->acked_us = now_us;
	ledger->totals.accepted++;
}

bool observations_to_sender(struct ledger *ledger,
                            struct ledger_device_id device, uint32_t number,
                            const char *what)
{
	if (ledger->entries[number].from == device.user)
		return true;
	faults_add(ledger, FAULT_misrouted, "`%s` of message %u at user %u",
	           what, number, device.user);
	return false;
}

void observations_accepted(struct ledger *ledger,
                           struct ledger_device_id device, uint32_t number,
                           uint64_t now_us)
{
	struct entry *entry = &ledger->entries[number];

	if (!observations_to_sender(ledger, device, number, "accepted"))
		return;
	entry->accepted = true;
	note_ack(ledger, entry, now_us);
}

static void receive(struct ledger *ledger, const struct delivery_sets *sets,
                    unsigned bit)
{
	if (delivery_sets_has(ledger, sets, SET_RECEIVED, bit))
		return;
	delivery_sets_add(ledger, sets, SET_RECEIVED, bit);
	ledger->totals.received++;
}

/* It arrived on the socket before. */
static bool arrived_live(const struct ledger *ledger, const struct entry *entry,
                         unsigned bit)
{
	return delivery_sets_has(ledger, &entry->sets, SET_LIVE, bit) ||
	       delivery_sets_has(ledger, &entry->sets, SET_SAVED, bit);
}

void observations_saved(struct ledger *ledger, struct ledger_device_id device,
                        uint32_t number, uint64_t conversation, uint64_t seq,
                        uint64_t now_us)
{
	struct entry *entry = &ledger->entries[number];
	unsigned bit;

	if (!observations_to_sender(ledger, device, number, "saved"))
		return;
	refusals_check(ledger, number);
	set_seq(ledger, number, conversation, seq);
	bit = (unsigned)recipients_device_bit(ledger, entry, device);
	note_ack(ledger, entry, now_us);
	if (!entry->saved_us) {
		entry->saved_us = now_us;
		ledger->totals.saved++;
	}
	if (!arrived_live(ledger, entry, bit))
		order_arrived(ledger, device, number);
	delivery_sets_add(ledger, &entry->sets, SET_SAVED, bit);
	receive(ledger, &entry->sets, bit);
}

bool observations_check(struct ledger *ledger, struct ledger_device_id device,
                        const struct message *message, uint32_t *ret_number)
{
	const struct entry *entry;
	uint32_t number;

	if (!messages_find(ledger, device, &message->uuid, &number))
		return false;
	entry = &ledger->entries[number];
	if (recipients_device_bit(ledger, entry, device) < 0 ||
	    message->user_from != ledger->ids[entry->from] ||
	    message->user_to != (entry->to_room ? 0 : ledger->ids[entry->to])) {
		faults_add(ledger, FAULT_misrouted,
		           "message %u of %u to %s%u at user %u, as %llu to "
		           "%llu",
		           number, entry->from, entry->to_room ? "g" : "",
		           entry->to, device.user,
		           (unsigned long long)message->user_from,
		           (unsigned long long)message->user_to);
		return false;
	}
	if (!contents_possible(ledger, number, message))
		faults_add(ledger, FAULT_corrupt, "message %u at user %u",
		           number, device.user);
	refusals_check(ledger, number);
	set_seq(ledger, number, message->conversation, message->seq);
	*ret_number = number;
	return true;
}

static bool had_missed(const struct ledger *ledger,
                       struct ledger_device_id device, uint32_t number)
{
	const struct device_session *session = sessions_get(ledger, device);

	return number < ledger->closed && session->number &&
	       session->welcome_us < ledger->closed_us;
}

static void record_change(struct ledger *ledger, struct ledger_device_id device,
                          const struct message *message, bool live)
{
	unsigned position, bit;
	struct change *change =
		rooms_change(ledger, device, message, &position);

	if (!change)
		return;
	bit = position * ledger->config.devices + device.device;
	if (live && delivery_sets_has(ledger, &change->sets, SET_LIVE, bit))
		ledger->totals.wire_duplicates++;
	else if (live)
		order_change_arrived(ledger, device, message->conversation,
		                     change);
	if (live)
		delivery_sets_add(ledger, &change->sets, SET_LIVE, bit);
	if (live)
		departures_change(ledger, device, message);
	receive(ledger, &change->sets, bit);
}

static void record_message(struct ledger *ledger,
                           struct ledger_device_id device,
                           const struct message *message, bool live)
{
	struct entry *entry;
	uint32_t number;
	unsigned bit;

	if (!observations_check(ledger, device, message, &number))
		return;
	entry = &ledger->entries[number];
	bit = (unsigned)recipients_device_bit(ledger, entry, device);
	if (live && delivery_sets_has(ledger, &entry->sets, SET_LIVE, bit))
		ledger->totals.wire_duplicates++;
	if (live && !arrived_live(ledger, entry, bit))
		order_arrived(ledger, device, number);
	if (live)
		departures_check(ledger, device, message->conversation,
		                 message->seq);
	if (live)
		delivery_sets_add(ledger, &entry->sets, SET_LIVE, bit);
	if (live || !had_missed(ledger, device, number))
		receive(ledger, &entry->sets, bit);
}

void observations_received(struct ledger *ledger,
                           struct ledger_device_id device,
                           const struct message *message, bool live)
{
	if (message->change == CHANGE_none)
		record_message(ledger, device, message, live);
	else
		record_change(ledger, device, message, live);
}

void observations_unreadable(struct ledger *ledger,
                             struct ledger_device_id device, struct span text)
{
	faults_add(ledger, FAULT_corrupt, "user %u cannot decode: %.*s",
	           device.user, (int)(text.len < 200 ? text.len : 200),
	           text.len ? text.data : "");
}
