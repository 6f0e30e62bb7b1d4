#include "persistence-service/save/tests/batch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct sql *sql;
struct batch *batch;

void batch_fixture_start(void)
{
	chat_start();
	sql = chat_connect();
	batch = batch_create(BATCH_RECORDS_MAX);
}

void batch_fixture_stop(void)
{
	batch_destroy(&batch);
	sql_destroy(&sql);
	chat_stop();
}

void batch_fixture_empty(void)
{
	chat_empty();
	batch_clear(batch);
}

/* --- conversations ------------------------------------------------------- */
void make_group_and_channel(void)
{
	chat_execute(
		"INSERT INTO conversations (id, kind, ckey, name, last_seq,"
		" last_message_id, created_by, created_at, member_count,"
		" large) VALUES"
		" (17,2,'c:17','g',1,1,1,NOW(3),3,0),"
		"(18,3,'c:18','c',1,2,1,NOW(3),2,1)");
	chat_execute("INSERT INTO members (user, conversation, role, joined_at)"
	             " VALUES"
	             " (1,17,3,NOW(3)),(2,17,2,NOW(3)),(3,17,1,NOW(3)),"
	             "(1,18,3,NOW(3)),(2,18,1,NOW(3))");
	chat_execute("INSERT INTO large_members VALUES (1,18),(2,18)");
	chat_execute(
		"INSERT INTO messages (conversation, seq, id, sender, uuid,"
		" created_at, body, kind) VALUES"
		" (17,1,1,1,UNHEX(REPLACE(UUID(),'-','')),NOW(3),'{}',2),"
		"(18,1,2,1,UNHEX(REPLACE(UUID(),'-','')),NOW(3),'{}',2)");
}

static void add_member_entry(void)
{
	chat_execute("INSERT INTO messages (conversation, seq, sender, uuid,"
	             " created_at, body, kind) SELECT id, last_seq + 1, 1,"
	             " UNHEX(REPLACE(UUID(),'-','')), NOW(3), '{}', 2"
	             " FROM conversations WHERE id = 17");
	chat_execute("UPDATE conversations SET last_seq = last_seq + 1,"
	             " last_message_id = (SELECT MAX(id) FROM messages)"
	             " WHERE id = 17");
}

void remove_member(unsigned user)
{
	chat_execute("DELETE FROM members WHERE user = %u"
	             " AND conversation = 17",
	             user);
	add_member_entry();
}

void add_member(unsigned user)
{
	chat_execute("INSERT INTO members (user, conversation, joined_at,"
	             " from_seq) SELECT %u, id, NOW(3), last_seq"
	             " FROM conversations WHERE id = 17",
	             user);
	add_member_entry();
}

/* --- records ------------------------------------------------------------- */
struct batch_entry *put_into(struct batch *to, uint64_t sender,
                             uint64_t user_to, const struct uuid *uuid,
                             const char *text)
{
	struct batch_entry *entry = &to->entries[to->count++];

	*entry = (struct batch_entry){
		.partition = -1,
		.record = {.sender = sender,
	                   .user_to = user_to,
	                   .message = span_of(text)},
		.identified = true,
	};
	if (uuid)
		entry->record.uuid = *uuid;
	else
		uuid_make(&entry->record.uuid);
	return entry;
}

struct batch_entry *put(uint64_t sender, uint64_t user_to,
                        const struct uuid *uuid, const char *text)
{
	return put_into(batch, sender, user_to, uuid, text);
}

struct batch_entry *put_kind(enum save_kind kind, uint64_t sender,
                             uint64_t conversation, uint64_t seq)
{
	struct batch_entry *entry = put(sender, 0, NULL, "");

	entry->record.kind = kind;
	entry->record.conversation = conversation;
	entry->record.seq = seq;
	return entry;
}

struct batch_entry *say(uint64_t sender, uint64_t conversation,
                        const char *text)
{
	struct batch_entry *entry =
		put_kind(SAVE_MESSAGE, sender, conversation, 0);

	entry->record.message = span_of(text);
	return entry;
}

struct batch_entry *edit(uint64_t sender, uint64_t seq, const char *text)
{
	struct batch_entry *entry = put_kind(SAVE_EDIT, sender, GROUP, seq);

	entry->record.message = span_of(text);
	return entry;
}

struct batch_entry *react(uint64_t sender, uint64_t seq, const char *reaction,
                          bool remove)
{
	struct batch_entry *entry = put_kind(SAVE_REACT, sender, GROUP, seq);

	entry->record.reaction = span_of(reaction);
	entry->record.remove = remove;
	return entry;
}

/* --- assertions ---------------------------------------------------------- */
void assert_refused(const struct batch_entry *entry, enum frame_code code)
{
	assert_int_equal(entry->outcome, OUTCOME_REFUSED);
	assert_int_equal(entry->code, code);
	assert_non_null(entry->why);
}

void assert_consistent(void)
{
	assert_int_equal(
		chat_number(
			"SELECT COUNT(*) FROM (SELECT conversation, MAX(seq) m,"
			" COUNT(*) c FROM messages GROUP BY conversation"
			" HAVING conversation > 0 AND m <> c) gaps"),
		0);
	assert_int_equal(
		chat_number("SELECT COUNT(*) FROM conversations c LEFT JOIN"
	                    " messages x ON x.conversation = c.id"
	                    " AND x.seq = c.last_seq WHERE c.last_seq > 0"
	                    " AND (x.id IS NULL OR x.id <> c.last_message_id)"),
		0);
}
