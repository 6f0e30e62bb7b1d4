/*
 * The messages that are sent.
 */
#include "tests/ledger/judge/messages.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/blocks.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/delivery_sets.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/message_text.h"
#include "tests/ledger/judge/recipients.h"
#include "tests/ledger/judge/sessions.h"

enum { FIRST_ENTRIES = 4096 };

static uint32_t write_entry(struct ledger *ledger, struct entry entry)
{
	if (ledger->count == ledger->capacity) {
		ledger->capacity =
			ledger->capacity ? 2 * ledger->capacity : FIRST_ENTRIES;
		ledger->entries =
			mem_resize(ledger->entries,
		                   ledger->capacity * sizeof(*ledger->entries));
	}
	entry.made_s = (uint32_t)(clock_unix_ms() / 1000);
	entry.sets =
		delivery_sets_new(ledger, recipients_count(ledger, &entry));
	ledger->entries[ledger->count] = entry;
	return ledger->count++;
}

uint32_t messages_write(struct ledger *ledger, struct ledger_device_id from,
                        unsigned to, uint64_t due_us)
{
	return write_entry(ledger, (struct entry){
					   .due_us = due_us,
					   .from = (uint16_t)from.user,
					   .to = (uint16_t)to,
					   .device = (uint8_t)from.device,
				   });
}

uint32_t messages_write_to_room(struct ledger *ledger,
                                struct ledger_device_id from, unsigned room,
                                uint64_t due_us)
{
	return write_entry(ledger, (struct entry){
					   .due_us = due_us,
					   .from = (uint16_t)from.user,
					   .to = (uint16_t)room,
					   .to_room = true,
					   .device = (uint8_t)from.device,
				   });
}

uint32_t messages_write_after(struct ledger *ledger, uint32_t number,
                              struct ledger_device_id from, uint64_t due_us)
{
	struct entry entry = ledger->entries[number];
	bool back = !entry.to_room && from.user == entry.to;

	return write_entry(ledger, (struct entry){
					   .due_us = due_us,
					   .from = (uint16_t)from.user,
					   .to = back ? entry.from : entry.to,
					   .to_room = entry.to_room,
					   .device = (uint8_t)from.device,
				   });
}

uint64_t messages_conversation(const struct ledger *ledger, unsigned one,
                               unsigned two)
{
	return conversation_log_of_pair(ledger, one, two);
}

uint32_t messages_count(const struct ledger *ledger)
{
	return ledger->count;
}

static bool is_known(const struct ledger *ledger, const struct entry *entry)
{
	for (unsigned i = 0; i < ledger->config.devices; i++) {
		int bit = recipients_device_bit(
			ledger, entry,
			(struct ledger_device_id){entry->from, i});

		if (delivery_sets_has(ledger, &entry->sets, SET_RECEIVED,
		                      (unsigned)bit))
			return true;
	}
	return false;
}

struct ledger_message_state messages_get(const struct ledger *ledger,
                                         uint32_t number)
{
	const struct entry *entry = &ledger->entries[number];

	return (struct ledger_message_state){
		.from = {entry->from, entry->device},
		.to = entry->to,
		.to_room = entry->to_room,
		.due_us = entry->due_us,
		.sent_us = entry->sent_us,
		.acked_us = entry->acked_us,
		.saved_us = entry->saved_us,
		.accepted = entry->accepted,
		.refused = entry->refused,
		.known = is_known(ledger, entry),
	};
}

/* Every second message to a user names the conversation, once it is known. */
static uint64_t named_conversation(const struct ledger *ledger, uint32_t number)
{
	const struct entry *entry = &ledger->entries[number];

	if (entry->to_room)
		return ledger->rooms[entry->to]->conversation;
	if (number % 2)
		return 0;
	return conversation_log_of_pair(ledger, entry->from, entry->to);
}

void messages_frame(const struct ledger *ledger, uint32_t number,
                    struct buf *out)
{
	const struct entry *entry = &ledger->entries[number];
	uint64_t conversation = named_conversation(ledger, number);
	struct buf text CLEANUP(buf_free) = BUF(ledger->config.text_bytes + 64);
	struct uuid uuid = message_text_uuid(ledger, number);
	struct json_writer w = json_writer(out);
	char words[UUID_TEXT_LEN + 1];

	uuid_format(&uuid, words);
	message_text_write(ledger, number, &text);
	json_open(&w);
	json_text(&w, "uuid", span_of(words));
	json_text(&w, "message", buf_span(&text));
	if (conversation)
		json_number(&w, "conversation", conversation);
	else
		json_number(&w, "user_to", ledger->ids[entry->to]);
	json_close(&w);
}

void messages_sent(struct ledger *ledger, uint32_t number, uint64_t now_us)
{
	struct entry *entry = &ledger->entries[number];
	const struct device_session *session = sessions_get(
		ledger, (struct ledger_device_id){entry->from, entry->device});
	uint32_t block =
		entry->to_room ? 0
			       : blocks_number(ledger, entry->from, entry->to);

	if (!entry->sent_us)
		entry->block = block;
	else if (entry->block != block)
		entry->block = 0;
	if (entry->sent_us) {
		entry->repeated = true;
		return;
	}
	ledger->totals.blocked += block != 0;
	entry->sent_us = now_us;
	entry->session = session->number;
	entry->position = ++ledger->sent_count;
	ledger->totals.sent++;
	ledger->totals.to_rooms += entry->to_room;
}

void messages_to_repeat(struct ledger *ledger, uint32_t number)
{
	ledger->entries[number].repeated = true;
}

void messages_close(struct ledger *ledger, uint64_t now_us)
{
	ledger->closed = ledger->count;
	ledger->closed_us = now_us;
}

bool messages_number(const struct ledger *ledger, const struct uuid *uuid,
                     uint32_t *ret_number)
{
	uint32_t number = message_text_number(uuid);
	struct uuid ours;

	if (number >= ledger->count || !ledger->entries[number].sent_us)
		return false;
	ours = message_text_uuid(ledger, number);
	*ret_number = number;
	return !memcmp(&ours, uuid, sizeof(ours));
}

bool messages_find(struct ledger *ledger, struct ledger_device_id device,
                   const struct uuid *uuid, uint32_t *ret_number)
{
	char words[UUID_TEXT_LEN + 1];

	if (messages_number(ledger, uuid, ret_number))
		return true;
	uuid_format(uuid, words);
	faults_add(ledger, FAULT_phantom, "%s at user %u", words, device.user);
	return false;
}
