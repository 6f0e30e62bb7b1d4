/*
 * Changes of groups and channels against a real server, also while other
 * requests change the same ones, and while a saver takes their seqs.
 */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "persistence-service/rest/membership/membership.h"
#include "persistence-service/sql_time.h"
#include "persistence-service/tests/chat_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ANN = 1, BOB = 2, CAT = 3, DAN = 4 };

static struct sql_session *session;
static struct membership *membership;

static int start(void **state)
{
	(void)state;
	chat_start();
	session = sql_session_create(&chat_settings);
	membership = membership_create(&chat_settings, session);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	membership_destroy(&membership);
	sql_session_destroy(&session);
	chat_stop();
	return 0;
}

static int empty(void **state)
{
	(void)state;
	chat_settings.fanout_list_max = 100;
	chat_settings.members_max = 100000;
	chat_settings.conversations_max = 1000;
	chat_empty();
	/* A membership reads fanout_list_max when it is created. */
	membership_destroy(&membership);
	membership = membership_create(&chat_settings, session);
	return 0;
}

static void limit_lists_to(uint64_t members)
{
	membership_destroy(&membership);
	chat_settings.fanout_list_max = members;
	membership = membership_create(&chat_settings, session);
}

/* --- requests ------------------------------------------------------------ */
static void must(enum status is, enum status want)
{
	if (is != want)
		fail_msg("%s, not %s: %s", status_text(is), status_text(want),
		         membership_why(membership));
}

static enum status try_make(enum conversation_kind kind, const char *name,
                            const uint64_t *users, unsigned count,
                            uint64_t *ret_conversation)
{
	struct new_conversation wish = {
		.kind = kind,
		.history = kind == KIND_CHANNEL ? HISTORY_ALL : HISTORY_JOINED,
		.name = span_of(name),
		.users = users,
		.user_count = count,
	};
	bool made;

	uuid_make(&wish.uuid);
	return membership_make(membership, ANN, &wish, ret_conversation, &made);
}

/* A group of Ann with so many other members. */
static uint64_t make(enum conversation_kind kind, unsigned others)
{
	static const uint64_t users[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
	uint64_t conversation = 0;

	must(try_make(kind, "some of us", users, others, &conversation), ST_OK);
	return conversation;
}

typedef enum status act_on(struct membership *m,
                           struct membership_action *action);

static enum status action(act_on *on, uint64_t conversation, uint64_t actor,
                          uint64_t user)
{
	struct membership_action one = {.conversation = conversation,
	                                .actor = actor,
	                                .user = user,
	                                .users = {user},
	                                .user_count = 1};

	return on(membership, &one);
}

static enum status give(uint64_t conversation, uint64_t actor, uint64_t user,
                        enum member_role role)
{
	struct membership_action one = {.conversation = conversation,
	                                .actor = actor,
	                                .user = user,
	                                .role = role};

	return membership_set_role(membership, &one);
}

/* --- results ------------------------------------------------------------- */
static void assert_rooms(const char *want)
{
	assert_string_equal(
		chat_text("SELECT CONCAT(target, '/', room) FROM outbox"
	                  " ORDER BY id"),
		want);
}

static void assert_members(const char *want)
{
	assert_string_equal(
		chat_text("SELECT CONCAT(user, ':', role, ':', read_seq, ':',"
	                  " delivered_seq, ':', from_seq) FROM members"
	                  " ORDER BY user"),
		want);
}

static void assert_says(unsigned seq, const char *want)
{
	assert_string_equal(chat_text("SELECT body FROM messages"
	                              " WHERE seq = %u AND kind = 2",
	                              seq),
	                    want);
}

/* No seq is missing, and the rows are consistent. */
static void assert_consistent(void)
{
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM (SELECT conversation,"
	                    " MAX(seq) m, COUNT(*) c FROM messages"
	                    " GROUP BY conversation HAVING m <> c) gaps"),
		0);
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM conversations c LEFT JOIN"
	                    " messages x ON x.conversation = c.id"
	                    " AND x.seq = c.last_seq"
	                    " WHERE x.id IS NULL OR x.id <> c.last_message_id"),
		0);
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM conversations c"
	                    " WHERE c.member_count <> (SELECT COUNT(*) FROM"
	                    " members m WHERE m.conversation = c.id)"),
		0);
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM conversations c"
	                    " WHERE c.large AND c.member_count <> (SELECT"
	                    " COUNT(*) FROM large_members m"
	                    " WHERE m.conversation = c.id)"),
		0);
}

