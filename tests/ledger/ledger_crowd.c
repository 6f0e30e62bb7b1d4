/*
 * Whom an entry may concern, and the sets of devices that are kept of it.
 */
#include "common/base/mem.h"
#include "tests/ledger/ledger_private.h"

enum { FIRST_BYTES = 64 * 1024 };

unsigned ledger_crowd(const struct ledger_book *book, const struct entry *entry)
{
	if (entry->to_room)
		return book->rooms[entry->to]->count;
	return entry->from == entry->to ? 1 : 2;
}

unsigned ledger_crowd_user(const struct ledger_book *book,
                           const struct entry *entry, unsigned position)
{
	if (entry->to_room)
		return book->rooms[entry->to]->seats[position].user;
	return position == 0 ? entry->from : entry->to;
}

int ledger_position(const struct ledger_book *book, const struct entry *entry,
                    unsigned user)
{
	if (entry->to_room)
		return ledger_seat(book->rooms[entry->to], user);
	if (user == entry->from)
		return 0;
	return user == entry->to ? 1 : -1;
}

int ledger_bit(const struct ledger_book *book, const struct entry *entry,
               struct ledger_place place)
{
	int position = ledger_position(book, entry, place.user);

	if (position < 0)
		return -1;
	return position * (int)book->plan.devices + (int)place.device;
}

/* In one piece of memory: a set of two people's devices is a byte or two. */
struct marks ledger_marks(struct ledger_book *book, unsigned crowd)
{
	struct marks marks = {
		.at = book->marks_len,
		.bytes = (uint16_t)((crowd * book->plan.devices + 7) / 8),
	};
	size_t more = (size_t)SET_COUNT * marks.bytes;

	if (book->marks_len + more > book->marks_capacity) {
		book->marks_capacity = 2 * book->marks_capacity + FIRST_BYTES;
		book->marks = mem_resize(book->marks, book->marks_capacity);
	}
	memset(&book->marks[marks.at], 0, more);
	book->marks_len += more;
	return marks;
}

static uint8_t *byte_at(const struct ledger_book *book,
                        const struct marks *marks, enum ledger_set set,
                        unsigned bit)
{
	return &book->marks[marks->at + (size_t)set * marks->bytes + bit / 8];
}

bool ledger_has(const struct ledger_book *book, const struct marks *marks,
                enum ledger_set set, unsigned bit)
{
	return *byte_at(book, marks, set, bit) >> bit % 8 & 1;
}

void ledger_put(struct ledger_book *book, const struct marks *marks,
                enum ledger_set set, unsigned bit)
{
	*byte_at(book, marks, set, bit) |= (uint8_t)(1u << bit % 8);
}
