/*
 * How far each has come in a conversation: what their devices said, what others
 * were told, what is kept at the end.
 *
 * Frames may come late and twice, so one that is behind what was told before is
 * counted only. What is kept never goes back: at the end it is at least what
 * was ever told, and what was said on sockets that lived on; and nobody is
 * ahead of what they said, wrote or came in at.
 */
#include "tests/ledger/ledger_private.h"

static struct reach *reach_of(const struct talk *talk, unsigned user)
{
	int position = ledger_talk_position(talk, user);

	return position < 0 ? NULL : &talk->reach[position];
}

static void raise(uint64_t *number, uint64_t to)
{
	if (to > *number)
		*number = to;
}

/* --- what they say ---------------------------------------------------------
 */
static void say(struct said *said, uint64_t seq, bool last, uint64_t now_us)
{
	if (seq > said->seq)
		*said = (struct said){
			.seq = seq, .first_us = now_us, .sure = said->sure};
	if (last)
		raise(&said->sure, seq);
}

void ledger_book_reached(struct ledger_book *book, struct ledger_place place,
                         uint64_t conversation, uint64_t delivered,
                         uint64_t read, bool last, uint64_t now_us)
{
	const struct talk *talk = ledger_talk(book, conversation);
	struct reach *reach = talk ? reach_of(talk, place.user) : NULL;

	if (!reach)
		return; /* misrouted: that was said */
	/* What is read is delivered. */
	say(&reach->delivered, delivered > read ? delivered : read, last,
	    now_us);
	say(&reach->read, read, last, now_us);
	book->totals.receipts++;
}

static bool has_moved(const struct ledger_book *book, unsigned user)
{
	for (unsigned i = 0; i < book->room_count; i++) {
		int seat = ledger_seat(book->rooms[i], user);

		if (seat >= 0 && book->rooms[i]->seats[seat].moved)
			return true;
	}
	return false;
}

void ledger_book_receipt_refused(struct ledger_book *book,
                                 struct ledger_place place, struct span code)
{
	if (span_equal(code, SPAN("unknown_conversation")) &&
	    has_moved(book, place.user))
		return;
	ledger_fault(book, LEDGER_receipts, "refused to user %u: %.*s",
	             place.user, (int)code.len, code.len ? code.data : "");
}

/* --- what is told ----------------------------------------------------------
 */
/* On this socket the receipts of that member have come so far. */
static struct heard_reach *heard_of(struct ledger_book *book,
                                    const struct talk *talk,
                                    struct ledger_place place, unsigned subject)
{
	unsigned crowd = talk->room ? talk->room->count : 2;
	unsigned listener = (unsigned)ledger_talk_position(talk, place.user);
	size_t at =
		((size_t)listener * book->plan.devices + place.device) * crowd +
		subject;

	return &talk->heard_reach[at];
}

static void note_told(struct ledger_book *book, struct heard_reach *heard,
                      struct ledger_place place, uint64_t delivered,
                      uint64_t read)
{
	const struct device *device = ledger_device(book, place);

	if (heard->session != device->session)
		*heard = (struct heard_reach){.session = device->session};
	if (delivered < heard->delivered || read < heard->read)
		book->totals.old_receipts++;
	raise(&heard->delivered, delivered);
	raise(&heard->read, read);
}

static int position_of_id(const struct ledger_book *book,
                          const struct talk *talk, uint64_t id)
{
	if (talk->room) {
		for (unsigned i = 0; i < talk->room->count; i++) {
			if (book->ids[talk->room->seats[i].user] == id)
				return (int)i;
		}
		return -1;
	}
	if (book->ids[talk->one] == id)
		return 0;
	return book->ids[talk->two] == id ? 1 : -1;
}

/* Whose receipt it is; -1: nobody's who could be told here, that was said. */
static int subject_of(struct ledger_book *book, struct ledger_place place,
                      const struct talk *talk, uint64_t conversation,
                      uint64_t user)
{
	int subject = talk ? position_of_id(book, talk, user) : -1;

	if (talk && ledger_talk_position(talk, place.user) < 0) {
		ledger_fault(book, LEDGER_misrouted,
		             "a receipt of conversation %llu at user %u",
		             (unsigned long long)conversation, place.user);
		return -1;
	}
	if (subject < 0)
		ledger_fault(book, LEDGER_receipts,
		             "user %u is told of user %llu in conversation "
		             "%llu",
		             place.user, (unsigned long long)user,
		             (unsigned long long)conversation);
	return subject;
}

