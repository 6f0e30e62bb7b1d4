#include "client-test/chat/chat_view.h"
#include "client-test/cli/message_line.h"
#include "client-test/cli/user_names.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <utlist.h>

enum { SEND_TYPING_MS = 3000, TYPING_MS = 5000, RECEIPTS_MS = 300 };

/* An entry that arrived before the conversation was known. */
struct kept {
	uint64_t conversation, seq, user_from, user_to;
	struct kept *next;
	size_t len;
	char line[];
};

/* Another member: how far they have read, when they last typed. */
struct other_member {
	uint64_t user;
	uint64_t read;
	uint64_t typing_ms;
	struct other_member *next;
};

/* The last entry of a conversation whose `delivered` was not sent yet. */
struct arrived {
	uint64_t conversation, seq;
	struct arrived *next;
};

struct chat_view {
	chat_view_line *line;
	void *context;
	struct loop_timer *receipts;
	struct user_session *session;
	struct kept *kept;
	struct other_member *others;
	struct arrived *arrived;
	uint64_t user;         /* the other user; 0: a group or channel */
	uint64_t conversation; /* 0: unknown, or nothing written yet */
	uint64_t shown, own;   /* the highest seqs: shown, and sent by us */
	uint64_t read_sent;
	uint64_t typing_sent_ms;
};

static void note_arrived(struct chat_view *view, const struct message *message)
{
	struct arrived *arrived;

	LL_SEARCH_SCALAR(view->arrived, arrived, conversation,
	                 message->conversation);
	if (!arrived) {
		arrived = mem_new(sizeof(*arrived));
		arrived->conversation = message->conversation;
		LL_PREPEND(view->arrived, arrived);
	}
	arrived->seq = message->seq;
	loop_timer_start(view->receipts, RECEIPTS_MS);
}

static void send_delivered(struct chat_view *view)
{
	while (view->arrived) {
		struct arrived *arrived = view->arrived;

		if (view->session)
			user_session_delivered(view->session,
			                       arrived->conversation,
			                       arrived->seq);
		LL_DELETE(view->arrived, arrived);
		mem_free(&arrived);
	}
}

/* One receipt covers all lines that arrive together. */
static void send_receipts(void *context)
{
	struct chat_view *view = context;

	send_delivered(view);
	if (!view->conversation || view->shown <= view->read_sent)
		return;
	user_session_read(view->session, view->conversation, view->shown);
	view->read_sent = view->shown;
}

struct chat_view *chat_view_create(struct uv_loop_s *loop, chat_view_line *line,
                                   void *context)
{
	struct chat_view *view = mem_new(sizeof(*view));

	view->line = line;
	view->context = context;
	view->receipts = loop_timer_create(loop, send_receipts, view);
	return view;
}

void chat_view_destroy(struct chat_view **view_at)
{
	struct chat_view *view = MOVE(*view_at);

	if (!view)
		return;
	while (view->kept) {
		struct kept *kept = view->kept;

		LL_DELETE(view->kept, kept);
		mem_free(&kept);
	}
	view->session = NULL;
	send_delivered(view);
	while (view->others) {
		struct other_member *other = view->others;

		LL_DELETE(view->others, other);
		mem_free(&other);
	}
	loop_timer_destroy(&view->receipts);
	mem_free(&view);
}

bool chat_view_known(const struct chat_view *view)
{
	return view->user || view->conversation;
}

uint64_t chat_view_conversation(const struct chat_view *view)
{
	return view->conversation;
}

struct message_draft chat_view_draft(const struct chat_view *view)
{
	return (struct message_draft){
		.user_to = view->user,
		.conversation = view->user ? 0 : view->conversation,
	};
}

static struct other_member *other_of(struct chat_view *view, uint64_t user)
{
	struct other_member *other;

	LL_SEARCH_SCALAR(view->others, other, user, user);
	if (other)
		return other;
	other = mem_new(sizeof(*other));
	other->user = user;
	LL_PREPEND(view->others, other);
	return other;
}

/* --- entries ------------------------------------------------------------- */
/* Compares ids; before the id is known, compares the two users. */
static bool is_here(const struct chat_view *view, uint64_t self,
                    uint64_t conversation, uint64_t user_from, uint64_t user_to)
{
	if (view->conversation)
		return conversation == view->conversation;
	return view->user && user_to &&
	       ((user_from == view->user && user_to == self) ||
	        (user_from == self && user_to == view->user));
}

static void note_shown(struct chat_view *view, uint64_t conversation,
                       uint64_t seq)
{
	view->conversation = conversation;
	if (seq > view->shown)
		view->shown = seq;
	loop_timer_start(view->receipts, RECEIPTS_MS);
}

static void keep(struct chat_view *view, const struct message *message,
                 struct span line)
{
	struct kept *kept = mem_new(sizeof(*kept) + line.len + 1);

	kept->conversation = message->conversation;
	kept->seq = message->seq;
	kept->user_from = message->user_from;
	kept->user_to = message->user_to;
	kept->len = line.len;
	memcpy(kept->line, line.data, line.len);
	LL_APPEND(view->kept, kept);
}

