#include "tests/ledger/judge/departures.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/sessions.h"

/* NULL: not a room, or the device has no session. */
static struct live_seq *live_of(struct ledger *ledger,
                                struct ledger_device_id device,
                                uint64_t conversation)
{
	struct conversation_log *log =
		conversation_log_find(ledger, conversation);

	if (!log || !log->room || !sessions_get(ledger, device)->number)
		return NULL;
	return conversation_log_live_seq(ledger, log, device);
}

void departures_change(struct ledger *ledger, struct ledger_device_id device,
                       const struct message *message)
{
	struct live_seq *live = live_of(ledger, device, message->conversation);
	bool end = message->change == CHANGE_left ||
	           message->change == CHANGE_removed;

	if (live && message_change_affects(message, ledger->ids[device.user]) &&
	    message->seq >= live->last_membership_seq) {
		live->last_membership_seq = (uint32_t)message->seq;
		live->end_seq = end ? (uint32_t)message->seq : 0;
		live->end_position = ledger->sent_count;
	}
	departures_check(ledger, device, message->conversation, message->seq);
}

void departures_check(struct ledger *ledger, struct ledger_device_id device,
                      uint64_t conversation, uint64_t seq)
{
	const struct live_seq *live = live_of(ledger, device, conversation);

	if (live && live->end_seq && seq > live->end_seq)
		faults_add(ledger, FAULT_after_end,
		           "user %u, device %u got seq %llu of conversation "
		           "%llu after the end of the membership, seq %u",
		           device.user, device.device, (unsigned long long)seq,
		           (unsigned long long)conversation, live->end_seq);
}

void departures_check_sent(struct ledger *ledger,
                           struct ledger_device_id device,
                           uint64_t conversation, uint32_t position,
                           const char *what)
{
	const struct live_seq *live = live_of(ledger, device, conversation);

	if (live && live->end_seq && position > live->end_position)
		faults_add(ledger, FAULT_after_end,
		           "user %u, device %u got %s of conversation %llu, "
		           "sent after the device got the end of the "
		           "membership, seq %u",
		           device.user, device.device, what,
		           (unsigned long long)conversation, live->end_seq);
}
