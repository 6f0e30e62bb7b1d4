/*
 * The end of a ledger: histories are held against each other, and every
 * message against what was promised for it.
 */
#include "client-test/ledger_book.h"
#include "client-test/ledger_private.h"
#include "common/base/mem.h"

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

static void store(struct ledger_book *book, unsigned user, uint32_t number)
{
	struct entry *entry = &book->entries[number];
	bool *stored =
		user == entry->from ? &entry->stored_from : &entry->stored_to;

	if (*stored)
		ledger_fault(book, LEDGER_duplicates,
		             "message %u twice in the history of user %u",
		             number, user);
	*stored = true;
	if (entry->from == entry->to)
		entry->stored_to = true;
}

void ledger_book_history(struct ledger_book *book, unsigned user,
                         const struct message *message, uint64_t before_seq)
{
	uint64_t received = book->totals.received;
	struct entry *entry;
	device_set got;
	uint32_t number;

	if (!ledger_book_find(book, (struct ledger_place){user, 0},
	                      &message->uuid, &number))
		return;
	/* The judge's own reading is no receipt of any device. */
	entry = &book->entries[number];
	got = entry->got;
	ledger_book_message(book, (struct ledger_place){user, 0}, message,
	                    false);
	entry->got = got;
	book->totals.received = received;
	if (user != entry->from && user != entry->to)
		return; /* misrouted: that was said */
	check_place(book, user, message, before_seq);
	store(book, user, number);
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
static void count_missing(struct ledger_book *book, enum ledger_fault fault,
                          uint32_t number, device_set missing)
{
	const struct entry *entry = &book->entries[number];

	if (missing)
		ledger_fault(book, fault,
		             "message %u (%u to %u, conversation %llu, seq "
		             "%u%s), devices 0x%x",
		             number, entry->from, entry->to,
		             (unsigned long long)entry->conversation,
		             entry->seq, entry->accepted ? ", accepted" : "",
		             (unsigned)missing);
}

/*
 * The devices whose session began before the message was first sent and goes
 * on: they must have heard it. The one that sent it gets `saved` instead.
 */
static bool must_have_heard(const struct ledger_book *book,
                            const struct entry *entry,
                            struct ledger_place place)
{
	const struct device *device = ledger_device(book, place);

	return device->session && device->welcome_us <= entry->sent_us;
}

static device_set not_heard_by(const struct ledger_book *book,
                               const struct entry *entry, unsigned user)
{
	bool own = user == entry->from;
	device_set missing = 0;

	for (unsigned i = 0; i < book->plan.devices; i++) {
		struct ledger_place place = {user, i};
		device_set bit = ledger_bit(book, entry, place);
		bool sent_it = own && i == entry->device;

		if (must_have_heard(book, entry, place) &&
		    ((own && !(entry->told & bit)) ||
		     (!sent_it && !(entry->heard & bit))))
			missing |= bit;
	}
	return missing;
}

static device_set not_heard(const struct ledger_book *book,
                            const struct entry *entry)
{
	return not_heard_by(book, entry, entry->from) |
	       not_heard_by(book, entry, entry->to);
}

static void judge_entry(struct ledger_book *book, uint32_t number)
{
	const struct entry *entry = &book->entries[number];
	bool stored = entry->stored_from && entry->stored_to;

	if (!entry->sent_us)
		return;
	if (entry->stored_from != entry->stored_to)
		ledger_fault(book, LEDGER_split,
		             "message %u is in the history of user %u only",
		             number,
		             entry->stored_from ? entry->from : entry->to);
	if (!stored) {
		if (entry->acked_us)
			ledger_fault(book, LEDGER_lost,
			             "message %u (%u to %u), %s", number,
			             entry->from, entry->to,
			             entry->saved_us ? "saved" : "accepted");
		else if (!entry->refused)
			book->totals.unknown++;
		return;
	}
	book->totals.stored++;
	book->totals.unanswered_kept += !entry->acked_us;
	count_missing(book, LEDGER_undelivered, number,
	              ledger_members(book, entry) & (device_set)~entry->got);
	count_missing(book, LEDGER_unheard, number, not_heard(book, entry));
}

/*
 * By seq: what was sent after another of the same sender was answered stands
 * behind it.
 */
static void judge_order(struct ledger_book *book, const struct talk *talk)
{
	uint64_t latest_us[2] = {0, 0};

	for (uint32_t seq = 1; seq <= talk->top; seq++) {
		const struct entry *entry;
		unsigned side;

		if (!talk->by_seq[seq])
			continue; /* the histories said so */
		entry = &book->entries[talk->by_seq[seq] - 1];
		side = entry->from == talk->one ? 0 : 1;
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

	for (uint32_t number = 0; number < book->count; number++)
		judge_entry(book, number);
	while ((talk = ledger_talk_after(book, talk)))
		judge_order(book, talk);
}