void ledger_book_receipt(struct ledger_book *book, struct ledger_place place,
                         uint64_t conversation, uint64_t user,
                         uint64_t delivered, uint64_t read)
{
	const struct talk *talk = ledger_talk(book, conversation);
	int subject = subject_of(book, place, talk, conversation, user);
	struct reach *reach;

	if (subject < 0)
		return;
	reach = &talk->reach[subject];
	book->totals.receipts_told++;
	if (read > delivered)
		ledger_fault(book, LEDGER_receipts,
		             "user %llu has read %llu of conversation %llu, "
		             "and got %llu",
		             (unsigned long long)user, (unsigned long long)read,
		             (unsigned long long)conversation,
		             (unsigned long long)delivered);
	raise(&reach->told_delivered, delivered);
	raise(&reach->told_read, read);
	note_told(book, heard_of(book, talk, place, (unsigned)subject), place,
	          delivered, read);
}

/* --- what is kept ----------------------------------------------------------
 */
void ledger_book_reach(struct ledger_book *book, uint64_t conversation,
                       uint64_t user, uint64_t delivered, uint64_t read)
{
	const struct talk *talk = ledger_talk(book, conversation);
	int position = talk ? position_of_id(book, talk, user) : -1;
	struct reach *reach;

	if (position < 0) {
		ledger_fault(book, LEDGER_receipts,
		             "user %llu is listed in conversation %llu",
		             (unsigned long long)user,
		             (unsigned long long)conversation);
		return;
	}
	reach = &talk->reach[position];
	if (reach->kept &&
	    (reach->kept_delivered != delivered || reach->kept_read != read))
		ledger_fault(book, LEDGER_receipts,
		             "user %llu has read %llu and %llu, got %llu and "
		             "%llu of conversation %llu",
		             (unsigned long long)user,
		             (unsigned long long)reach->kept_read,
		             (unsigned long long)read,
		             (unsigned long long)reach->kept_delivered,
		             (unsigned long long)delivered,
		             (unsigned long long)conversation);
	reach->kept = true;
	reach->kept_delivered = delivered;
	reach->kept_read = read;
}

void ledger_book_unread(struct ledger_book *book, unsigned user,
                        uint64_t conversation, uint64_t read, uint64_t last_seq,
                        uint64_t unread)
{
	if (read > last_seq || unread != last_seq - read)
		ledger_fault(book, LEDGER_receipts,
		             "user %u has %llu unread in conversation %llu, "
		             "and read %llu of %llu",
		             user, (unsigned long long)unread,
		             (unsigned long long)conversation,
		             (unsigned long long)read,
		             (unsigned long long)last_seq);
}

/* --- the end ---------------------------------------------------------------
 */
/* The last that each wrote, or did, or came in by: that reads what is before.
 */
struct own {
	uint64_t written; /* a message */
	uint64_t any;
};

static void note_change(const struct ledger_book *book, const struct talk *talk,
                        const struct change *change, struct own *own)
{
	for (unsigned i = 0; i < talk->room->count; i++) {
		uint64_t id = book->ids[talk->room->seats[i].user];

		if (change->user_from == id || change->users >> i & 1)
			own[i].any = change->seq;
	}
}

static void find_own(const struct ledger_book *book, const struct talk *talk,
                     struct own *own)
{
	for (uint32_t seq = 1; seq <= talk->top; seq++) {
		uint32_t slot = talk->by_seq[seq];
		int position;

		if (!slot)
			continue;
		if (slot & CHANGE_BIT && talk->room) {
			note_change(book, talk,
			            &talk->room->changes[slot & ~CHANGE_BIT],
			            own);
			continue;
		}
		position = ledger_talk_position(talk,
		                                book->entries[slot - 1].from);
		if (position >= 0)
			own[position] = (struct own){seq, seq};
	}
}

