#include "tests/ledger/ledger_history.h"
#include "client-test/client/loop_timer.h"
#include "common/base/mem.h"

enum { READERS = 4, PAGE = 200, PATH_MAX_ = 1024, AGAIN_MS = 300 };

struct listed {
	uint64_t conversation;
	uint64_t last_seq;
};

/* One of a few that take the users in turn. */
struct reader {
	struct ledger_history *history;
	struct loop_timer *again;
	unsigned user;
	struct buf path; /* of the call under way */
	struct listed *listed;
	unsigned listed_count;
	unsigned at;  /* in `listed`; the list itself is read before */
	uint64_t seq; /* read so far, of that conversation */
	bool has_list;
	bool counting; /* members, of a conversation that was read */
	unsigned room; /* then those that are not in the list: next */
	bool intruding;
	bool busy;
};

struct ledger_history {
	struct rest *rest;
	struct ledger_book *book;
	struct ledger_user *const *users;
	unsigned user_count, next_user, done_users;
	bool *done;
	struct reader readers[READERS];
};

static void call(void *context);

static void next_user(struct reader *reader)
{
	struct ledger_history *history = reader->history;

	reader->busy = history->next_user < history->user_count;
	if (!reader->busy)
		return;
	reader->user = history->next_user++;
	reader->listed_count = 0;
	reader->has_list = false;
	reader->intruding = false;
	reader->counting = false;
	reader->at = 0;
	reader->room = 0;
	buf_clear(&reader->path);
	buf_append(&reader->path, SPAN("/conversations?limit=200"));
	call(reader);
}

static void messages_path(struct reader *reader)
{
	buf_clear(&reader->path);
	buf_format(&reader->path,
	           "/conversations/%llu/messages?after=%llu&limit=%u",
	           (unsigned long long)reader->listed[reader->at].conversation,
	           (unsigned long long)reader->seq, (unsigned)PAGE);
}

/* Crowds fit into a page. */
static void members_path(struct reader *reader)
{
	reader->counting = true;
	buf_clear(&reader->path);
	buf_format(&reader->path, "/conversations/%llu/members?limit=%u",
	           (unsigned long long)reader->listed[reader->at].conversation,
	           (unsigned)PAGE);
}

static bool is_listed(const struct reader *reader, uint64_t conversation)
{
	for (unsigned i = 0; i < reader->listed_count; i++) {
		if (reader->listed[i].conversation == conversation)
			return true;
	}
	return false;
}

/* The next room that is not theirs: it must not be there for them. */
static bool intrude(struct reader *reader)
{
	const struct ledger_book *book = reader->history->book;

	while (reader->room < ledger_book_rooms(book)) {
		uint64_t id = ledger_book_room_id(book, reader->room++);

		if (!id || is_listed(reader, id))
			continue;
		reader->intruding = true;
		buf_clear(&reader->path);
		buf_format(&reader->path, "/conversations/%llu/messages",
		           (unsigned long long)id);
		return true;
	}
	return false;
}

static void next_conversation(struct reader *reader)
{
	struct ledger_history *history = reader->history;

	reader->seq = 0;
	if (reader->at < reader->listed_count) {
		messages_path(reader);
		call(reader);
		return;
	}
	if (intrude(reader)) {
		call(reader);
		return;
	}
	if (++history->done_users == history->user_count)
		*history->done = true;
	next_user(reader);
}

/* Servers from before receipts say nothing of them. */
static void take_reach(struct reader *reader, const struct json *item,
                       const struct listed *listed)
{
	struct ledger_book *book = reader->history->book;
	uint64_t read, delivered, unread;

	if (!json_get_id(item, "read_seq", &read) ||
	    !json_get_id(item, "delivered_seq", &delivered) ||
	    !json_get_id(item, "unread", &unread))
		return;
	ledger_book_unread(book, reader->user, listed->conversation, read,
	                   listed->last_seq, unread);
	ledger_book_reach(book, listed->conversation,
	                  ledger_book_id(book, reader->user), delivered, read);
}

static void take_members(struct reader *reader, const struct json *page)
{
	struct ledger_book *book = reader->history->book;
	const struct listed *listed = &reader->listed[reader->at];
	const struct json *item;
	uint64_t user, delivered, read;

	for (unsigned i = 0; (item = json_get_item(page, "members", i)) != NULL;
	     i++) {
		if (!json_get_id(item, "user", &user) ||
		    !json_get_id(item, "read_seq", &read) ||
		    !json_get_id(item, "delivered_seq", &delivered))
			ledger_book_garbled(
				book, (struct ledger_place){reader->user, 0},
				SPAN("a list of members"));
		else
			ledger_book_reach(book, listed->conversation, user,
			                  delivered, read);
	}
	reader->counting = false;
	reader->at++;
	next_conversation(reader);
}