/* --- one request at a time ----------------------------------------------- */
static void a_group_begins_with_its_entry(void **state)
{
	uint64_t group = make(KIND_GROUP, 2);

	(void)state;
	assert_says(1, "{\"what\":\"created\",\"users\":[1,2,3],"
	               "\"name\":\"some of us\"}");
	assert_members("1:3:1:1:0 2:1:1:1:0 3:1:1:1:0");
	assert_rooms("1,2,3/1:1:=");
	assert_string_equal(chat_text("SELECT CONCAT_WS('/', ckey, kind,"
	                              " last_seq, member_count, large, history)"
	                              " FROM conversations"),
	                    "c:1/2/1/3/0/2");
	assert_non_null(strstr(chat_text("SELECT body FROM outbox"),
	                       "\"type\":\"member\""));
	assert_int_equal(group, 1);
	assert_consistent();
}

static void a_new_member_has_read_all_and_sees_what_history_allows(void **state)
{
	uint64_t channel = make(KIND_CHANNEL, 0);
	struct membership_action edit = {.conversation = channel,
	                                 .actor = ANN,
	                                 .history = HISTORY_JOINED};

	(void)state;
	must(action(membership_join, channel, BOB, 0), ST_OK);
	must(membership_edit(membership, &edit), ST_OK);
	must(action(membership_join, channel, CAT, 0), ST_OK);
	must(action(membership_join, channel, CAT, 0), ST_OK);
	assert_members("1:3:3:3:0 2:1:2:2:0 3:1:4:4:3");
	assert_says(3, "{\"what\":\"history\",\"history\":\"joined\"}");
	assert_says(4, "{\"what\":\"joined\",\"users\":[3]}");
	assert_consistent();
}

static void each_edit_is_an_entry_and_an_empty_edit_is_none(void **state)
{
	struct membership_action edit = {.conversation = make(KIND_GROUP, 0),
	                                 .actor = ANN,
	                                 .name = SPAN("other"),
	                                 .history = HISTORY_ALL};

	(void)state;
	must(membership_edit(membership, &edit), ST_OK);
	must(membership_edit(membership, &edit), ST_OK);
	assert_says(2, "{\"what\":\"renamed\",\"name\":\"other\"}");
	assert_says(3, "{\"what\":\"history\",\"history\":\"all\"}");
	assert_rooms("1/1:1:= 1/1:2:= 1/1:3:=");
	assert_consistent();
}

static void a_departure_is_kept_until_the_user_returns(void **state)
{
	uint64_t group = make(KIND_GROUP, 2);

	(void)state;
	must(action(membership_remove, group, ANN, BOB), ST_OK);
	must(action(membership_leave, group, CAT, 0), ST_OK);
	assert_string_equal(chat_text("SELECT CONCAT(user, ':', seq) FROM"
	                              " departures ORDER BY user"),
	                    "2:2 3:3");
	must(action(membership_invite, group, ANN, BOB), ST_OK);
	assert_string_equal(chat_text("SELECT user FROM departures"), "3");
	assert_rooms("1,2,3/1:1:= 1,3,2/1:2:= 1,3/1:3:= 1,2/1:4:=");
	assert_consistent();
}

static void ownership_passes_to_the_first_admin_then_the_first_member(void **s)
{
	uint64_t group = make(KIND_GROUP, 3);

	(void)s;
	chat_execute("UPDATE members SET joined_at = joined_at"
	             " + INTERVAL (10 - user) SECOND");
	must(give(group, ANN, BOB, ROLE_ADMIN), ST_OK);
	must(give(group, ANN, CAT, ROLE_ADMIN), ST_OK);
	must(action(membership_leave, group, ANN, 0), ST_OK);
	assert_says(4, "{\"what\":\"left\",\"users\":[1],\"owner\":3}");
	must(give(group, CAT, BOB, ROLE_MEMBER), ST_OK);
	must(action(membership_leave, group, CAT, 0), ST_OK);
	assert_says(6, "{\"what\":\"left\",\"users\":[3],\"owner\":4}");
	must(give(group, DAN, BOB, ROLE_OWNER), ST_OK);
	assert_says(7, "{\"what\":\"role\",\"users\":[2],\"role\":\"owner\"}");
	assert_string_equal(chat_text("SELECT CONCAT(user, ':', role)"
	                              " FROM members ORDER BY user"),
	                    "2:3 4:2");
	assert_consistent();
}

