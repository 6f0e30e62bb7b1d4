/*
 * The answers to edits, and the frames that bring them.
 */
#include "tests/ledger/judge/blocks.h"
#include "tests/ledger/judge/delivery_sets.h"
#include "tests/ledger/judge/departures.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/message_text.h"
#include "tests/ledger/judge/recipients.h"
#include "tests/ledger/judge/revisions.h"
#include "tests/ledger/judge/room_members.h"

/* --- answered ------------------------------------------------------------ */
static bool is_to_sender(struct ledger *ledger, struct ledger_device_id device,
                         uint32_t number, const char *what)
{
	if (ledger->edits[number].from == device.user)
		return true;
	faults_add(ledger, FAULT_misrouted, "`%s` of edit %u at user %u", what,
	           number, device.user);
	return false;
}

/* A copy that was sent before the refusal arrived may be saved after it. */
static void check_final(struct ledger *ledger, uint32_t number)
{
	struct edit *edit = &ledger->edits[number];

	if (edit->revision)
		blocks_check(ledger, edit->from, edits_other_user(ledger, edit),
		             edit->block, "edit", number);
	if (!edit->refused || !edit->revision || edit->repeated || edit->turned)
		return;
	edit->turned = true;
	faults_add(ledger, FAULT_turned, "edit %u of message %u by user %u",
	           number, edit->target, edit->from);
}

void edits_accepted(struct ledger *ledger, struct ledger_device_id device,
                    uint32_t number)
{
	if (is_to_sender(ledger, device, number, "accepted"))
		ledger->edits[number].accepted = true;
}

void edits_saved(struct ledger *ledger, struct ledger_device_id device,
                 uint32_t number, uint64_t conversation, uint64_t seq,
                 uint64_t revision)
{
	if (!is_to_sender(ledger, device, number, "saved"))
		return;
	ledger->edits[number].accepted = true;
	revisions_set(ledger, number, conversation, seq, revision);
	check_final(ledger, number);
}

static bool may_be_deleted(const struct ledger *ledger, const struct edit *edit)
{
	const struct edit *other = edits_first(ledger, edit->target);

	for (; other; other = edits_next(ledger, other)) {
		if (other->kind == LEDGER_DELETE && other->sent_us)
			return true;
	}
	return false;
}

/* The sender joined or left while the run lasts: the message may be unseen. */
static bool sender_moved(const struct ledger *ledger, const struct edit *edit)
{
	const struct entry *target = &ledger->entries[edit->target];
	const struct room *room =
		target->to_room ? ledger->rooms[target->to] : NULL;

	return room &&
	       room->members[room_members_index(room, edit->from)].moved;
}

void edits_refused(struct ledger *ledger, struct ledger_device_id device,
                   uint32_t number, struct span code)
{
	struct edit *edit = &ledger->edits[number];

	if (!is_to_sender(ledger, device, number, "error") || edit->refused)
		return;
	edit->refused = true;
	check_final(ledger, number);
	if (span_equal(code, SPAN("unknown_message")) &&
	    (may_be_deleted(ledger, edit) || sender_moved(ledger, edit)))
		return;
	if (span_equal(code, SPAN("unknown_conversation")) &&
	    sender_moved(ledger, edit))
		return;
	if (!ledger->entries[edit->target].to_room &&
	    edit->kind != LEDGER_DELETE &&
	    blocks_explain(ledger, edit->from, edits_other_user(ledger, edit),
	                   edit->sent_us, code))
		return;
	faults_add(ledger, FAULT_refused,
	           "edit %u of message %u by user %u: %.*s", number,
	           edit->target, edit->from, (int)code.len,
	           code.len ? code.data : "");
}

void edits_to_repeat(struct ledger *ledger, uint32_t number)
{
	ledger->edits[number].repeated = true;
}

/* --- received ------------------------------------------------------------ */
static bool is_as_sent(const struct ledger *ledger, uint32_t number,
                       const struct message_edit *frame)
{
	const struct edit *edit = &ledger->edits[number];
	struct buf text CLEANUP(buf_free) = BUF(ledger->config.text_bytes + 64);

	if (frame->user_from != ledger->ids[edit->from])
		return false;
	switch (edit->kind) {
	case LEDGER_EDIT:
		message_text_write_edit(ledger, number, &text);
		return frame->kind == EDIT_TEXT &&
		       span_equal(frame->text, buf_span(&text));
	case LEDGER_DELETE:
		return frame->kind == EDIT_DELETE;
	default:
		return frame->kind == EDIT_REACTION &&
		       frame->remove == edit->remove &&
		       span_equal(frame->text,
		                  message_text_reaction(edit->reaction));
	}
}

void edits_received(struct ledger *ledger, struct ledger_device_id device,
                    const struct message_edit *frame, const struct uuid *uuid)
{
	const struct edit *edit;
	uint32_t number;
	int bit;

	if (!edits_number(ledger, uuid, &number)) {
		faults_add(ledger, FAULT_phantom,
		           "an edit in conversation %llu at user %u",
		           (unsigned long long)frame->conversation,
		           device.user);
		return;
	}
	edit = &ledger->edits[number];
	bit = recipients_device_bit(ledger, &ledger->entries[edit->target],
	                            device);
	if (bit < 0) {
		faults_add(ledger, FAULT_misrouted,
		           "edit %u of message %u at user %u", number,
		           edit->target, device.user);
		return;
	}
	if (!is_as_sent(ledger, number, frame))
		faults_add(ledger, FAULT_corrupt,
		           "edit %u of message %u at user %u", number,
		           edit->target, device.user);
	departures_check_sent(ledger, device, frame->conversation,
	                      edit->position, "an edit");
	revisions_set(ledger, number, frame->conversation, frame->seq,
	              frame->revision);
	check_final(ledger, number);
	if (delivery_sets_has(ledger, &edit->sets, SET_LIVE, (unsigned)bit))
		ledger->totals.wire_duplicates++;
	else
		ledger->totals.edits_received++;
	delivery_sets_add(ledger, &edit->sets, SET_LIVE, (unsigned)bit);
}
