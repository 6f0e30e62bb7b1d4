#include "tests/ledger/judge/edits.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/blocks.h"
#include "tests/ledger/judge/delivery_sets.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/message_text.h"
#include "tests/ledger/judge/recipients.h"

enum { FIRST_EDITS = 1024 };

static const char *const frame_types[] = {
	[LEDGER_EDIT] = "edit",
	[LEDGER_DELETE] = "delete",
	[LEDGER_REACT] = "react",
};

/* --- sent ---------------------------------------------------------------- */
uint32_t edits_write(struct ledger *ledger, const struct ledger_edit *edit)
{
	struct entry *target = &ledger->entries[edit->target];
	uint32_t *link = &target->edits;

	if (ledger->edit_count == ledger->edit_capacity) {
		ledger->edit_capacity = 2 * ledger->edit_capacity + FIRST_EDITS;
		ledger->edits = mem_resize(ledger->edits,
		                           ledger->edit_capacity *
		                                   sizeof(*ledger->edits));
	}
	while (*link)
		link = &ledger->edits[*link - 1].next;
	*link = ledger->edit_count + 1;
	ledger->edits[ledger->edit_count] = (struct edit){
		.kind = edit->kind,
		.sets = delivery_sets_new(ledger,
	                                  recipients_count(ledger, target)),
		.target = edit->target,
		.made_s = (uint32_t)(clock_unix_ms() / 1000),
		.from = (uint16_t)edit->from.user,
		.device = (uint8_t)edit->from.device,
		.reaction = (uint8_t)edit->reaction,
		.remove = edit->remove,
	};
	return ledger->edit_count++;
}

uint32_t edits_count(const struct ledger *ledger)
{
	return ledger->edit_count;
}

void edits_frame(const struct ledger *ledger, uint32_t number, struct buf *out)
{
	const struct edit *edit = &ledger->edits[number];
	const struct entry *target = &ledger->entries[edit->target];
	struct buf text CLEANUP(buf_free) = BUF(ledger->config.text_bytes + 64);
	struct uuid uuid = message_text_edit_uuid(ledger, number);
	struct json_writer w = json_writer(out);
	char words[UUID_TEXT_LEN + 1];

	uuid_format(&uuid, words);
	json_open(&w);
	json_text(&w, "type", span_of(frame_types[edit->kind]));
	json_text(&w, "uuid", span_of(words));
	json_number(&w, "conversation", target->conversation);
	json_number(&w, "seq", target->seq);
	if (edit->kind == LEDGER_EDIT) {
		message_text_write_edit(ledger, number, &text);
		json_text(&w, "message", buf_span(&text));
	} else if (edit->kind == LEDGER_REACT) {
		json_text(&w, "reaction",
		          message_text_reaction(edit->reaction));
		json_bool(&w, "remove", edit->remove);
	}
	json_close(&w);
}

unsigned edits_other_user(const struct ledger *ledger, const struct edit *edit)
{
	const struct entry *target = &ledger->entries[edit->target];

	return edit->from == target->from ? target->to : target->from;
}

/* Deletes are let through. */
static uint32_t block_of(const struct ledger *ledger, const struct edit *edit)
{
	if (ledger->entries[edit->target].to_room ||
	    edit->kind == LEDGER_DELETE)
		return 0;
	return blocks_number(ledger, edit->from,
	                     edits_other_user(ledger, edit));
}

void edits_sent(struct ledger *ledger, uint32_t number, uint64_t now_us)
{
	struct edit *edit = &ledger->edits[number];

	if (!edit->sent_us)
		edit->block = block_of(ledger, edit);
	else if (edit->block != block_of(ledger, edit))
		edit->block = 0;
	if (edit->sent_us) {
		edit->repeated = true;
		return;
	}
	edit->sent_us = now_us;
	edit->position = ++ledger->sent_count;
	ledger->totals.edits++;
}

bool edits_was_sent(const struct ledger *ledger, uint32_t number)
{
	return ledger->edits[number].sent_us;
}

bool edits_number(const struct ledger *ledger, const struct uuid *uuid,
                  uint32_t *ret_number)
{
	uint32_t number = message_text_number(uuid);
	struct uuid ours;

	if (number >= ledger->edit_count || !ledger->edits[number].sent_us)
		return false;
	ours = message_text_edit_uuid(ledger, number);
	*ret_number = number;
	return !memcmp(&ours, uuid, sizeof(ours));
}

const struct edit *edits_first(const struct ledger *ledger, uint32_t target)
{
	uint32_t first = ledger->entries[target].edits;

	return first ? &ledger->edits[first - 1] : NULL;
}

const struct edit *edits_next(const struct ledger *ledger,
                              const struct edit *edit)
{
	return edit->next ? &ledger->edits[edit->next - 1] : NULL;
}