static void the_last_member_to_leave_deletes_the_conversation(void **state)
{
	uint64_t channel = make(KIND_CHANNEL, 0), again = 0;

	(void)state;
	must(try_make(KIND_CHANNEL, "SOME of us", NULL, 0, &again),
	     ST_CONFLICT);
	must(action(membership_leave, channel, ANN, 0), ST_OK);
	assert_says(2, "{\"what\":\"left\",\"users\":[1]}");
	assert_rooms("1/1:1:= 1/1:2:=");
	assert_int_equal(chat_number("SELECT deleted_at IS NOT NULL"
	                             " FROM conversations"),
	                 1);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM channel_search"), 0);
	must(action(membership_join, channel, BOB, 0), ST_NOT_FOUND);
	must(try_make(KIND_CHANNEL, "SOME of us", NULL, 0, &again), ST_OK);
	assert_consistent();
}

static void groups_and_channels_of_a_user_are_listed(void **state)
{
	uint64_t ids[MEMBERSHIP_LIST_MAX], made[4];
	unsigned count = 0;

	(void)state;
	made[0] = make(KIND_GROUP, 1);
	made[1] = make(KIND_CHANNEL, 1);
	made[2] = make(KIND_GROUP, 1);
	must(action(membership_leave, made[2], BOB, 0), ST_OK);
	must(action(membership_delete, made[1], ANN, 0), ST_OK);
	made[3] = make(KIND_GROUP, 2);
	chat_execute("INSERT INTO conversations (id, kind, ckey, created_by,"
	             " created_at) VALUES (5000, 1, 'd:1:2', 1, NOW(3))");
	chat_execute("INSERT INTO members (user, conversation, joined_at)"
	             " VALUES (2, 5000, NOW(3))");
	must(membership_list(membership, BOB, 0, ids, &count), ST_OK);
	assert_int_equal(count, 2);
	assert_int_equal(ids[0], made[0]);
	assert_int_equal(ids[1], made[3]);
	must(membership_list(membership, BOB, made[0], ids, &count), ST_OK);
	assert_int_equal(count, 1);
	must(membership_list(membership, BOB, made[3], ids, &count), ST_OK);
	assert_int_equal(count, 0);
	/* Of a large conversation that was deleted the rows stay. */
	limit_lists_to(1);
	made[0] = make(KIND_GROUP, 2);
	must(action(membership_delete, made[0], ANN, 0), ST_OK);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM members WHERE"
	                             " user = 2 AND conversation = %u",
	                             (unsigned)made[0]),
	                 1);
	must(membership_list(membership, BOB, made[3], ids, &count), ST_OK);
	assert_int_equal(count, 0);
}

static void a_deleted_group_leaves_departures_only(void **state)
{
	uint64_t group = make(KIND_GROUP, 2);

	(void)state;
	must(action(membership_delete, group, ANN, 0), ST_OK);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM members"), 0);
	assert_string_equal(chat_text("SELECT CONCAT_WS(':', user,"
	                              " conversation, seq) FROM departures"
	                              " ORDER BY user"),
	                    "1:1:2 2:1:2 3:1:2");
	assert_rooms("1,2,3/1:1:= 1,2,3/1:2:=");
	must(action(membership_delete, group, ANN, 0), ST_NOT_FOUND);
	assert_consistent();
}

static void a_deleted_large_conversation_keeps_its_rows(void **state)
{
	uint64_t group;

	(void)state;
	limit_lists_to(2);
	group = make(KIND_GROUP, 2);
	must(action(membership_delete, group, ANN, 0), ST_OK);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM members"), 3);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM departures"), 0);
	assert_consistent();
}

static void the_same_uuid_makes_one_conversation(void **state)
{
	struct new_conversation wish = {.kind = KIND_CHANNEL,
	                                .history = HISTORY_ALL,
	                                .name = SPAN("once")};
	uint64_t first, second = 0;
	bool made;

	(void)state;
	uuid_make(&wish.uuid);
	must(membership_made(membership, ANN, &wish.uuid, &first),
	     ST_NOT_FOUND);
	must(membership_make(membership, ANN, &wish, &first, &made), ST_OK);
	assert_true(made);
	must(membership_make(membership, ANN, &wish, &second, &made), ST_OK);
	assert_false(made);
	assert_int_equal(first, second);
	must(membership_made(membership, ANN, &wish.uuid, &second), ST_OK);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM outbox"), 1);
}