void chat_view_open(struct chat_view *view, struct user_session *session,
                    uint64_t user, uint64_t conversation)
{
	struct kept *kept, *next;

	view->session = session;
	view->user = user;
	view->conversation = conversation;
	LL_FOREACH_SAFE (view->kept, kept, next) {
		if (is_here(view, user_session_user(session),
		            kept->conversation, kept->user_from,
		            kept->user_to)) {
			view->line(view->context,
			           span_make(kept->line, kept->len));
			note_shown(view, kept->conversation, kept->seq);
		}
		LL_DELETE(view->kept, kept);
		mem_free(&kept);
	}
}

static void announce_elsewhere(struct chat_view *view,
                               const struct message *message)
{
	struct buf line CLEANUP(buf_free) = BUF(256);

	buf_append(&line, SPAN("-- "));
	user_names_mark(&line, message->user_from);
	buf_format(&line, " writes elsewhere (conversation %llu)",
	           (unsigned long long)message->conversation);
	view->line(view->context, buf_span(&line));
}

void chat_view_message(struct chat_view *view, struct user_session *session,
                       const struct message *message, bool own, bool live)
{
	const struct message_line_style style = {
		.self = user_session_user(session),
		.numbered = true,
	};
	struct buf line CLEANUP(buf_free) = BUF(MESSAGE_LINE_MAX);
	bool here = is_here(view, style.self, message->conversation,
	                    message->user_from, message->user_to);

	view->session = session;
	note_arrived(view, message);
	if (own && !here)
		return;
	message_line_entry(&line, message, &style);
	if (!chat_view_known(view)) {
		keep(view, message, buf_span(&line));
	} else if (here) {
		if (!own)
			view->line(view->context, buf_span(&line));
		if (message->user_from == style.self)
			view->own = message->seq;
		else
			other_of(view, message->user_from)->typing_ms = 0;
		note_shown(view, message->conversation, message->seq);
	} else if (live && message->change == CHANGE_none) {
		announce_elsewhere(view, message);
	}
}

void chat_view_saved(struct chat_view *view, const struct send_result *result)
{
	if (result->entry->draft.kind != DRAFT_MESSAGE)
		return;
	if (result->seq > view->own)
		view->own = result->seq;
	note_shown(view, result->conversation, result->seq);
	/* Sending a message marks everything before it as read. */
	if (result->seq > view->read_sent)
		view->read_sent = result->seq;
}

void chat_view_changed(struct chat_view *view, struct user_session *session,
                       const struct message_edit *edit)
{
	const struct message_line_style style = {
		.self = user_session_user(session)};
	struct buf line CLEANUP(buf_free) = BUF(MESSAGE_LINE_MAX);

	if (edit->conversation != view->conversation)
		return;
	message_line_edit(&line, edit, &style);
	view->line(view->context, buf_span(&line));
}

/* --- other members ------------------------------------------------------- */
void chat_view_receipt(struct chat_view *view, struct user_session *session,
                       const struct user_session_receipt *receipt)
{
	struct buf line CLEANUP(buf_free) = BUF(256);
	struct other_member *other;
	uint64_t before;

	if (receipt->conversation != view->conversation ||
	    receipt->user == user_session_user(session))
		return;
	other = other_of(view, receipt->user);
	before = other->read;
	if (receipt->read <= before)
		return; /* old, or only delivered */
	other->read = receipt->read;
	/* Shown only if it covers the last message sent by us. */
	if (view->own <= before || !view->own || receipt->read < view->own)
		return;
	buf_append(&line, SPAN("-- "));
	user_names_mark(&line, receipt->user);
	buf_format(&line, " has read up to #%llu",
	           (unsigned long long)receipt->read);
	view->line(view->context, buf_span(&line));
}

void chat_view_typing(struct chat_view *view, struct user_session *session,
                      uint64_t conversation, uint64_t user)
{
	struct buf line CLEANUP(buf_free) = BUF(256);
	uint64_t now_ms = clock_mono_ms();
	struct other_member *other;

	if (conversation != view->conversation ||
	    user == user_session_user(session))
		return;
	other = other_of(view, user);
	if (!other->typing_ms || now_ms - other->typing_ms > TYPING_MS) {
		buf_append(&line, SPAN("-- "));
		user_names_mark(&line, user);
		buf_append(&line, SPAN(" is typing…"));
		view->line(view->context, buf_span(&line));
	}
	other->typing_ms = now_ms;
}

/* --- this user ----------------------------------------------------------- */
void chat_view_send_typing(struct chat_view *view, struct user_session *session)
{
	uint64_t now_ms = clock_mono_ms();

	if (!view->conversation ||
	    (view->typing_sent_ms &&
	     now_ms - view->typing_sent_ms < SEND_TYPING_MS))
		return;
	view->typing_sent_ms = now_ms;
	user_session_typing(session, view->conversation);
}

void chat_view_online(struct chat_view *view, struct user_session *session)
{
	view->session = session;
	view->read_sent = 0;
	loop_timer_start(view->receipts, RECEIPTS_MS);
}
