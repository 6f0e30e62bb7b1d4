#include "client-test/chat/chat_room.h"
#include "client-test/cli/line.h"
#include "client-test/cli/people.h"
#include "client-test/client/alarm.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <utlist.h>

enum { SAY_TYPING_MS = 3000, TYPING_MS = 5000, RECEIPTS_MS = 300 };

/* Before it is known which conversation is ours. */
struct kept {
	uint64_t conversation, seq, user_from, user_to;
	struct kept *next;
	size_t len;
	char line[];
};

/* Another member: how far they have read, when they were seen to write. */
struct other {
	uint64_t user;
	uint64_t read;
	uint64_t typing_ms;
	struct other *next;
};

/* What has arrived of a conversation, and was not said yet. */
struct arrived {
	uint64_t conversation, seq;
	struct arrived *next;
};

struct chat_room {
	chat_room_line *line;
	void *context;
	struct alarm *receipts;
	struct talker *talker;
	struct kept *kept;
	struct other *others;
	struct arrived *arrived;
	uint64_t user;         /* with whom; 0: it is a conversation */
	uint64_t conversation; /* 0: not known, or nothing said yet */
	uint64_t shown, own;   /* the highest seqs, of all and of ours */
	uint64_t read_said;
	uint64_t typed_ms;
};

static void note_arrived(struct chat_room *room, const struct message *message)
{
	struct arrived *arrived;

	LL_SEARCH_SCALAR(room->arrived, arrived, conversation,
	                 message->conversation);
	if (!arrived) {
		arrived = mem_new(sizeof(*arrived));
		arrived->conversation = message->conversation;
		LL_PREPEND(room->arrived, arrived);
	}
	arrived->seq = message->seq;
	alarm_set(room->receipts, RECEIPTS_MS);
}

static void say_delivered(struct chat_room *room)
{
	while (room->arrived) {
		struct arrived *arrived = room->arrived;

		if (room->talker)
			talker_delivered(room->talker, arrived->conversation,
			                 arrived->seq);
		LL_DELETE(room->arrived, arrived);
		mem_free(&arrived);
	}
}

/* Many lines at once are one receipt. */
static void say_receipts(void *context)
{
	struct chat_room *room = context;

	say_delivered(room);
	if (!room->conversation || room->shown <= room->read_said)
		return;
	talker_read(room->talker, room->conversation, room->shown);
	room->read_said = room->shown;
}

struct chat_room *chat_room_create(struct uv_loop_s *loop, chat_room_line *line,
                                   void *context)
{
	struct chat_room *room = mem_new(sizeof(*room));

	room->line = line;
	room->context = context;
	room->receipts = alarm_create(loop, say_receipts, room);
	return room;
}

void chat_room_destroy(struct chat_room **room_at)
{
	struct chat_room *room = MOVE(*room_at);

	if (!room)
		return;
	while (room->kept) {
		struct kept *kept = room->kept;

		LL_DELETE(room->kept, kept);
		mem_free(&kept);
	}
	room->talker = NULL;
	say_delivered(room);
	while (room->others) {
		struct other *other = room->others;

		LL_DELETE(room->others, other);
		mem_free(&other);
	}
	alarm_destroy(&room->receipts);
	mem_free(&room);
}

bool chat_room_known(const struct chat_room *room)
{
	return room->user || room->conversation;
}

uint64_t chat_room_conversation(const struct chat_room *room)
{
	return room->conversation;
}

struct outbox_draft chat_room_draft(const struct chat_room *room)
{
	return (struct outbox_draft){
		.user_to = room->user,
		.conversation = room->user ? 0 : room->conversation,
	};
}

static struct other *other_of(struct chat_room *room, uint64_t user)
{
	struct other *other;

	LL_SEARCH_SCALAR(room->others, other, user, user);
	if (other)
		return other;
	other = mem_new(sizeof(*other));
	other->user = user;
	LL_PREPEND(room->others, other);
	return other;
}

/* --- entries ---------------------------------------------------------------
 */
/* Ours by its number, or, the first time, by who talks with whom. */
static bool is_here(const struct chat_room *room, uint64_t self,
                    uint64_t conversation, uint64_t user_from, uint64_t user_to)
{
	if (room->conversation)
		return conversation == room->conversation;
	return room->user && user_to &&
	       ((user_from == room->user && user_to == self) ||
	        (user_from == self && user_to == room->user));
}

static void note_shown(struct chat_room *room, uint64_t conversation,
                       uint64_t seq)
{
	room->conversation = conversation;
	if (seq > room->shown)
		room->shown = seq;
	alarm_set(room->receipts, RECEIPTS_MS);
}

static void keep(struct chat_room *room, const struct message *message,
                 struct span line)
{
	struct kept *kept = mem_new(sizeof(*kept) + line.len + 1);

	kept->conversation = message->conversation;
	kept->seq = message->seq;
	kept->user_from = message->user_from;
	kept->user_to = message->user_to;
	kept->len = line.len;
	memcpy(kept->line, line.data, line.len);
	LL_APPEND(room->kept, kept);
}