static const struct {
	const char *what;
	bool is_change; /* of a message: a row of revisions */
	unsigned seq, kind;
	unsigned sender;
	enum status status;
} used_uuids[] = {
	{"a message", false, 2, 1, ANN, ST_CONFLICT},
	{"the first message", false, 1, 1, ANN, ST_CONFLICT},
	{"a later change of a group", false, 2, 2, ANN, ST_CONFLICT},
	{"an edit", true, 1, 1, ANN, ST_CONFLICT},
	{"a deletion", true, 1, 2, ANN, ST_CONFLICT},
	{"a reaction", true, 1, 3, ANN, ST_CONFLICT},
	{"another user's message", false, 1, 1, BOB, ST_OK},
	{"another user's edit", true, 1, 1, BOB, ST_OK},
};

static void use_uuid(unsigned row, const struct uuid *uuid)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(uuid, text);
	if (used_uuids[row].is_change)
		chat_execute("INSERT INTO revisions (conversation, revision,"
		             " seq, kind, sender, uuid, created_at) VALUES"
		             " (9, 1, %u, %u, %u,"
		             " UNHEX(REPLACE('%s', '-', '')), NOW(3))",
		             used_uuids[row].seq, used_uuids[row].kind,
		             used_uuids[row].sender, text);
	else
		chat_execute("INSERT INTO messages (conversation, seq, kind,"
		             " sender, uuid, created_at, body) VALUES"
		             " (9, %u, %u, %u, UNHEX(REPLACE('%s', '-', '')),"
		             " NOW(3), 'hi')",
		             used_uuids[row].seq, used_uuids[row].kind,
		             used_uuids[row].sender, text);
}

static void a_uuid_that_names_something_else_makes_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(used_uuids); i++) {
		struct new_conversation wish = {.kind = KIND_GROUP,
		                                .history = HISTORY_ALL,
		                                .name = SPAN("once")};
		uint64_t id;
		bool made;

		print_message("%s\n", used_uuids[i].what);
		chat_empty();
		uuid_make(&wish.uuid);
		use_uuid(i, &wish.uuid);
		must(membership_make(membership, ANN, &wish, &id, &made),
		     used_uuids[i].status);
		must(membership_made(membership, ANN, &wish.uuid, &id),
		     used_uuids[i].status);
		assert_int_equal(
			chat_number("SELECT COUNT(*) FROM conversations"),
			used_uuids[i].status == ST_OK);
	}
}

/* --- large --------------------------------------------------------------- */
static void a_conversation_becomes_large_and_stays_large(void **state)
{
	uint64_t group;

	(void)state;
	limit_lists_to(3);
	group = make(KIND_GROUP, 2);
	must(action(membership_invite, group, ANN, DAN), ST_OK);
	must(action(membership_invite, group, ANN, 5), ST_OK);
	must(action(membership_remove, group, ANN, BOB), ST_OK);
	must(action(membership_leave, group, CAT, 0), ST_OK);
	must(give(group, ANN, DAN, ROLE_ADMIN), ST_OK);
	must(action(membership_invite, group, DAN, BOB), ST_OK);
	assert_rooms("1,2,3/1:1:= c:1/1:2:+1,2,3,4.1 c:1/1:3:+5.2 c:1/1:4:-2"
	             " c:1/1:5:-3 c:1/1:6:= c:1/1:7:+2.6");
	assert_string_equal(chat_text("SELECT user FROM large_members"
	                              " ORDER BY user"),
	                    "1 2 4 5");
	assert_consistent();
	must(action(membership_delete, group, ANN, 0), ST_OK);
	assert_string_equal(chat_text("SELECT CONCAT(target, '/', room) FROM"
	                              " outbox ORDER BY id DESC LIMIT 1"),
	                    "c:1/1:8:=");
}

static void a_conversation_may_be_large_from_the_start(void **state)
{
	(void)state;
	limit_lists_to(2);
	(void)make(KIND_CHANNEL, 4);
	assert_rooms("c:1/1:1:+1,2,3,4,5");
	assert_consistent();
}

/* --- limits -------------------------------------------------------------- */
static void the_number_of_members_is_limited(void **state)
{
	uint64_t channel;

	(void)state;
	chat_settings.members_max = 3;
	channel = make(KIND_CHANNEL, 1);
	must(action(membership_join, channel, CAT, 0), ST_OK);
	must(action(membership_join, channel, DAN, 0), ST_INVALID);
	must(action(membership_invite, channel, ANN, DAN), ST_INVALID);
	assert_consistent();
}

