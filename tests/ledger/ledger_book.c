#include "tests/ledger/ledger_book.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/ledger_private.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <uthash.h>

struct talk_slot {
	struct talk talk; /* first: a talk is its slot */
	UT_hash_handle hh;
};

enum { FIRST_ENTRIES = 4096, FIRST_SEQS = 64, EXAMPLE_MAX = 400 };

#define LEDGER_FAULT_NAME(name, text) #name,
const char *const ledger_fault_names[LEDGER_FAULT_COUNT] = {
	LEDGER_FAULTS(LEDGER_FAULT_NAME)};
#define LEDGER_FAULT_TEXT(name, text) text,
const char *const ledger_fault_texts[LEDGER_FAULT_COUNT] = {
	LEDGER_FAULTS(LEDGER_FAULT_TEXT)};

struct ledger_book *ledger_book_create(const struct ledger_plan *plan)
{
	struct ledger_book *book = mem_new(sizeof(*book));

	assert(plan->users > 0 && plan->users <= UINT16_MAX);
	assert(plan->devices > 0 && plan->devices <= LEDGER_DEVICES_MAX);
	book->plan = *plan;
	book->run = (uint32_t)random_u64() & 0x3fffffff;
	book->started_s = (uint32_t)(clock_unix_ms() / 1000);
	book->ids = mem_new(plan->users * sizeof(*book->ids));
	book->devices = mem_new((size_t)plan->users * plan->devices *
	                        sizeof(*book->devices));
	return book;
}

static void free_talks(struct ledger_book *book)
{
	struct talk_slot *slot, *next;

	HASH_ITER (hh, book->talks, slot, next) {
		HASH_DEL(book->talks, slot);
		mem_free(&slot->talk.by_seq);
		mem_free(&slot->talk.live);
		mem_free(&slot->talk.reach);
		mem_free(&slot->talk.heard_reach);
		mem_free(&slot);
	}
}

void ledger_book_destroy(struct ledger_book **book_at)
{
	struct ledger_book *book = *book_at;

	if (!book)
		return;
	free_talks(book);
	ledger_rooms_free(book);
	while (book->example_count)
		mem_free(&book->examples[--book->example_count]);
	mem_free(&book->ids);
	mem_free(&book->devices);
	mem_free(&book->entries);
	mem_free(&book->marks);
	mem_free(book_at);
}

void ledger_fault(struct ledger_book *book, enum ledger_fault fault,
                  const char *format, ...)
{
	struct buf text CLEANUP(buf_free) = BUF(EXAMPLE_MAX + 64);
	char words[EXAMPLE_MAX];
	va_list arguments;

	book->totals.fault[fault]++;
	if (book->example_count == LEDGER_EXAMPLES_MAX)
		return;
	va_start(arguments, format);
	(void)vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	buf_format(&text, "%s: %s", ledger_fault_names[fault], words);
	book->examples[book->example_count++] = mem_text(text.data, text.len);
}

const char *ledger_book_example(const struct ledger_book *book, unsigned index)
{
	return index < book->example_count ? book->examples[index] : NULL;
}

const struct ledger_totals *ledger_book_totals(const struct ledger_book *book)
{
	return &book->totals;
}

/* --- who ----------------------------------------------------------------- */
void ledger_book_user(struct ledger_book *book, unsigned user, uint64_t id)
{
	book->ids[user] = id;
}

uint64_t ledger_book_id(const struct ledger_book *book, unsigned user)
{
	return book->ids[user];
}

static struct device *device_at(const struct ledger_book *book,
                                struct ledger_place place)
{
	return &book->devices[(size_t)place.user * book->plan.devices +
	                      place.device];
}

const struct device *ledger_device(const struct ledger_book *book,
                                   struct ledger_place place)
{
	return device_at(book, place);
}

void ledger_book_welcome(struct ledger_book *book, struct ledger_place place,
                         uint64_t now_us)
{
	*device_at(book, place) = (struct device){
		.session = ++book->sessions,
		.welcome_us = now_us,
	};
}

void ledger_book_ended(struct ledger_book *book, struct ledger_place place)
{
	device_at(book, place)->session = 0;
}

/* --- what is sent -------------------------------------------------------- */
static uint32_t write_entry(struct ledger_book *book, struct entry entry)
{
	if (book->count == book->capacity) {
		book->capacity =
			book->capacity ? 2 * book->capacity : FIRST_ENTRIES;
		book->entries = mem_resize(
			book->entries, book->capacity * sizeof(*book->entries));
	}
	entry.made_s = (uint32_t)(clock_unix_ms() / 1000);
	entry.marks = ledger_marks(book, ledger_crowd(book, &entry));
	book->entries[book->count] = entry;
	return book->count++;
}

uint32_t ledger_book_write(struct ledger_book *book, struct ledger_place from,
                           unsigned to, uint64_t due_us)
{
	return write_entry(book, (struct entry){
					 .due_us = due_us,
					 .from = (uint16_t)from.user,
					 .to = (uint16_t)to,
					 .device = (uint8_t)from.device,
				 });
}

uint32_t ledger_book_write_room(struct ledger_book *book,
                                struct ledger_place from, unsigned room,
                                uint64_t due_us)
{
	return write_entry(book, (struct entry){
					 .due_us = due_us,
					 .from = (uint16_t)from.user,
					 .to = (uint16_t)room,
					 .to_room = true,
					 .device = (uint8_t)from.device,
				 });
}

