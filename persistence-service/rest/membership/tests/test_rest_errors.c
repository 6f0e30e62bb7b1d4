/*
 * Changes of groups, channels and block lists when a statement fails: each
 * statement fails once with each error, before or after the server has executed
 * it. Afterwards the tables are those before the change or those after it, and
 * the repeated request leads to the latter.
 */
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/io/sql/fault.h"
#include "persistence-service/rest/membership/blocks.h"
#include "persistence-service/rest/membership/membership.h"
#include "persistence-service/tests/chat_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	GROUP = 17,
	CHANNEL = 18,
	LARGE = 19,
	PAIRS_OF = 8, /* a deleted user with two pairs */
	TOO_MANY_CONNECTIONS = 1040,
	LOST = 2013,
	STATEMENTS_MAX = 200,
	STATE_MAX = 64 * 1024,
	TICK_MS = 60,
};

static const unsigned errors[] = {
	1205, 1213, 1062, 2006, LOST, 1153, 1290, 1114, TOO_MANY_CONNECTIONS};

static struct sql_session *session;
static struct membership *membership;
static struct membership *narrow; /* two members make a conversation large */
static const struct uuid uuid = {{1, 2, 3}};

/* Time passes with each look, so no test waits until it may connect again. */
uint64_t __wrap_clock_mono_ms(void);
uint64_t __wrap_clock_mono_ms(void)
{
	static uint64_t now_ms = 1000;

	return now_ms += TICK_MS;
}

/* --- the tables ---------------------------------------------------------- */
/* As a procedure the server needs a single round trip for it. */
static const char *const reset_procedure =
	"CREATE PROCEDURE reset_chat() BEGIN START TRANSACTION;"
	" DELETE FROM conversations; DELETE FROM members;"
	" DELETE FROM messages; DELETE FROM departures;"
	" DELETE FROM channels; DELETE FROM channel_search;"
	" DELETE FROM blocks; DELETE FROM outbox;"
	" DELETE FROM large_members; DELETE FROM user_locks;"
	" INSERT INTO conversations (id, kind, ckey, name, last_seq,"
	"  last_message_id, created_by, created_at, member_count, history)"
	"  VALUES (17,2,'c:17','group',1,1,1,NOW(3),3,1),"
	"  (18,3,'c:18','channel',1,2,1,NOW(3),1,1);"
	" INSERT INTO conversations (id, kind, ckey, name, last_seq,"
	"  last_message_id, created_by, created_at, member_count, history,"
	"  large) VALUES (19,2,'c:19','large',1,3,1,NOW(3),2,1,1);"
	" INSERT INTO conversations (id, kind, ckey, created_by, created_at)"
	"  VALUES (20,1,'d:2:8',2,NOW(3)),(21,1,'d:3:8',3,NOW(3));"
	" INSERT INTO members (user, conversation, role, joined_at) VALUES"
	"  (1,17,3,NOW(3)),(2,17,1,NOW(3)),(3,17,1,NOW(3)),(1,18,3,NOW(3)),"
	"  (1,19,3,NOW(3)),(2,19,1,NOW(3)),(2,20,1,NOW(3)),(8,20,1,NOW(3)),"
	"  (3,21,1,NOW(3)),(8,21,1,NOW(3));"
	" INSERT INTO large_members (user, conversation) VALUES (1,19),(2,19);"
	" INSERT INTO channels (conversation, name_key) VALUES (18,'channel');"
	" INSERT INTO channel_search VALUES ('channel',18,0);"
	" INSERT INTO messages (conversation, seq, id, sender, uuid,"
	"  created_at, body, kind) VALUES"
	"  (17,1,1,1,UNHEX(LPAD('f1',32,'0')),NOW(3),'{}',2),"
	"  (18,1,2,1,UNHEX(LPAD('f2',32,'0')),NOW(3),'{}',2),"
	"  (19,1,3,1,UNHEX(LPAD('f3',32,'0')),NOW(3),'{}',2);"
	" INSERT INTO blocks VALUES (1,9,NOW(3)); COMMIT; END";