static void the_number_of_conversations_of_a_user_is_limited(void **state)
{
	uint64_t last, before;

	(void)state;
	chat_settings.conversations_max = 3;
	before = make(KIND_GROUP, 0);
	(void)make(KIND_GROUP, 1);
	last = make(KIND_GROUP, 0);
	must(try_make(KIND_GROUP, "x", NULL, 0, &last), ST_INVALID);
	assert_non_null(strstr(membership_why(membership), "user 1 "));
	must(action(membership_invite, last, ANN, BOB), ST_OK);
	must(action(membership_invite, last, ANN, BOB), ST_OK);
	must(action(membership_invite, before, ANN, BOB), ST_OK);
	must(action(membership_delete, last, ANN, 0), ST_OK);
	must(try_make(KIND_GROUP, "x", (const uint64_t[]){BOB}, 1, &last),
	     ST_OK);
	assert_consistent();
}

/* --- concurrent requests ------------------------------------------------- */
enum { THREADS = 4, EACH = 25 };

struct crowd {
	uint64_t conversation;
	uint64_t first; /* user */
	pthread_t thread;
	unsigned failed;
	atomic_uint wrote;
	atomic_bool enough;
};

/* Each user joins; every third user leaves again. */
static void *come_and_go(void *context)
{
	struct crowd *crowd = context;
	struct sql_session *own;
	struct membership *m;

	sql_thread_start();
	own = sql_session_create(&chat_settings);
	m = membership_create(&chat_settings, own);
	for (unsigned i = 0; i < EACH; i++) {
		struct membership_action one = {.conversation =
		                                        crowd->conversation,
		                                .actor = crowd->first + i};

		crowd->failed += membership_join(m, &one) != ST_OK;
		if (i % 3 == 0)
			crowd->failed += membership_leave(m, &one) != ST_OK;
	}
	membership_destroy(&m);
	sql_session_destroy(&own);
	sql_thread_stop();
	return NULL;
}

static void start_crowds(struct crowd *crowds, uint64_t conversation)
{
	for (unsigned i = 0; i < THREADS; i++) {
		crowds[i].conversation = conversation;
		crowds[i].first = 100 + 100 * i;
		pthread_create(&crowds[i].thread, NULL, come_and_go,
		               &crowds[i]);
	}
}

static void join_crowds(struct crowd *crowds)
{
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(crowds[i].thread, NULL);
		assert_int_equal(crowds[i].failed, 0);
	}
}

static void members_join_and_leave_concurrently(void **state)
{
	struct crowd crowds[THREADS] = {0};
	uint64_t channel;

	(void)state;
	limit_lists_to(20);
	channel = make(KIND_CHANNEL, 0);
	start_crowds(crowds, channel);
	join_crowds(crowds);
	assert_int_equal(chat_number("SELECT member_count FROM conversations"),
	                 1 + THREADS * (EACH - (EACH + 2) / 3));
	assert_int_equal(chat_number("SELECT COUNT(*) FROM outbox"),
	                 1 + THREADS * (EACH + (EACH + 2) / 3));
	assert_int_equal(chat_number("SELECT COUNT(*) FROM outbox"
	                             " WHERE room LIKE '%%:+%%,%%'"),
	                 1);
	assert_consistent();
}

/*
 * As the saver does it: inserts the entry at the expected seq without locking a
 * row, and updates the row of the conversation at the end.
 */
static enum status write_entry(struct sql *sql, uint64_t conversation,
                               uint64_t seq)
{
	struct sql_value insert[3], update[3];
	struct uuid uuid;
	enum status status = sql_begin(sql);

	uuid_make(&uuid);
	insert[0] = sql_number(conversation);
	insert[1] = sql_number(seq);
	insert[2] = sql_bytes(uuid_span(&uuid));
	if (status == ST_OK)
		status = sql_run(sql,
		                 "INSERT INTO messages (conversation, seq,"
		                 " sender, uuid, created_at, body) VALUES"
		                 " (?, ?, 7, ?, NOW(3), 'hi')",
		                 insert, 3);
	update[0] = sql_number(seq);
	update[1] = sql_number(sql_insert_id(sql));
	update[2] = sql_number(conversation);
	if (status == ST_OK)
		status = sql_run(sql,
		                 "UPDATE conversations SET last_seq = ?,"
		                 " last_message_id = ? WHERE id = ?",
		                 update, 3);
	if (status == ST_OK)
		status = sql_commit(sql);
	if (status != ST_OK)
		sql_rollback(sql);
	return status;
}

