/*
 * The end of a ledger: histories are held against each other, and every
 * message against what was promised for it.
 */
#include "common/base/mem.h"
#include "tests/ledger/ledger_book.h"
#include "tests/ledger/ledger_private.h"

/* --- histories ----------------------------------------------------------- */
static void check_place(struct ledger_book *book, unsigned user,
                        const struct message *message, uint64_t before_seq)
{
	enum ledger_fault fault =
		message->seq <= before_seq ? LEDGER_misordered : LEDGER_gaps;

	if (message->seq != before_seq + 1)
		ledger_fault(book, fault,
		             "user %u reads seq %llu of conversation %llu "
		             "after %llu",
		             user, (unsigned long long)message->seq,
		             (unsigned long long)message->conversation,
		             (unsigned long long)before_seq);
}

static void store(struct ledger_book *book, unsigned user,
                  const struct marks *marks, unsigned position,
                  const struct message *message)
{
	unsigned bit = position * book->plan.devices;

	if (ledger_has(book, marks, SET_STORED, bit))
		ledger_fault(book, LEDGER_duplicates,
		             "seq %llu of conversation %llu twice in the "
		             "history of user %u",
		             (unsigned long long)message->seq,
		             (unsigned long long)message->conversation, user);
	ledger_put(book, marks, SET_STORED, bit);
}

/* Where a history begins is judged when all is known; 0: not the first. */
static uint64_t place_first(struct ledger_book *book, unsigned user,
                            const struct message *message, uint64_t before_seq)
{
	const struct talk *talk = ledger_talk(book, message->conversation);
	int seat;

	if (before_seq || !talk || !talk->room)
		return before_seq;
	seat = ledger_seat(talk->room, user);
	if (seat >= 0)
		talk->room->seats[seat].first_seq = message->seq;
	return message->seq - 1;
}

static void history_change(struct ledger_book *book, unsigned user,
                           const struct message *message, uint64_t before_seq)
{
	struct ledger_place place = {user, 0};
	unsigned seat;
	struct change *change = ledger_change(book, place, message, &seat);

	if (!change)
		return;
	check_place(book, user, message,
	            place_first(book, user, message, before_seq));
	store(book, user, &change->marks, seat, message);
}

void ledger_book_history(struct ledger_book *book, unsigned user,
                         const struct message *message, uint64_t before_seq)
{
	struct ledger_place place = {user, 0};
	const struct entry *entry;
	uint32_t number;

	if (message->change != CHANGE_none) {
		history_change(book, user, message, before_seq);
		return;
	}
	if (!ledger_examine(book, place, message, &number))
		return; /* that was said */
	entry = &book->entries[number];
	check_place(book, user, message,
	            place_first(book, user, message, before_seq));
	store(book, user, &entry->marks,
	      (unsigned)ledger_position(book, entry, user), message);
}

void ledger_book_intruded(struct ledger_book *book, unsigned user,
                          uint64_t conversation)
{
	ledger_fault(book, LEDGER_misrouted,
	             "user %u reads conversation %llu, which is not theirs",
	             user, (unsigned long long)conversation);
}

void ledger_book_history_end(struct ledger_book *book, unsigned user,
                             uint64_t conversation, uint64_t read_seq,
                             uint64_t last_seq)
{
	const struct talk *talk = ledger_talk(book, conversation);
	uint64_t top = talk ? talk->top : 0;

	if (read_seq != last_seq || last_seq != top)
		ledger_fault(book, LEDGER_gaps,
		             "conversation %llu of user %u: last_seq %llu, the "
		             "history ends at %llu, heard of %llu",
		             (unsigned long long)conversation, user,
		             (unsigned long long)last_seq,
		             (unsigned long long)read_seq,
		             (unsigned long long)top);
}

/* --- each message -------------------------------------------------------- */
/* Of a room: the stay in which one of its crowd was when it was saved. */
static const struct seat *seat_at(const struct ledger_book *book,
                                  const struct entry *entry, unsigned position)
{
	return entry->to_room ? &book->rooms[entry->to]->seats[position] : NULL;
}

static bool was_member(const struct ledger_book *book,
                       const struct entry *entry, unsigned position)
{
	const struct seat *seat = seat_at(book, entry, position);

	return !seat || ledger_stay_at(seat, entry->seq);
}

/* A member then, who still is one: no device of theirs can have missed it. */
static bool must_have_got(const struct ledger_book *book,
                          const struct entry *entry, unsigned position)
{
	const struct seat *seat = seat_at(book, entry, position);
	const struct stay *now = seat ? ledger_stay_now(seat) : NULL;

	return !seat || (now && now->from <= entry->seq);
}

/* It must be in their history. */
static bool must_see(const struct ledger_book *book, const struct entry *entry,
                     unsigned position)
{
	const struct seat *seat = seat_at(book, entry, position);
	const struct stay *now = seat ? ledger_stay_now(seat) : NULL;

	return !seat || (now && now->visible <= entry->seq);
}

/*
 * The devices whose session began before the message was first sent and goes
 * on: they must have heard it. The one that sent it gets `saved` instead.
 */
static bool not_heard(const struct ledger_book *book, const struct entry *entry,
                      struct ledger_place place, unsigned bit)
{
	const struct device *device = ledger_device(book, place);
	bool own = place.user == entry->from;
	bool sent_it = own && place.device == entry->device;

	if (!device->session || device->welcome_us > entry->sent_us)
		return false;
	if (own && !ledger_has(book, &entry->marks, SET_TOLD, bit))
		return true;
	return !sent_it && !ledger_has(book, &entry->marks, SET_HEARD, bit);
}