uint32_t ledger_book_write_behind(struct ledger_book *book, uint32_t number,
                                  uint64_t due_us)
{
	struct entry entry = book->entries[number];

	return write_entry(book, (struct entry){
					 .due_us = due_us,
					 .from = entry.from,
					 .to = entry.to,
					 .to_room = entry.to_room,
					 .device = entry.device,
				 });
}

uint32_t ledger_book_count(const struct ledger_book *book)
{
	return book->count;
}

static bool is_known(const struct ledger_book *book, const struct entry *entry)
{
	for (unsigned i = 0; i < book->plan.devices; i++) {
		int bit = ledger_bit(book, entry,
		                     (struct ledger_place){entry->from, i});

		if (ledger_has(book, &entry->marks, SET_GOT, (unsigned)bit))
			return true;
	}
	return false;
}

struct ledger_line ledger_book_line(const struct ledger_book *book,
                                    uint32_t number)
{
	const struct entry *entry = &book->entries[number];

	return (struct ledger_line){
		.from = {entry->from, entry->device},
		.to = entry->to,
		.to_room = entry->to_room,
		.due_us = entry->due_us,
		.sent_us = entry->sent_us,
		.acked_us = entry->acked_us,
		.saved_us = entry->saved_us,
		.accepted = entry->accepted,
		.refused = entry->refused,
		.known = is_known(book, entry),
	};
}

void ledger_book_sent(struct ledger_book *book, uint32_t number,
                      uint64_t now_us)
{
	struct entry *entry = &book->entries[number];

	if (entry->sent_us)
		return;
	entry->sent_us = now_us;
	book->totals.sent++;
	book->totals.to_rooms += entry->to_room;
}

void ledger_book_close(struct ledger_book *book, uint64_t now_us)
{
	book->closed = book->count;
	book->closed_us = now_us;
}

bool ledger_book_number(const struct ledger_book *book, const struct uuid *uuid,
                        uint32_t *ret_number)
{
	uint32_t number = ledger_uuid_number(uuid);
	struct uuid ours;

	if (number >= book->count || !book->entries[number].sent_us)
		return false;
	ours = ledger_uuid(book, number);
	*ret_number = number;
	return !memcmp(&ours, uuid, sizeof(ours));
}

bool ledger_book_find(struct ledger_book *book, struct ledger_place place,
                      const struct uuid *uuid, uint32_t *ret_number)
{
	char words[UUID_TEXT_LEN + 1];

	if (ledger_book_number(book, uuid, ret_number))
		return true;
	uuid_format(uuid, words);
	ledger_fault(book, LEDGER_phantom, "%s at user %u", words, place.user);
	return false;
}

/* --- conversations -------------------------------------------------------- */
struct talk *ledger_talk(struct ledger_book *book, uint64_t id)
{
	struct talk_slot *slot;

	HASH_FIND(hh, book->talks, &id, sizeof(id), slot);
	return slot ? &slot->talk : NULL;
}

struct talk *ledger_talk_after(struct ledger_book *book, struct talk *talk)
{
	struct talk_slot *slot =
		talk ? ((struct talk_slot *)talk)->hh.next : book->talks;

	return slot ? &slot->talk : NULL;
}

static struct talk *add_talk(struct ledger_book *book, uint64_t id,
                             unsigned crowd)
{
	struct talk_slot *slot = mem_new(sizeof(*slot));
	struct talk *talk = &slot->talk;
	size_t devices = (size_t)crowd * book->plan.devices;

	talk->id = id;
	talk->live = mem_new(devices * sizeof(*talk->live));
	talk->reach = mem_new(crowd * sizeof(*talk->reach));
	talk->heard_reach =
		mem_new(devices * crowd * sizeof(*talk->heard_reach));
	HASH_ADD(hh, book->talks, talk.id, sizeof(id), slot);
	return talk;
}

struct talk *ledger_talk_of(struct ledger_book *book, uint64_t id,
                            const struct entry *entry)
{
	struct talk *talk = ledger_talk(book, id);
	bool rising = entry->from <= entry->to;

	if (talk)
		return talk;
	talk = add_talk(book, id, 2);
	talk->one = rising ? entry->from : entry->to;
	talk->two = rising ? entry->to : entry->from;
	return talk;
}

struct talk *ledger_talk_room(struct ledger_book *book, struct room *room)
{
	struct talk *talk = ledger_talk(book, room->conversation);

	if (talk)
		return talk;
	talk = add_talk(book, room->conversation, room->count);
	talk->room = room;
	return talk;
}

int ledger_talk_position(const struct talk *talk, unsigned user)
{
	if (talk->room)
		return ledger_seat(talk->room, user);
	if (user == talk->one)
		return 0;
	return user == talk->two ? 1 : -1;
}

struct live_top *ledger_live(struct ledger_book *book, struct talk *talk,
                             struct ledger_place place)
{
	int position = ledger_talk_position(talk, place.user);

	if (position < 0)
		return NULL;
	return &talk->live[(unsigned)position * book->plan.devices +
	                   place.device];
}

uint32_t *ledger_slot(struct talk *talk, uint32_t seq)
{
	uint32_t capacity = talk->capacity ? talk->capacity : FIRST_SEQS;

	while (capacity <= seq)
		capacity *= 2;
	if (capacity > talk->capacity) {
		talk->by_seq = mem_resize(talk->by_seq,
		                          capacity * sizeof(*talk->by_seq));
		memset(&talk->by_seq[talk->capacity], 0,
		       (capacity - talk->capacity) * sizeof(*talk->by_seq));
		talk->capacity = capacity;
	}
	if (seq > talk->top)
		talk->top = seq;
	return &talk->by_seq[seq];
}