static uint64_t read_seq(struct sql *sql, uint64_t conversation)
{
	struct sql_value value = sql_number(conversation);
	struct sql_value seq = {0};

	if (sql_run(sql, "SELECT last_seq FROM conversations WHERE id = ?",
	            &value, 1) != ST_OK ||
	    sql_fetch(sql, &seq, 1) != ST_OK)
		return 0;
	return seq.number;
}

static void *write_entries(void *context)
{
	struct crowd *crowd = context;
	struct sql *sql;
	uint64_t seq;

	sql_thread_start();
	sql = settings_sql(&chat_settings);
	crowd->failed = sql_connect(sql) != ST_OK;
	seq = read_seq(sql, crowd->conversation);
	while (!atomic_load(&crowd->enough)) {
		enum status status =
			write_entry(sql, crowd->conversation, seq + 1);

		if (status == ST_OK) {
			seq++;
			atomic_fetch_add(&crowd->wrote, 1);
			continue;
		}
		crowd->failed +=
			status != ST_CONFLICT && status != ST_UNAVAILABLE;
		seq = read_seq(sql, crowd->conversation);
	}
	sql_destroy(&sql);
	sql_thread_stop();
	return NULL;
}

/* It may lose each race with the others, so it also runs alone. */
static void wait_written(struct crowd *saver, unsigned count)
{
	for (unsigned i = 0; i < 10000; i++) {
		if (atomic_load(&saver->wrote) >= count)
			return;
		(void)usleep(1000);
	}
	fail_msg("only %u were written", atomic_load(&saver->wrote));
}

static void a_saver_without_locks_loses_and_corrupts_nothing(void **state)
{
	struct crowd crowds[THREADS] = {0}, saver = {0};

	(void)state;
	saver.conversation = make(KIND_CHANNEL, 0);
	pthread_create(&saver.thread, NULL, write_entries, &saver);
	wait_written(&saver, 1);
	start_crowds(crowds, saver.conversation);
	join_crowds(crowds);
	wait_written(&saver, 1 + atomic_load(&saver.wrote));
	atomic_store(&saver.enough, true);
	pthread_join(saver.thread, NULL);
	assert_int_equal(saver.failed, 0);
	assert_int_equal(chat_number("SELECT last_seq FROM conversations"),
	                 1 + saver.wrote + THREADS * (EACH + (EACH + 2) / 3));
	assert_int_equal(chat_number("SELECT COUNT(*) FROM messages"
	                             " WHERE kind = 1"),
	                 saver.wrote);
	assert_consistent();
}

static void a_lost_connection_is_opened_again(void **state)
{
	uint64_t channel = make(KIND_CHANNEL, 0);
	uint64_t id;
	struct sql_value row;

	(void)state;
	assert_int_equal(
		sql_session_run(session, "SELECT CONNECTION_ID()", NULL, 0),
		ST_OK);
	assert_int_equal(sql_session_fetch(session, &row, 1), ST_OK);
	id = row.number;
	(void)usleep(600000); /* it is not tried more often */
	chat_execute("KILL %llu", (unsigned long long)id);
	must(action(membership_join, channel, BOB, 0), ST_OK);
	assert_consistent();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty)
	const struct CMUnitTest tests[] = {
		TEST(a_group_begins_with_its_entry),
		TEST(a_new_member_has_read_all_and_sees_what_history_allows),
		TEST(each_edit_is_an_entry_and_an_empty_edit_is_none),
		TEST(a_departure_is_kept_until_the_user_returns),
		TEST(ownership_passes_to_the_first_admin_then_the_first_member),
		TEST(the_last_member_to_leave_deletes_the_conversation),
		TEST(groups_and_channels_of_a_user_are_listed),
		TEST(a_deleted_group_leaves_departures_only),
		TEST(a_deleted_large_conversation_keeps_its_rows),
		TEST(the_same_uuid_makes_one_conversation),
		TEST(a_uuid_that_names_something_else_makes_nothing),
		TEST(a_conversation_becomes_large_and_stays_large),
		TEST(a_conversation_may_be_large_from_the_start),
		TEST(the_number_of_members_is_limited),
		TEST(the_number_of_conversations_of_a_user_is_limited),
		TEST(members_join_and_leave_concurrently),
		TEST(a_saver_without_locks_loses_and_corrupts_nothing),
		TEST(a_lost_connection_is_opened_again),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