static void say_where(struct ledger_book *book, enum ledger_fault fault,
                      uint32_t number, struct ledger_place place)
{
	const struct entry *entry = &book->entries[number];

	ledger_fault(book, fault,
	             "message %u (%u to %s%u, conversation %llu, seq %u%s), "
	             "user %u, device %u",
	             number, entry->from, entry->to_room ? "g" : "", entry->to,
	             (unsigned long long)entry->conversation, entry->seq,
	             entry->accepted ? ", accepted" : "", place.user,
	             place.device);
}

/* Nobody but who was in the room has it, or who came later and may read it. */
static bool is_misrouted(const struct ledger_book *book,
                         const struct entry *entry, unsigned position,
                         unsigned bit)
{
	const struct seat *seat = seat_at(book, entry, position);

	return seat && ledger_has(book, &entry->marks, SET_GOT, bit) &&
	       !ledger_sees(seat, entry->seq);
}

/* One example is enough of a message; each counts once. */
static void judge_devices(struct ledger_book *book, uint32_t number)
{
	const struct entry *entry = &book->entries[number];
	bool said[LEDGER_FAULT_COUNT] = {false};

	for (unsigned p = 0; p < ledger_crowd(book, entry); p++) {
		for (unsigned i = 0; i < book->plan.devices; i++) {
			struct ledger_place place = {
				ledger_crowd_user(book, entry, p), i};
			unsigned bit = p * book->plan.devices + i;
			bool found[LEDGER_FAULT_COUNT] = {
				[LEDGER_misrouted] =
					is_misrouted(book, entry, p, bit),
				[LEDGER_undelivered] =
					must_have_got(book, entry, p) &&
					!ledger_has(book, &entry->marks,
			                            SET_GOT, bit),
				[LEDGER_unheard] =
					must_have_got(book, entry, p) &&
					not_heard(book, entry, place, bit),
			};

			for (unsigned f = 0; f < LEDGER_FAULT_COUNT; f++) {
				if (found[f] && !said[f])
					say_where(book, f, number, place);
				said[f] = said[f] || found[f];
			}
		}
	}
}

/* In all histories where it must be; `split` when only in some. */
static bool is_stored(struct ledger_book *book, uint32_t number)
{
	const struct entry *entry = &book->entries[number];
	unsigned with = 0, without = 0, user = 0;

	for (unsigned p = 0; p < ledger_crowd(book, entry); p++) {
		bool has = ledger_has(book, &entry->marks, SET_STORED,
		                      p * book->plan.devices);

		if (!must_see(book, entry, p)) {
			if (has)
				say_where(book, LEDGER_misrouted, number,
				          (struct ledger_place){
						  ledger_crowd_user(book, entry,
				                                    p),
						  0});
			continue;
		}
		with += has;
		without += !has;
		if (!has)
			user = ledger_crowd_user(book, entry, p);
	}
	if (with && without)
		ledger_fault(book, LEDGER_split,
		             "message %u is not in the history of user %u",
		             number, user);
	return with && !without;
}

static void judge_missing(struct ledger_book *book, uint32_t number)
{
	struct entry *entry = &book->entries[number];

	if (entry->acked_us && !entry->saved_us &&
	    ledger_may_be_outside(book, entry)) {
		book->totals.turned_away += !entry->turned_away;
		entry->turned_away = true;
	} else if (entry->acked_us) {
		ledger_fault(book, LEDGER_lost, "message %u (%u to %s%u), %s",
		             number, entry->from, entry->to_room ? "g" : "",
		             entry->to, entry->saved_us ? "saved" : "accepted");
	} else if (!entry->refused) {
		book->totals.unknown++;
	}
}

static void judge_entry(struct ledger_book *book, uint32_t number)
{
	const struct entry *entry = &book->entries[number];
	int sender = ledger_position(book, entry, entry->from);

	if (!entry->sent_us)
		return;
	if (!is_stored(book, number)) {
		judge_missing(book, number);
		return;
	}
	book->totals.stored++;
	book->totals.unanswered_kept += !entry->acked_us;
	if (!was_member(book, entry, (unsigned)sender))
		ledger_fault(book, LEDGER_misrouted,
		             "message %u is saved as seq %u of g%u, of which "
		             "user %u was no member",
		             number, entry->seq, entry->to, entry->from);
	judge_devices(book, number);
}

/*
 * By seq: what was sent after another of the same sender was answered stands
 * behind it.
 */
static void judge_order(struct ledger_book *book, const struct talk *talk)
{
	uint64_t latest_us[LEDGER_SEATS_MAX] = {0};

	for (uint32_t seq = 1; seq <= talk->top; seq++) {
		const struct entry *entry;
		int side;

		if (!talk->by_seq[seq] || talk->by_seq[seq] & CHANGE_BIT)
			continue; /* the histories said so, or it is no message
			           */
		entry = &book->entries[talk->by_seq[seq] - 1];
		side = ledger_talk_position(talk, entry->from);
		if (side < 0)
			continue; /* misrouted: that was said */
		if (entry->acked_us && entry->acked_us < latest_us[side])
			ledger_fault(book, LEDGER_misordered,
			             "seq %u of conversation %llu was answered "
			             "before one below it was sent",
			             seq, (unsigned long long)talk->id);
		if (entry->sent_us > latest_us[side])
			latest_us[side] = entry->sent_us;
	}
}

void ledger_book_judge(struct ledger_book *book)
{
	struct talk *talk = NULL;

	ledger_rooms_judge(book);
	for (uint32_t number = 0; number < book->count; number++)
		judge_entry(book, number);
	while ((talk = ledger_talk_after(book, talk))) {
		judge_order(book, talk);
		ledger_reach_judge(book, talk);
	}
}