void chat_room_is(struct chat_room *room, struct talker *talker, uint64_t user,
                  uint64_t conversation)
{
	struct kept *kept, *next;

	room->talker = talker;
	room->user = user;
	room->conversation = conversation;
	LL_FOREACH_SAFE (room->kept, kept, next) {
		if (is_here(room, talker_user(talker), kept->conversation,
		            kept->user_from, kept->user_to)) {
			room->line(room->context,
			           span_make(kept->line, kept->len));
			note_shown(room, kept->conversation, kept->seq);
		}
		LL_DELETE(room->kept, kept);
		mem_free(&kept);
	}
}

static void tell_of_elsewhere(struct chat_room *room,
                              const struct message *message)
{
	struct buf line CLEANUP(buf_free) = BUF(256);

	buf_append(&line, SPAN("-- "));
	people_mark(&line, message->user_from);
	buf_format(&line, " writes elsewhere (conversation %llu)",
	           (unsigned long long)message->conversation);
	room->line(room->context, buf_span(&line));
}

void chat_room_message(struct chat_room *room, struct talker *talker,
                       const struct message *message, bool own, bool live)
{
	const struct line_style style = {
		.self = talker_user(talker),
		.numbered = true,
	};
	struct buf line CLEANUP(buf_free) = BUF(LINE_LONGEST);
	bool here = is_here(room, style.self, message->conversation,
	                    message->user_from, message->user_to);

	room->talker = talker;
	note_arrived(room, message);
	if (own && !here)
		return;
	line_entry(&line, message, &style);
	if (!chat_room_known(room)) {
		keep(room, message, buf_span(&line));
	} else if (here) {
		if (!own)
			room->line(room->context, buf_span(&line));
		if (message->user_from == style.self)
			room->own = message->seq;
		else
			other_of(room, message->user_from)->typing_ms = 0;
		note_shown(room, message->conversation, message->seq);
	} else if (live && message->change == CHANGE_none) {
		tell_of_elsewhere(room, message);
	}
}

void chat_room_saved(struct chat_room *room, const struct outcome *outcome)
{
	if (outcome->entry->draft.kind != OUTBOX_MESSAGE)
		return;
	if (outcome->seq > room->own)
		room->own = outcome->seq;
	note_shown(room, outcome->conversation, outcome->seq);
	/* Writing reads what is before. */
	if (outcome->seq > room->read_said)
		room->read_said = outcome->seq;
}

void chat_room_changed(struct chat_room *room, struct talker *talker,
                       const struct message_edit *edit)
{
	const struct line_style style = {.self = talker_user(talker)};
	struct buf line CLEANUP(buf_free) = BUF(LINE_LONGEST);

	if (edit->conversation != room->conversation)
		return;
	line_edit(&line, edit, &style);
	room->line(room->context, buf_span(&line));
}

/* --- others ----------------------------------------------------------------
 */
void chat_room_receipt(struct chat_room *room, struct talker *talker,
                       const struct talker_receipt *receipt)
{
	struct buf line CLEANUP(buf_free) = BUF(256);
	struct other *other;
	uint64_t before;

	if (receipt->conversation != room->conversation ||
	    receipt->user == talker_user(talker))
		return;
	other = other_of(room, receipt->user);
	before = other->read;
	if (receipt->read <= before)
		return; /* old, or only delivered */
	other->read = receipt->read;
	/* News is only what was read of ours. */
	if (room->own <= before || !room->own || receipt->read < room->own)
		return;
	buf_append(&line, SPAN("-- "));
	people_mark(&line, receipt->user);
	buf_format(&line, " has read up to #%llu",
	           (unsigned long long)receipt->read);
	room->line(room->context, buf_span(&line));
}

void chat_room_typing(struct chat_room *room, struct talker *talker,
                      uint64_t conversation, uint64_t user)
{
	struct buf line CLEANUP(buf_free) = BUF(256);
	uint64_t now_ms = clock_mono_ms();
	struct other *other;

	if (conversation != room->conversation || user == talker_user(talker))
		return;
	other = other_of(room, user);
	if (!other->typing_ms || now_ms - other->typing_ms > TYPING_MS) {
		buf_append(&line, SPAN("-- "));
		people_mark(&line, user);
		buf_append(&line, SPAN(" is typing…"));
		room->line(room->context, buf_span(&line));
	}
	other->typing_ms = now_ms;
}

/* --- ourselves -------------------------------------------------------------
 */
void chat_room_typed(struct chat_room *room, struct talker *talker)
{
	uint64_t now_ms = clock_mono_ms();

	if (!room->conversation ||
	    (room->typed_ms && now_ms - room->typed_ms < SAY_TYPING_MS))
		return;
	room->typed_ms = now_ms;
	talker_typing(talker, room->conversation);
}

void chat_room_online(struct chat_room *room, struct talker *talker)
{
	room->talker = talker;
	room->read_said = 0;
	alarm_set(room->receipts, RECEIPTS_MS);
}