static void judge_number(struct ledger_book *book, const struct talk *talk,
                         unsigned user, const char *what, uint64_t kept,
                         uint64_t least, uint64_t most)
{
	if (kept < least || kept > most)
		ledger_fault(book, LEDGER_receipts,
		             "user %u has %s %llu of conversation %llu, not "
		             "%llu to %llu",
		             user, what, (unsigned long long)kept,
		             (unsigned long long)talk->id,
		             (unsigned long long)least,
		             (unsigned long long)most);
}

static uint64_t max3(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t most = a > b ? a : b;

	return most > c ? most : c;
}

static unsigned user_at(const struct talk *talk, unsigned position)
{
	if (talk->room)
		return talk->room->seats[position].user;
	return position == 0 ? talk->one : talk->two;
}

static bool is_in(const struct talk *talk, unsigned position)
{
	return !talk->room || ledger_stay_now(&talk->room->seats[position]);
}

static void judge_kept(struct ledger_book *book, const struct talk *talk,
                       unsigned position, const struct own *own)
{
	const struct reach *reach = &talk->reach[position];
	unsigned user = user_at(talk, position);
	uint64_t read = max3(reach->read.seq, own->any, 0);
	uint64_t delivered = max3(reach->delivered.seq, own->any, 0);

	judge_number(book, talk, user, "been said to have read",
	             reach->told_read, 0, read);
	judge_number(book, talk, user, "been said to have got",
	             reach->told_delivered, 0, delivered);
	if (!is_in(talk, position) || !reach->kept)
		return;
	judge_number(book, talk, user, "read", reach->kept_read,
	             max3(reach->read.sure, reach->told_read, own->written),
	             read);
	judge_number(book, talk, user, "got", reach->kept_delivered,
	             max3(reach->delivered.sure, reach->told_delivered,
	                  reach->kept_read),
	             delivered);
}

/*
 * Who was there when somebody first said how far they had read, and is there
 * still, was told: if it was news, which it is not to who had written since.
 */
static bool missed(struct ledger_book *book, const struct talk *talk,
                   struct ledger_place place, unsigned subject,
                   const struct own *own)
{
	const struct said *said = &talk->reach[subject].read;
	const struct device *device = ledger_device(book, place);
	const struct heard_reach *heard;
	int listener = ledger_talk_position(talk, place.user);
	const struct seat *seat =
		talk->room ? &talk->room->seats[listener] : NULL;

	if (said->sure != said->seq || said->seq <= own->any ||
	    !device->session || device->welcome_us > said->first_us)
		return false;
	if (seat && (!seat->in_since_us || seat->in_since_us > said->first_us))
		return false;
	heard = heard_of(book, talk, place, subject);
	return heard->session != device->session || heard->read < said->seq;
}

static void judge_told(struct ledger_book *book, const struct talk *talk,
                       unsigned subject, const struct own *own, unsigned crowd)
{
	for (unsigned listener = 0; listener < crowd; listener++) {
		struct ledger_place place = {user_at(talk, listener), 0};

		if (listener == subject ||
		    place.user == user_at(talk, subject) ||
		    !is_in(talk, listener) || !is_in(talk, subject))
			continue;
		for (; place.device < book->plan.devices; place.device++) {
			if (missed(book, talk, place, subject, own))
				ledger_fault(
					book, LEDGER_receipts,
					"user %u, device %u was not told that "
					"user %u has read %llu of "
					"conversation %llu",
					place.user, place.device,
					user_at(talk, subject),
					(unsigned long long)talk->reach[subject]
						.read.seq,
					(unsigned long long)talk->id);
		}
	}
}

static bool may_be_large(const struct ledger_book *book,
                         const struct talk *talk)
{
	return book->plan.list_max && talk->room &&
	       talk->room->count > book->plan.list_max;
}

void ledger_reach_judge(struct ledger_book *book, const struct talk *talk)
{
	struct own own[LEDGER_SEATS_MAX] = {{0}};
	unsigned crowd = talk->room ? talk->room->count : 2;

	if (!talk->room && talk->one == talk->two)
		crowd = 1;
	find_own(book, talk, own);
	for (unsigned i = 0; i < crowd; i++) {
		judge_kept(book, talk, i, &own[i]);
		if (!may_be_large(book, talk))
			judge_told(book, talk, i, &own[i], crowd);
	}
}