static void take_list(struct reader *reader, const struct json *page)
{
	const struct json *item;
	struct span next;
	uint64_t number;

	for (unsigned i = 0;
	     (item = json_get_item(page, "conversations", i)) != NULL; i++) {
		struct listed one;

		if (!json_get_id(item, "id", &one.conversation) ||
		    !json_get_id(item, "last_seq", &one.last_seq)) {
			ledger_book_garbled(
				reader->history->book,
				(struct ledger_place){reader->user, 0},
				SPAN("a list of conversations"));
			continue;
		}
		reader->listed = mem_resize(reader->listed,
		                            (reader->listed_count + 1) *
		                                    sizeof(*reader->listed));
		reader->listed[reader->listed_count++] = one;
		take_reach(reader, item, &one);
	}
	buf_clear(&reader->path);
	buf_append(&reader->path, SPAN("/conversations?limit=200&before="));
	if (json_get_id(page, "next", &number)) {
		buf_number(&reader->path, number);
		call(reader);
	} else if (json_get_text(page, "next", &next)) {
		rest_escape(&reader->path, next);
		call(reader);
	} else {
		reader->has_list = true;
		next_conversation(reader);
	}
}

static void take_messages(struct reader *reader, const struct json *page)
{
	struct ledger_book *book = reader->history->book;
	const struct listed *listed = &reader->listed[reader->at];
	const struct json *item;
	uint64_t next;

	for (unsigned i = 0;
	     (item = json_get_item(page, "messages", i)) != NULL; i++) {
		struct message message;

		if (!message_read(item, &message)) {
			ledger_book_garbled(
				book, (struct ledger_place){reader->user, 0},
				SPAN("a message of the history"));
			continue;
		}
		ledger_book_history(book, reader->user, &message, reader->seq);
		reader->seq = message.seq;
	}
	if (json_get_id(page, "next", &next) && next > 0) {
		messages_path(reader);
		call(reader);
		return;
	}
	ledger_book_history_end(book, reader->user, listed->conversation,
	                        reader->seq, listed->last_seq);
	if (ledger_book_owns(book, reader->user, listed->conversation)) {
		members_path(reader);
		call(reader);
		return;
	}
	reader->at++;
	next_conversation(reader);
}

static void answered(void *context, const struct rest_answer *answer)
{
	struct reader *reader = context;

	if (reader->intruding && answer->status == ST_NOT_FOUND) {
		next_conversation(reader);
	} else if (answer->status != ST_OK) {
		if (answer->status == ST_DENIED)
			ledger_user_sign_in(
				reader->history->users[reader->user]);
		loop_timer_start(reader->again, AGAIN_MS);
	} else if (reader->intruding) {
		ledger_book_intruded(reader->history->book, reader->user,
		                     ledger_book_room_id(reader->history->book,
		                                         reader->room - 1));
		next_conversation(reader);
	} else if (reader->counting) {
		take_members(reader, answer->json);
	} else if (reader->has_list) {
		take_messages(reader, answer->json);
	} else {
		take_list(reader, answer->json);
	}
}

static void call(void *context)
{
	struct reader *reader = context;
	struct ledger_history *history = reader->history;

	rest_get(history->rest, ledger_user_token(history->users[reader->user]),
	         buf_text(&reader->path), answered, reader);
}

struct ledger_history *ledger_history_create(
	struct uv_loop_s *loop, struct rest *rest, struct ledger_book *book,
	struct ledger_user *const *users, unsigned user_count, bool *ret_done)
{
	struct ledger_history *history = mem_new(sizeof(*history));

	history->rest = rest;
	history->book = book;
	history->users = users;
	history->user_count = user_count;
	history->done = ret_done;
	*ret_done = false;
	for (unsigned i = 0; i < READERS; i++) {
		struct reader *reader = &history->readers[i];

		reader->history = history;
		reader->path = BUF(PATH_MAX_);
		reader->again = loop_timer_create(loop, call, reader);
		next_user(reader);
	}
	return history;
}

void ledger_history_destroy(struct ledger_history **history)
{
	if (!*history)
		return;
	for (unsigned i = 0; i < READERS; i++) {
		struct reader *reader = &(*history)->readers[i];

		loop_timer_destroy(&reader->again);
		buf_free(&reader->path);
		mem_free(&reader->listed);
	}
	mem_free(history);
}
