#include "tests/ledger/judge/typing.h"
#include "tests/ledger/judge/blocks.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/memberships.h"
#include "tests/ledger/judge/room_members.h"

static struct typing_state *state_of(const struct conversation_log *log,
                                     int position)
{
	return position < 0 ? NULL : &log->typing[position];
}

void typing_sent(struct ledger *ledger, struct ledger_device_id device,
                 uint64_t conversation)
{
	struct conversation_log *log =
		conversation_log_find(ledger, conversation);
	struct typing_state *state = state_of(
		log, log ? conversation_log_position(log, device.user) : -1);

	if (!state)
		return; /* misrouted: already recorded */
	if (!state->first_position)
		state->first_position = ledger->sent_count + 1;
	ledger->totals.typing++;
}

/*
 * It does not come the way of the entries: of a user who joins again it may
 * arrive before the frame about that.
 */
static bool had_left(const struct conversation_log *log, unsigned user,
                     const struct live_seq *live,
                     const struct typing_state *state)
{
	int position = log->room ? room_members_index(log->room, user) : -1;

	return live->end_seq && state->first_position > live->end_position &&
	       position >= 0 && !log->room->members[position].joins;
}

/* Why the device must not get it; NULL: it may. */
static const char *objection(struct ledger *ledger,
                             struct ledger_device_id device,
                             struct conversation_log *log, int subject)
{
	const struct live_seq *live =
		conversation_log_live_seq(ledger, log, device);
	const struct typing_state *state = state_of(log, subject);
	unsigned user;

	if (!live)
		return "is no member";
	if (!state || !state->first_position)
		return "got it of a user who did not type";
	user = conversation_log_user(log, (unsigned)subject);
	if (user == device.user)
		return "got it of itself";
	if (had_left(log, device.user, live, state))
		return "had got the end of its membership";
	if (!log->room && (blocks_sure(ledger, user, device.user) ||
	                   blocks_sure(ledger, device.user, user)))
		return "blocks or is blocked";
	return NULL;
}

void typing_received(struct ledger *ledger, struct ledger_device_id device,
                     uint64_t conversation, uint64_t user)
{
	struct conversation_log *log =
		conversation_log_find(ledger, conversation);
	int subject =
		log ? conversation_log_position_of_id(ledger, log, user) : -1;
	const char *why = log ? objection(ledger, device, log, subject)
	                      : "got it in an unknown conversation";

	ledger->totals.typing_received++;
	if (why)
		faults_add(ledger, FAULT_typing,
		           "user %u, device %u, conversation %llu, by id %llu: "
		           "the user %s",
		           device.user, device.device,
		           (unsigned long long)conversation,
		           (unsigned long long)user, why);
}
