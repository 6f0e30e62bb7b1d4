/*
 * The verdict on edits: each is in the conversation's revisions once, and every
 * socket that stayed connected got it, or a later one that replaces it.
 */
#include "tests/ledger/judge/blocks.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/delivery_sets.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/recipients.h"
#include "tests/ledger/judge/revisions.h"
#include "tests/ledger/judge/room_members.h"
#include "tests/ledger/judge/sessions.h"

static bool is_unseen(const struct edit *edit)
{
	return edit->accepted && !edit->refused && !edit->revision;
}

static bool has_delete(const struct ledger *ledger, uint32_t target)
{
	const struct edit *edit = edits_first(ledger, target);

	while (edit && edit->kind != LEDGER_DELETE)
		edit = edits_next(ledger, edit);
	return edit;
}

bool edits_latest_target(struct ledger *ledger, uint64_t conversation,
                         uint32_t *ret_target)
{
	const struct conversation_log *log =
		conversation_log_find(ledger, conversation);

	for (uint32_t seq = log ? log->top : 0; seq; seq--) {
		*ret_target = log->by_seq[seq] - 1;
		if (log->by_seq[seq] && !(log->by_seq[seq] & CHANGE_BIT) &&
		    !has_delete(ledger, *ret_target))
			return true;
	}
	return false;
}

/* --- sockets ------------------------------------------------------------- */
/* A client that gets the later edit of the message needs the earlier no more.
 */
static bool replaces(const struct edit *later, const struct edit *edit)
{
	if (later->revision <= edit->revision)
		return false;
	if (edit->kind == LEDGER_REACT && later->kind == LEDGER_REACT)
		return later->from == edit->from &&
		       later->reaction == edit->reaction;
	return later->kind == LEDGER_DELETE ||
	       (later->kind == LEDGER_EDIT && edit->kind == LEDGER_EDIT);
}

static bool was_replaced(const struct ledger *ledger, const struct edit *edit)
{
	const struct edit *other = edits_first(ledger, edit->target);

	for (; other; other = edits_next(ledger, other)) {
		if (replaces(other, edit))
			return true;
	}
	return false;
}

/* The device was connected before the edit was first sent, and still is. */
static bool must_get(const struct ledger *ledger, const struct edit *edit,
                     unsigned position, struct ledger_device_id device)
{
	const struct entry *target = &ledger->entries[edit->target];
	const struct device_session *session = sessions_get(ledger, device);
	const struct room_member *member;

	if (!session->number || session->welcome_us > edit->sent_us)
		return false;
	if (device.user == edit->from && device.device == edit->device)
		return false; /* it gets `saved` */
	/* As for messages: a block may begin before the edit is published. */
	if (device.user != edit->from && !target->to_room &&
	    blocks_possible(ledger, target->from, target->to, edit->sent_us))
		return false;
	if (!target->to_room)
		return true;
	member = &ledger->rooms[target->to]->members[position];
	return !member->moved && room_members_sure(member, edit->sent_us);
}

/* A device that misses the edit; false: none does. */
static bool find_missing(struct ledger *ledger, const struct edit *edit,
                         struct ledger_device_id *ret_device)
{
	const struct entry *target = &ledger->entries[edit->target];

	for (unsigned p = 0; p < recipients_count(ledger, target); p++) {
		for (unsigned i = 0; i < ledger->config.devices; i++) {
			struct ledger_device_id device = {
				recipients_user(ledger, target, p), i};
			unsigned bit = p * ledger->config.devices + i;

			*ret_device = device;
			if (must_get(ledger, edit, p, device) &&
			    !delivery_sets_has(ledger, &edit->sets, SET_LIVE,
			                       bit))
				return true;
		}
	}
	return false;
}

/* A refused edit and one that was never sent have nothing to arrive. */
static bool is_missing(struct ledger *ledger, const struct edit *edit)
{
	struct ledger_device_id device;

	if (!edit->sent_us || edit->refused)
		return false;
	return !edit->revision || find_missing(ledger, edit, &device);
}

static void describe(const struct edit *edit, struct ledger_edit *ret_edit)
{
	*ret_edit = (struct ledger_edit){
		.kind = edit->kind,
		.from = {edit->from, edit->device},
		.target = edit->target,
	};
}

bool edits_next_unseen(struct ledger *ledger, uint32_t *number,
                       struct ledger_edit *ret_edit)
{
	while (*number < ledger->edit_count) {
		const struct edit *edit = &ledger->edits[(*number)++];

		if (!is_unseen(edit))
			continue;
		describe(edit, ret_edit);
		return true;
	}
	return false;
}

bool edits_next_missing(struct ledger *ledger, uint32_t *number,
                        struct ledger_edit *ret_edit)
{
	while (*number < ledger->edit_count) {
		const struct edit *edit = &ledger->edits[(*number)++];

		if (!is_missing(ledger, edit))
			continue;
		describe(edit, ret_edit);
		return true;
	}
	return false;
}

static void judge_sockets(struct ledger *ledger, uint32_t number)
{
	const struct edit *edit = &ledger->edits[number];
	struct ledger_device_id device;

	if (edit->revision && !was_replaced(ledger, edit) &&
	    find_missing(ledger, edit, &device))
		faults_add(ledger, FAULT_edit_unheard,
		           "edit %u of message %u, revision %llu, user %u, "
		           "device %u",
		           number, edit->target,
		           (unsigned long long)edit->revision, device.user,
		           device.device);
}

/* --- revisions ----------------------------------------------------------- */
void edits_listed(struct ledger *ledger, uint64_t conversation,
                  uint64_t revision)
{
	struct conversation_log *log =
		conversation_log_find(ledger, conversation);

	if (log && revision > log->listed_revision)
		log->listed_revision = revision;
}

/* The edit may be refused: its sender may have left, or it may be too late. */
static bool may_be_refused(const struct ledger *ledger, const struct edit *edit)
{
	const struct entry *target = &ledger->entries[edit->target];
	const struct room *room =
		target->to_room ? ledger->rooms[target->to] : NULL;

	if (has_delete(ledger, edit->target) ||
	    (!room && blocks_find(ledger, target->from, target->to)))
		return true;
	return room &&
	       room->members[room_members_index(room, edit->from)].moved;
}

static void judge_revisions(struct ledger *ledger,
                            const struct conversation_log *log)
{
	uint32_t unseen = 0, maybe = 0;

	for (uint32_t i = 0; i < ledger->edit_count; i++) {
		const struct edit *edit = &ledger->edits[i];

		if (ledger->entries[edit->target].conversation != log->id ||
		    !edit->sent_us || edit->revision || edit->refused)
			continue;
		if (edit->accepted && !may_be_refused(ledger, edit))
			unseen++;
		else
			maybe++;
	}
	ledger->totals.edits_unseen += unseen + maybe;
	revisions_judge(ledger, log, unseen, maybe);
}

void edits_judge(struct ledger *ledger)
{
	struct conversation_log *log = NULL;

	for (uint32_t i = 0; i < ledger->edit_count; i++)
		judge_sockets(ledger, i);
	while ((log = conversation_log_next(ledger, log)))
		judge_revisions(ledger, log);
}