/* Without ids of new rows, uuids and times. */
#define NAMED(id) "IF(" id " > 999, 'new', " id ")"
static const char *const state_queries[] = {
	"SELECT CONCAT_WS(' ', 'c', " NAMED(
		"id") ", kind, name, last_seq,"
		      " member_count, history, large, deleted_at IS NOT NULL,"
		      " last_message_id = (SELECT MAX(id) FROM messages x"
		      " WHERE x.conversation = c.id), ';') FROM conversations "
		      "c ORDER BY id",
	"SELECT CONCAT_WS(' ', 'u', user, " NAMED(
		"conversation") ", role,"
				" read_seq, delivered_seq, from_seq, ';') FROM "
				"members"
				" ORDER BY conversation, user",
	"SELECT CONCAT_WS(' ', 'l', user, conversation, ';')"
	" FROM large_members ORDER BY conversation, user",
	"SELECT CONCAT_WS(' ', 'm', " NAMED(
		"conversation") ", seq, sender,"
				" body, kind, ';') FROM messages ORDER BY "
				"conversation, seq",
	"SELECT CONCAT_WS(' ', 'd', user, conversation, seq, ';')"
	" FROM departures ORDER BY conversation, user",
	"SELECT CONCAT_WS(' ', 'n', " NAMED(
		"conversation") ", name_key, ';')"
				" FROM channels ORDER BY conversation",
	"SELECT CONCAT_WS(' ', 's', " NAMED(
		"conversation") ", words, ';')"
				" FROM channel_search ORDER BY conversation, "
				"place",
	"SELECT CONCAT_WS(' ', 'b', user, blocked, ';') FROM blocks"
	" ORDER BY user, blocked",
	"SELECT CONCAT_WS(' ', 'o', kind, " NAMED(
		"conversation") ", ';')"
				" FROM outbox ORDER BY id",
};

static void read_state(struct buf *ret_state)
{
	buf_clear(ret_state);
	for (unsigned i = 0; i < ARRAY_LEN(state_queries); i++)
		buf_append(ret_state,
		           span_of(chat_text("%s", state_queries[i])));
	assert_false(buf_overflowed(ret_state));
}

/* --- the changes --------------------------------------------------------- */
static enum status make_conversation(enum conversation_kind kind,
                                     const char *name)
{
	static const uint64_t users[] = {2, 3};
	struct new_conversation wish = {
		.kind = kind,
		.history = HISTORY_ALL,
		.name = span_of(name),
		.users = users,
		.user_count = ARRAY_LEN(users),
		.uuid = uuid,
	};
	uint64_t conversation;
	bool made;

	return membership_make(membership, 1, &wish, &conversation, &made);
}

static enum status make_group(void)
{
	return make_conversation(KIND_GROUP, "a group");
}

static enum status make_channel(void)
{
	return make_conversation(KIND_CHANNEL, "a channel");
}

static struct membership_action action_of(uint64_t conversation, uint64_t actor)
{
	return (struct membership_action){.conversation = conversation,
	                                  .actor = actor};
}

static enum status edit(void)
{
	struct membership_action action = action_of(CHANNEL, 1);

	action.name = SPAN("renamed");
	action.history = HISTORY_JOINED;
	return membership_edit(membership, &action);
}

static enum status delete (void) {
	struct membership_action action = action_of(CHANNEL, 1);

	return membership_delete(membership, &action);
}

static enum status delete_large(void)
{
	struct membership_action action = action_of(LARGE, 1);

	return membership_delete(membership, &action);
}

static enum status invite_to(struct membership *to)
{
	struct membership_action action = action_of(GROUP, 1);

	action.users[0] = 5;
	action.users[1] = 6;
	action.user_count = 2;
	return membership_invite(to, &action);
}

static enum status invite(void)
{
	return invite_to(membership);
}

static enum status invite_and_make_large(void)
{
	return invite_to(narrow);
}

static enum status join_and_make_large(void)
{
	struct membership_action action = action_of(CHANNEL, 5);

	return membership_join(narrow, &action);
}

static enum status join(void)
{
	struct membership_action action = action_of(CHANNEL, 5);

	return membership_join(membership, &action);
}

static enum status leave(void)
{
	struct membership_action action = action_of(GROUP, 2);

	return membership_leave(membership, &action);
}

static enum status leave_as_owner(void)
{
	struct membership_action action = action_of(GROUP, 1);

	return membership_leave(membership, &action);
}

static enum status leave_as_the_last(void)
{
	struct membership_action action = action_of(CHANNEL, 1);

	return membership_leave(membership, &action);
}

static enum status leave_large(void)
{
	struct membership_action action = action_of(LARGE, 2);

	return membership_leave(membership, &action);
}

static enum status remove_member(void)
{
	struct membership_action action = action_of(GROUP, 1);

	action.user = 3;
	return membership_remove(membership, &action);
}

static enum status set_role(void)
{
	struct membership_action action = action_of(GROUP, 1);

	action.user = 2;
	action.role = ROLE_ADMIN;
	return membership_set_role(membership, &action);
}

static enum status block(void)
{
	struct block block = {.user = 1, .blocked = 2};

	return blocks_put(session, &block, 10);
}

static enum status unblock(void)
{
	struct block block = {.user = 1, .blocked = 9};

	return blocks_remove(session, &block);
}

static enum status block_pairs(void)
{
	unsigned count;

	return blocks_put_pairs(session, PAIRS_OF, &count);
}

