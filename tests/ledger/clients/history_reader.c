#include "tests/ledger/clients/history_reader.h"
#include "client-test/client/loop_timer.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/histories.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/observations.h"
#include "tests/ledger/judge/receipts.h"
#include "tests/ledger/judge/rooms.h"
#include "tests/ledger/judge/verdict.h"

enum { WORKERS = 4, PAGE = 200, PATH_MAX_ = 1024, AGAIN_MS = 300 };

struct listed {
	uint64_t conversation;
	uint64_t last_seq;
	uint64_t revision;
};

/* One of WORKERS that take the users in turn. */
struct worker {
	struct history_reader *reader;
	struct loop_timer *again;
	unsigned user;
	struct buf path; /* of the call under way */
	struct listed *listed;
	unsigned listed_count;
	unsigned at;  /* in `listed`, which is complete then */
	uint64_t seq; /* read so far in that conversation */
	bool has_list;
	bool reading_members; /* of the conversation that was read */
	unsigned room;        /* the next one to test for access */
	bool testing_access;  /* to a room that is not in the list */
	bool busy;
};

struct history_reader {
	struct rest *rest;
	struct ledger *ledger;
	struct user *const *users;
	unsigned user_count, next_user, done_users;
	bool *done;
	struct worker workers[WORKERS];
};

static void call(void *context);

static void next_user(struct worker *worker)
{
	struct history_reader *reader = worker->reader;

	worker->busy = reader->next_user < reader->user_count;
	if (!worker->busy)
		return;
	worker->user = reader->next_user++;
	worker->listed_count = 0;
	worker->has_list = false;
	worker->testing_access = false;
	worker->reading_members = false;
	worker->at = 0;
	worker->room = 0;
	buf_clear(&worker->path);
	buf_append(&worker->path, SPAN("/conversations?limit=200"));
	call(worker);
}

static void messages_path(struct worker *worker)
{
	buf_clear(&worker->path);
	buf_format(&worker->path,
	           "/conversations/%llu/messages?after=%llu&limit=%u",
	           (unsigned long long)worker->listed[worker->at].conversation,
	           (unsigned long long)worker->seq, (unsigned)PAGE);
}

/* All members fit into one page. */
static void members_path(struct worker *worker)
{
	worker->reading_members = true;
	buf_clear(&worker->path);
	buf_format(&worker->path, "/conversations/%llu/members?limit=%u",
	           (unsigned long long)worker->listed[worker->at].conversation,
	           (unsigned)PAGE);
}

static bool is_listed(const struct worker *worker, uint64_t conversation)
{
	for (unsigned i = 0; i < worker->listed_count; i++) {
		if (worker->listed[i].conversation == conversation)
			return true;
	}
	return false;
}

/*
 * Picks the next room not in the user's list: it must not exist for the user.
 */
static bool test_next_room(struct worker *worker)
{
	const struct ledger *ledger = worker->reader->ledger;

	while (worker->room < rooms_count(ledger)) {
		uint64_t id = rooms_conversation(ledger, worker->room++);

		if (!id || is_listed(worker, id))
			continue;
		worker->testing_access = true;
		buf_clear(&worker->path);
		buf_format(&worker->path, "/conversations/%llu/messages",
		           (unsigned long long)id);
		return true;
	}
	return false;
}

static void next_conversation(struct worker *worker)
{
	struct history_reader *reader = worker->reader;

	worker->seq = 0;
	if (worker->at < worker->listed_count) {
		messages_path(worker);
		call(worker);
		return;
	}
	if (test_next_room(worker)) {
		call(worker);
		return;
	}
	if (++reader->done_users == reader->user_count)
		*reader->done = true;
	next_user(worker);
}

/* A server without receipts sends no such members. */
static void take_receipts(struct worker *worker, const struct json *item,
                          const struct listed *listed)
{
	struct ledger *ledger = worker->reader->ledger;
	uint64_t read, delivered, unread;

	if (!json_get_id(item, "read_seq", &read) ||
	    !json_get_id(item, "delivered_seq", &delivered) ||
	    !json_get_id(item, "unread", &unread))
		return;
	receipts_unread(ledger, worker->user, listed->conversation, read,
	                listed->last_seq, unread);
	receipts_stored(ledger, listed->conversation,
	                ledger_user_id(ledger, worker->user), delivered, read);
}

