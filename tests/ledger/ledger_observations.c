/*
 * What comes back to the people of a run: answers, messages, history. Each is
 * held against what was sent as it comes.
 */
#include "tests/ledger/ledger_private.h"

static bool concerns(const struct ledger_book *book, const struct talk *talk,
                     const struct entry *entry)
{
	if (talk->room || entry->to_room)
		return entry->to_room && talk->room == book->rooms[entry->to];
	return (talk->one == entry->from && talk->two == entry->to) ||
	       (talk->one == entry->to && talk->two == entry->from);
}

/* Somebody says where a message stands: all must say the same. */
static void claim(struct ledger_book *book, uint32_t number,
                  uint64_t conversation, uint64_t seq)
{
	struct entry *entry = &book->entries[number];
	struct talk *talk;
	uint32_t *slot;

	if (seq == 0 || seq > book->count + book->moves) {
		ledger_fault(book, LEDGER_gaps, "message %u has seq %llu",
		             number, (unsigned long long)seq);
		return;
	}
	if (entry->conversation) {
		if (entry->conversation != conversation || entry->seq != seq)
			ledger_fault(
				book, LEDGER_split,
				"message %u is %llu/%u and %llu/%llu", number,
				(unsigned long long)entry->conversation,
				entry->seq, (unsigned long long)conversation,
				(unsigned long long)seq);
		return;
	}
	talk = ledger_talk_of(book, conversation, entry);
	if (!concerns(book, talk, entry))
		ledger_fault(book, LEDGER_misrouted,
		             "message %u of %u to %s%u in conversation %llu",
		             number, entry->from, entry->to_room ? "g" : "",
		             entry->to, (unsigned long long)conversation);
	entry->conversation = conversation;
	entry->seq = (uint32_t)seq;
	slot = ledger_slot(talk, entry->seq);
	if (*slot & CHANGE_BIT)
		ledger_fault(book, LEDGER_duplicates,
		             "seq %u of conversation %llu is a change and "
		             "message %u",
		             entry->seq, (unsigned long long)conversation,
		             number);
	else if (*slot)
		ledger_fault(book, LEDGER_duplicates,
		             "seq %u of conversation %llu is message %u and %u",
		             entry->seq, (unsigned long long)conversation,
		             *slot - 1, number);
	*slot = number + 1;
}

static void note_ack(struct ledger_book *book, struct entry *entry,
                     uint64_t now_us)
{
	if (entry->acked_us)
		return;
	entry->acked_us = now_us;
	book->totals.accepted++;
}

static bool is_senders(struct ledger_book *book, struct ledger_place place,
                       uint32_t number, const char *what)
{
	if (book->entries[number].from == place.user)
		return true;
	ledger_fault(book, LEDGER_misrouted, "`%s` of message %u at user %u",
	             what, number, place.user);
	return false;
}

void ledger_book_accepted(struct ledger_book *book, struct ledger_place place,
                          uint32_t number, uint64_t now_us)
{
	struct entry *entry = &book->entries[number];

	if (!is_senders(book, place, number, "accepted"))
		return;
	entry->accepted = true;
	note_ack(book, entry, now_us);
}

static void receive(struct ledger_book *book, const struct marks *marks,
                    unsigned bit)
{
	if (ledger_has(book, marks, SET_GOT, bit))
		return;
	ledger_put(book, marks, SET_GOT, bit);
	book->totals.received++;
}

/* Its socket had it before. */
static bool came_live(const struct ledger_book *book, const struct entry *entry,
                      unsigned bit)
{
	return ledger_has(book, &entry->marks, SET_HEARD, bit) ||
	       ledger_has(book, &entry->marks, SET_TOLD, bit);
}

/*
 * Surely in it when that was sent. Who comes in may be told of what is older at
 * any moment, and who goes gets nothing any more.
 */
static bool was_in(const struct talk *talk, unsigned user, uint64_t sent_us)
{
	int seat = talk->room ? ledger_seat(talk->room, user) : -1;
	uint64_t since_us;

	if (seat < 0)
		return true;
	since_us = talk->room->seats[seat].in_since_us;
	return since_us && since_us <= sent_us;
}

/*
 * What was first sent within this session comes on it for the first time in
 * the order of seq. What is older may come again at any moment.
 */
static void check_order(struct ledger_book *book, struct ledger_place place,
                        uint32_t number)
{
	const struct entry *entry = &book->entries[number];
	const struct device *device = ledger_device(book, place);
	struct talk *talk = ledger_talk(book, entry->conversation);
	struct live_top *top;

	if (!talk || !device->session || entry->sent_us < device->welcome_us ||
	    !was_in(talk, place.user, entry->sent_us))
		return;
	top = ledger_live(book, talk, place);
	if (!top)
		return; /* misrouted: that was said */
	if (top->session != device->session)
		*top = (struct live_top){.session = device->session};
	if (entry->seq < top->seq)
		ledger_fault(book, LEDGER_misordered,
		             "user %u, device %u heard seq %u of conversation "
		             "%llu after %u",
		             place.user, place.device, entry->seq,
		             (unsigned long long)entry->conversation, top->seq);
	else
		top->seq = entry->seq;
}