static const struct change {
	const char *name;
	enum status (*run)(void);
	bool again; /* the record of a block is written by each request */
} changes[] = {
	{"make a group", make_group, false},
	{"make a channel", make_channel, false},
	{"edit", edit, false},
	{"delete", delete, false},
	{"invite", invite, false},
	{"join", join, false},
	{"leave", leave, false},
	{"leave as owner", leave_as_owner, false},
	{"remove", remove_member, false},
	{"set a role", set_role, false},
	{"block", block, true},
	{"unblock", unblock, true},
	{"the last member leaves", leave_as_the_last, false},
	{"leave a large group", leave_large, false},
	{"delete a large group", delete_large, false},
	{"invite, which makes the group large", invite_and_make_large, false},
	{"join, which makes the channel large", join_and_make_large, false},
	{"block the pairs of a deleted user", block_pairs, false},
};

/* --- one run ------------------------------------------------------------- */
static struct buf before = {.max = STATE_MAX};
static struct buf after = {.max = STATE_MAX};
static struct buf found = {.max = STATE_MAX};

/* Nothing publishes the record of a block: it is stored, but not in the log. */
static bool is_done(const struct change *change, enum status status)
{
	return status == (change->again ? ST_UNCERTAIN : ST_OK);
}

static bool same(const struct buf *x, const struct buf *y)
{
	return span_equal(buf_span(x), buf_span(y));
}

/* The outbox may have the record of a block twice: it does no harm. */
static void forget_repeated_record(const struct change *change)
{
	if (change->again)
		chat_execute("DELETE o FROM outbox o JOIN outbox p"
		             " ON p.id < o.id AND p.body LIKE '%%blocked%%'");
}

static void check(const struct change *change, const struct sql_fault *fault,
                  enum status status)
{
	forget_repeated_record(change);
	read_state(&found);
	if (status == ST_OK ? !same(&found, &after)
	                    : !same(&found, &after) && !same(&found, &before))
		fail_msg("%s: %u %s statement %u: %s, and the tables have\n%s\n"
		         "before:\n%s\nafter:\n%s",
		         change->name, fault->error,
		         fault->after ? "after" : "before", fault->statement,
		         status_text(status), buf_text(&found),
		         buf_text(&before), buf_text(&after));
}

/* A client sends a request again that got no answer, or 503. */
static void repeat_request(const struct change *change,
                           const struct sql_fault *fault, enum status status)
{
	bool refused = (status == ST_CONFLICT && fault->error == 1062) ||
	               fault->error == 1153; /* the name, or the size */

	if (status != ST_UNAVAILABLE && status != ST_UNCERTAIN && !refused)
		fail_msg("%s: %u %s statement %u: %s", change->name,
		         fault->error, fault->after ? "after" : "before",
		         fault->statement, status_text(status));
	if (same(&found, &after))
		return;
	assert_true(is_done(change, change->run()));
	check(change, fault, ST_OK);
}

/* The next statement is a connect. */
static void cut_connection(struct sql *sql)
{
	struct sql_fault cut = {.statement = 1, .error = LOST};

	sql_fault_set(sql, &cut);
	assert_int_equal(sql_execute(sql, "DO 1"), ST_UNAVAILABLE);
	sql_fault_set(sql, NULL);
	assert_false(sql_connected(sql));
}

static bool fail_statement(const struct change *change, struct sql_fault *fault)
{
	struct sql *sql = sql_session_connection(session);
	enum status status;

	chat_execute("CALL reset_chat()");
	if (fault->error == TOO_MANY_CONNECTIONS && sql_connected(sql))
		cut_connection(sql);
	fault->seen = 0;
	sql_fault_set(sql, fault);
	status = change->run();
	sql_fault_set(sql, NULL);
	check(change, fault, status);
	if (!fault->happened)
		assert_true(is_done(change, status));
	if (status != ST_OK)
		repeat_request(change, fault, status);
	return fault->happened;
}

static void run_undisturbed(const struct change *change)
{
	chat_execute("CALL reset_chat()");
	read_state(&before);
	assert_true(is_done(change, change->run()));
	read_state(&after);
	assert_false(same(&before, &after));
}

static void every_statement_may_fail(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(changes); i++) {
		unsigned failed = 0;

		run_undisturbed(&changes[i]);
		for (unsigned e = 0; e < 2 * ARRAY_LEN(errors); e++) {
			struct sql_fault fault = {.error = errors[e / 2],
			                          .after = e % 2};

			do {
				failed += fault.happened;
				fault.happened = false;
				assert_true(++fault.statement < STATEMENTS_MAX);
			} while (fail_statement(&changes[i], &fault));
		}
		assert_true(failed > 4 * ARRAY_LEN(errors));
	}
}

static int start(void **state)
{
	(void)state;
	chat_start();
	chat_execute("%s", reset_procedure);
	chat_execute("ALTER TABLE conversations AUTO_INCREMENT = 1000");
	session = sql_session_create(&chat_settings);
	membership = membership_create(&chat_settings, session);
	chat_settings.fanout_list_max = 1;
	narrow = membership_create(&chat_settings, session);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	membership_destroy(&narrow);
	membership_destroy(&membership);
	sql_session_destroy(&session);
	buf_free(&before);
	buf_free(&after);
	buf_free(&found);
	chat_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_statement_may_fail),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