static void take_members(struct worker *worker, const struct json *page)
{
	struct ledger *ledger = worker->reader->ledger;
	const struct listed *listed = &worker->listed[worker->at];
	const struct json *item;
	uint64_t user, delivered, read;

	for (unsigned i = 0; (item = json_get_item(page, "members", i)) != NULL;
	     i++) {
		if (!json_get_id(item, "user", &user) ||
		    !json_get_id(item, "read_seq", &read) ||
		    !json_get_id(item, "delivered_seq", &delivered))
			observations_unreadable(
				ledger,
				(struct ledger_device_id){worker->user, 0},
				SPAN("a list of members"));
		else
			receipts_stored(ledger, listed->conversation, user,
			                delivered, read);
	}
	worker->reading_members = false;
	worker->at++;
	next_conversation(worker);
}

static void take_list(struct worker *worker, const struct json *page)
{
	const struct json *item;

	for (unsigned i = 0;
	     (item = json_get_item(page, "conversations", i)) != NULL; i++) {
		struct listed one;

		if (!json_get_id(item, "id", &one.conversation) ||
		    !json_get_id(item, "last_seq", &one.last_seq) ||
		    !json_get_id(item, "revision", &one.revision)) {
			observations_unreadable(
				worker->reader->ledger,
				(struct ledger_device_id){worker->user, 0},
				SPAN("a list of conversations"));
			continue;
		}
		worker->listed = mem_resize(worker->listed,
		                            (worker->listed_count + 1) *
		                                    sizeof(*worker->listed));
		worker->listed[worker->listed_count++] = one;
		edits_listed(worker->reader->ledger, one.conversation,
		             one.revision);
		take_receipts(worker, item, &one);
	}
	buf_clear(&worker->path);
	buf_append(&worker->path, SPAN("/conversations?limit=200&before="));
	if (rest_next_page(page, &worker->path)) {
		call(worker);
	} else {
		worker->has_list = true;
		next_conversation(worker);
	}
}

static void take_messages(struct worker *worker, const struct json *page)
{
	struct ledger *ledger = worker->reader->ledger;
	const struct listed *listed = &worker->listed[worker->at];
	const struct json *item;
	uint64_t next;

	for (unsigned i = 0;
	     (item = json_get_item(page, "messages", i)) != NULL; i++) {
		struct message message;

		if (!message_read(item, &message)) {
			observations_unreadable(
				ledger,
				(struct ledger_device_id){worker->user, 0},
				SPAN("a message of the history"));
			continue;
		}
		histories_entry(ledger, worker->user, &message, worker->seq);
		worker->seq = message.seq;
	}
	if (json_get_id(page, "next", &next) && next > 0) {
		messages_path(worker);
		call(worker);
		return;
	}
	histories_end(ledger, worker->user, listed->conversation, worker->seq,
	              listed->last_seq);
	if (rooms_owned_by(ledger, worker->user, listed->conversation)) {
		members_path(worker);
		call(worker);
		return;
	}
	worker->at++;
	next_conversation(worker);
}

static void answered(void *context, const struct rest_answer *answer)
{
	struct worker *worker = context;

	if (worker->testing_access && answer->status == ST_NOT_FOUND) {
		next_conversation(worker);
	} else if (answer->status != ST_OK) {
		if (answer->status == ST_DENIED)
			user_sign_in(worker->reader->users[worker->user]);
		loop_timer_start(worker->again, AGAIN_MS);
	} else if (worker->testing_access) {
		histories_read_by_non_member(
			worker->reader->ledger, worker->user,
			rooms_conversation(worker->reader->ledger,
		                           worker->room - 1));
		next_conversation(worker);
	} else if (worker->reading_members) {
		take_members(worker, answer->json);
	} else if (worker->has_list) {
		take_messages(worker, answer->json);
	} else {
		take_list(worker, answer->json);
	}
}

static void call(void *context)
{
	struct worker *worker = context;
	struct history_reader *reader = worker->reader;

	rest_get(reader->rest, user_token(reader->users[worker->user]),
	         buf_text(&worker->path), answered, worker);
}

struct history_reader *
history_reader_create(struct uv_loop_s *loop, struct rest *rest,
                      struct ledger *ledger, struct user *const *users,
                      unsigned user_count, bool *ret_done)
{
	struct history_reader *reader = mem_new(sizeof(*reader));

	reader->rest = rest;
	reader->ledger = ledger;
	reader->users = users;
	reader->user_count = user_count;
	reader->done = ret_done;
	*ret_done = false;
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &reader->workers[i];

		worker->reader = reader;
		worker->path = BUF(PATH_MAX_);
		worker->again = loop_timer_create(loop, call, worker);
		next_user(worker);
	}
	return reader;
}

void history_reader_destroy(struct history_reader **reader)
{
	if (!*reader)
		return;
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &(*reader)->workers[i];

		loop_timer_destroy(&worker->again);
		buf_free(&worker->path);
		mem_free(&worker->listed);
	}
	mem_free(reader);
}
