#include "persistence-service/save/change/tests/changes_fixture.h"

#include "common/base/buf.h"
#include "common/base/mem.h"

#include <string.h>

static struct changes *changes;

static enum status run(const struct attempt *attempt)
{
	return changes_save(changes, attempt);
}

static const struct pass pass = {.run = run};

int changes_fixture_start(void **state)
{
	(void)state;
	pass_fixture_start(&pass);
	changes = changes_create(sql, rosters, REACTIONS_MAX);
	return 0;
}

int changes_fixture_stop(void **state)
{
	(void)state;
	changes_destroy(&changes);
	pass_fixture_stop();
	return 0;
}

int changes_fixture_begin(void **state)
{
	(void)state;
	pass_fixture_empty();
	make_group_and_channel();
	chat_execute("INSERT INTO conversations (id, kind, ckey, last_seq,"
	             " last_message_id, created_by, created_at, member_count)"
	             " VALUES (19,1,'d:1:2',1,6,1,NOW(3),0)");
	chat_execute("INSERT INTO members (user, conversation, role, joined_at)"
	             " VALUES (1,19,1,NOW(3)),(2,19,1,NOW(3))");
	chat_execute(
		"INSERT INTO messages (conversation, seq, id, sender, uuid,"
		" created_at, body) VALUES"
		" (17,2,3,3,UNHEX(LPAD('f3',32,'0')),NOW(3),'teh text'),"
		"(17,3,4,3,UNHEX(LPAD('f4',32,'0')),NOW(3),'three'),"
		"(17,4,5,1,UNHEX(LPAD('f5',32,'0')),NOW(3),'four'),"
		"(19,1,6,1,UNHEX(LPAD('f6',32,'0')),NOW(3),'pair'),"
		"(18,2,7,1,UNHEX(LPAD('f7',32,'0')),NOW(3),'channel')");
	chat_execute("UPDATE conversations SET last_seq = 4,"
	             " last_message_id = 5 WHERE id = 17");
	chat_execute("UPDATE conversations SET last_seq = 2,"
	             " last_message_id = 7 WHERE id = 18");
	return 0;
}

char *read_written(void)
{
	static const char *const queries[] = {
		"SELECT CONCAT_WS(' ', conversation, revision, seq, kind,"
		" sender, HEX(uuid), reaction, removed, ';') FROM revisions"
		" ORDER BY conversation, revision",
		"SELECT CONCAT_WS(' ', conversation, seq, reaction, user, ';')"
		" FROM reactions ORDER BY conversation, seq, reaction, user",
		"SELECT CONCAT_WS(' ', conversation, sender, HEX(uuid), body,"
		" revision, edited_at IS NULL, deleted_at IS NULL, ';')"
		" FROM messages ORDER BY conversation, sender, uuid",
		"SELECT CONCAT_WS(' ', id, last_seq, revision, ';')"
		" FROM conversations ORDER BY id",
	};
	struct buf text CLEANUP(buf_free) = BUF(64 * 1024);

	for (unsigned i = 0; i < ARRAY_LEN(queries); i++)
		buf_append(&text, span_of(chat_text("%s", queries[i])));
	return mem_text(buf_text(&text), text.len);
}