void ledger_book_saved(struct ledger_book *book, struct ledger_place place,
                       uint32_t number, uint64_t conversation, uint64_t seq,
                       uint64_t now_us)
{
	struct entry *entry = &book->entries[number];
	unsigned bit;

	if (!is_senders(book, place, number, "saved"))
		return;
	claim(book, number, conversation, seq);
	bit = (unsigned)ledger_bit(book, entry, place);
	note_ack(book, entry, now_us);
	if (!entry->saved_us) {
		entry->saved_us = now_us;
		book->totals.saved++;
	}
	if (!came_live(book, entry, bit))
		check_order(book, place, number);
	ledger_put(book, &entry->marks, SET_TOLD, bit);
	receive(book, &entry->marks, bit);
}

bool ledger_may_be_outside(const struct ledger_book *book,
                           const struct entry *entry)
{
	const struct room *room;
	const struct seat *seat;

	if (!entry->to_room)
		return false;
	room = book->rooms[entry->to];
	seat = &room->seats[ledger_seat(room, entry->from)];
	return !seat->in_since_us || seat->in_since_us > entry->sent_us;
}

void ledger_book_refused(struct ledger_book *book, struct ledger_place place,
                         uint32_t number, struct span code)
{
	struct entry *entry = &book->entries[number];

	if (!is_senders(book, place, number, "error") || entry->refused)
		return;
	entry->refused = true;
	if (ledger_may_be_outside(book, entry) &&
	    span_equal(code, SPAN("unknown_conversation"))) {
		entry->turned_away = true;
		book->totals.turned_away++;
		return;
	}
	ledger_fault(book, LEDGER_refused, "message %u (%u to %s%u): %.*s",
	             number, entry->from, entry->to_room ? "g" : "", entry->to,
	             (int)code.len, code.len ? code.data : "");
}

static bool text_is(const struct ledger_book *book, uint32_t number,
                    struct span text)
{
	struct buf expected CLEANUP(buf_free) = BUF(book->plan.text_bytes + 64);

	ledger_text(book, number, &expected);
	return span_equal(buf_span(&expected), text);
}

bool ledger_examine(struct ledger_book *book, struct ledger_place place,
                    const struct message *message, uint32_t *ret_number)
{
	const struct entry *entry;
	uint32_t number;

	if (!ledger_book_find(book, place, &message->uuid, &number))
		return false;
	entry = &book->entries[number];
	if (ledger_bit(book, entry, place) < 0 ||
	    message->user_from != book->ids[entry->from] ||
	    message->user_to != (entry->to_room ? 0 : book->ids[entry->to])) {
		ledger_fault(book, LEDGER_misrouted,
		             "message %u of %u to %s%u at user %u, as %llu to "
		             "%llu",
		             number, entry->from, entry->to_room ? "g" : "",
		             entry->to, place.user,
		             (unsigned long long)message->user_from,
		             (unsigned long long)message->user_to);
		return false;
	}
	if (!text_is(book, number, message->text))
		ledger_fault(book, LEDGER_corrupt, "message %u at user %u",
		             number, place.user);
	claim(book, number, message->conversation, message->seq);
	*ret_number = number;
	return true;
}

static bool had_missed(const struct ledger_book *book,
                       struct ledger_place place, uint32_t number)
{
	const struct device *device = ledger_device(book, place);

	return number < book->closed && device->session &&
	       device->welcome_us < book->closed_us;
}

static void take_change(struct ledger_book *book, struct ledger_place place,
                        const struct message *message, bool live)
{
	unsigned seat, bit;
	struct change *change = ledger_change(book, place, message, &seat);

	if (!change)
		return;
	bit = seat * book->plan.devices + place.device;
	if (live && ledger_has(book, &change->marks, SET_HEARD, bit))
		book->totals.wire_duplicates++;
	if (live)
		ledger_put(book, &change->marks, SET_HEARD, bit);
	receive(book, &change->marks, bit);
}

static void take_message(struct ledger_book *book, struct ledger_place place,
                         const struct message *message, bool live)
{
	struct entry *entry;
	uint32_t number;
	unsigned bit;

	if (!ledger_examine(book, place, message, &number))
		return;
	entry = &book->entries[number];
	bit = (unsigned)ledger_bit(book, entry, place);
	if (live && ledger_has(book, &entry->marks, SET_HEARD, bit))
		book->totals.wire_duplicates++;
	if (live && !came_live(book, entry, bit))
		check_order(book, place, number);
	if (live)
		ledger_put(book, &entry->marks, SET_HEARD, bit);
	if (live || !had_missed(book, place, number))
		receive(book, &entry->marks, bit);
}

void ledger_book_message(struct ledger_book *book, struct ledger_place place,
                         const struct message *message, bool live)
{
	if (message->change == CHANGE_none)
		take_message(book, place, message, live);
	else
		take_change(book, place, message, live);
}

void ledger_book_garbled(struct ledger_book *book, struct ledger_place place,
                         struct span text)
{
	ledger_fault(book, LEDGER_corrupt, "user %u can't read: %.*s",
	             place.user, (int)(text.len < 200 ? text.len : 200),
	             text.len ? text.data : "");
}
