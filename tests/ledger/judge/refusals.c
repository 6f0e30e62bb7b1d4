#include "tests/ledger/judge/refusals.h"
#include "tests/ledger/judge/blocks.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/room_members.h"

/* A copy that was sent before the refusal arrived may be saved after it. */
static void check(struct ledger *ledger, uint32_t number, bool saved)
{
	struct entry *entry = &ledger->entries[number];

	if (!saved || !entry->refused || entry->repeated || entry->turned)
		return;
	entry->turned = true;
	faults_add(ledger, FAULT_turned, "message %u (%u to %s%u)", number,
	           entry->from, entry->to_room ? "g" : "", entry->to);
}

void refusals_told(struct ledger *ledger, struct ledger_device_id device,
                   uint32_t number, struct span code)
{
	struct entry *entry = &ledger->entries[number];

	if (!observations_to_sender(ledger, device, number, "error") ||
	    entry->refused)
		return;
	entry->refused = true;
	check(ledger, number, entry->conversation != 0);
	if (room_members_maybe_outside(ledger, entry) &&
	    span_equal(code, SPAN("unknown_conversation"))) {
		entry->turned_away = true;
		ledger->totals.turned_away++;
		return;
	}
	if (!entry->to_room && blocks_explain(ledger, entry->from, entry->to,
	                                      entry->sent_us, code))
		return;
	faults_add(ledger, FAULT_refused, "message %u (%u to %s%u): %.*s",
	           number, entry->from, entry->to_room ? "g" : "", entry->to,
	           (int)code.len, code.len ? code.data : "");
}

void refusals_check(struct ledger *ledger, uint32_t number)
{
	struct entry *entry = &ledger->entries[number];

	check(ledger, number, true);
	blocks_check(ledger, entry->from, entry->to, entry->block, "message",
	             number);
}
