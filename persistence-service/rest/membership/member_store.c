#include "persistence-service/rest/membership/member_store.h"

#include "common/io/sql/bulk.h"
#include "common/wire/event.h"

#include <assert.h>

/* --- one member ---------------------------------------------------------- */
enum status member_store_role(struct sql *sql, uint64_t conversation,
                              uint64_t user, enum member_role *ret_role)
{
	struct sql_value values[] = {sql_number(user),
	                             sql_number(conversation)};
	struct sql_value role;
	enum status status = sql_run(sql,
	                             "SELECT role FROM members WHERE user = ?"
	                             " AND conversation = ?",
	                             values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(sql, &role, 1);
	if (status != ST_OK && status != ST_NOT_FOUND)
		return status;
	*ret_role = status == ST_OK ? (enum member_role)role.number : ROLE_NONE;
	return ST_OK;
}

enum status member_store_set_role(struct sql *sql, uint64_t conversation,
                                  uint64_t user, enum member_role role)
{
	struct sql_value values[] = {sql_number(role), sql_number(user),
	                             sql_number(conversation)};

	return sql_run(sql,
	               "UPDATE members SET role = ? WHERE user = ?"
	               " AND conversation = ?",
	               values, ARRAY_LEN(values));
}

enum status member_store_mark_read(struct sql *sql, uint64_t conversation,
                                   uint64_t user, uint64_t seq)
{
	struct sql_value values[] = {sql_number(seq), sql_number(seq),
	                             sql_number(user),
	                             sql_number(conversation)};

	return sql_run(sql,
	               "UPDATE members SET read_seq = GREATEST(read_seq, ?),"
	               " delivered_seq = GREATEST(delivered_seq, ?)"
	               " WHERE user = ? AND conversation = ?",
	               values, ARRAY_LEN(values));
}

enum status member_store_successor(struct sql *sql, uint64_t conversation,
                                   uint64_t user, uint64_t *ret_user)
{
	struct sql_value values[] = {sql_number(conversation),
	                             sql_number(user)};
	struct sql_value successor;
	enum status status =
		sql_run(sql,
	                "SELECT user FROM members WHERE conversation = ?"
	                " AND user <> ? ORDER BY role DESC, joined_at, user"
	                " LIMIT 1",
	                values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(sql, &successor, 1);
	if (status == ST_OK)
		*ret_user = successor.number;
	return status;
}

/* --- several users ------------------------------------------------------- */
enum { TAIL_MAX = 2, USERS_ROOM = SQL_BULK_ROOM(CHANGE_USERS_MAX, 1) };

/* Runs a statement whose rows are one user each. */
static enum status run_for_users(struct sql *sql, struct sql_bulk *bulk,
                                 const uint64_t *users, unsigned count,
                                 const struct sql_value *tail)
{
	struct sql_value values[USERS_ROOM + TAIL_MAX];

	assert(count <= CHANGE_USERS_MAX && bulk->tail_values <= TAIL_MAX);
	for (unsigned i = 0; i < count; i++)
		values[i] = sql_number(users[i]);
	memcpy(&values[count], tail, bulk->tail_values * sizeof(*tail));
	return sql_bulk_run(sql, bulk, values, count);
}

enum status member_store_list(struct sql *sql, uint64_t conversation,
                              bool with_from_seq, struct buf *ret_users)
{
	struct sql_value value = sql_number(conversation);
	struct sql_value row[2];
	enum status status = sql_run(sql,
	                             "SELECT user, from_seq FROM members"
	                             " WHERE conversation = ? ORDER BY user",
	                             &value, 1);

	while (status == ST_OK) {
		status = sql_fetch(sql, row, 2);
		if (status == ST_OK)
			event_room_add(ret_users, row[0].number,
			               with_from_seq ? row[1].number : 0);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static void drop_user(uint64_t *users, unsigned *count, uint64_t user)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *count; i++) {
		if (users[i] != user)
			users[kept++] = users[i];
	}
	*count = kept;
}

enum status member_store_drop_members(struct sql *sql, uint64_t conversation,
                                      uint64_t *users, unsigned *count)
{
	static struct sql_bulk members = {
		.head = "SELECT user FROM members WHERE user IN (",
		.row = "?",
		.between = ",",
		.tail = ") AND conversation = ?",
		.row_values = 1,
		.tail_values = 1,
	};
	struct sql_value value = sql_number(conversation);
	struct sql_value user;
	enum status status =
		run_for_users(sql, &members, users, *count, &value);

	while (status == ST_OK) {
		status = sql_fetch(sql, &user, 1);
		if (status == ST_OK)
			drop_user(users, count, user.number);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status member_store_over_limit(struct sql *sql, uint64_t conversation,
                                    const uint64_t *users, unsigned count,
                                    uint64_t max, uint64_t *ret_user)
{
	static struct sql_bulk over_limit = {
		.head = "SELECT m.user FROM members m JOIN conversations c"
			" ON c.id = m.conversation WHERE m.user IN (",
		.row = "?",
		.between = ",",
		.tail = ") AND c.kind <> 1 AND c.deleted_at IS NULL"
			" GROUP BY m.user HAVING COUNT(*) >= ?"
			" AND MAX(c.id = ?) = 0 ORDER BY m.user LIMIT 1",
		.row_values = 1,
		.tail_values = 2,
	};
	struct sql_value tail[] = {sql_number(max), sql_number(conversation)};
	struct sql_value user;
	enum status status =
		run_for_users(sql, &over_limit, users, count, tail);

	if (status == ST_OK)
		status = sql_fetch(sql, &user, 1);
	*ret_user = status == ST_OK ? user.number : 0;
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* --- adding -------------------------------------------------------------- */
enum status member_store_add(struct sql *sql, const struct new_members *new)
{
	static struct sql_bulk upsert = {
		.head = "INSERT INTO members (user, conversation, role,"
			" joined_at, delivered_seq, read_seq, from_seq)"
			" VALUES ",
		.row = "(?,?,?,?,?,?,?)",
		.between = ",",
		.tail = " ON DUPLICATE KEY UPDATE role = VALUES(role),"
			" joined_at = VALUES(joined_at),"
			" delivered_seq = VALUES(delivered_seq),"
			" read_seq = VALUES(read_seq),"
			" from_seq = VALUES(from_seq)",
		.row_values = 7,
	};
	struct sql_value values[SQL_BULK_ROOM(CHANGE_USERS_MAX, 7)];
	struct sql_value *value = values;

	assert(new->count <= CHANGE_USERS_MAX);
	for (unsigned i = 0; i < new->count; i++) {
		bool owns = new->users[i] == new->owner;

		*value++ = sql_number(new->users[i]);
		*value++ = sql_number(new->conversation);
		*value++ = sql_number(owns ? ROLE_OWNER : ROLE_MEMBER);
		*value++ = sql_bytes(new->joined_at);
		*value++ = sql_number(new->seq);
		*value++ = sql_number(new->seq);
		*value++ = sql_number(new->from_seq);
	}
	return sql_bulk_run(sql, &upsert, values, new->count);
}

enum status member_store_add_large(struct sql *sql, uint64_t conversation,
                                   const uint64_t *users, unsigned count)
{
	static struct sql_bulk upsert = {
		.head = "INSERT INTO large_members (user, conversation)"
			" VALUES ",
		.row = "(?,?)",
		.between = ",",
		.tail = " ON DUPLICATE KEY UPDATE user = VALUES(user)",
		.row_values = 2,
	};
	struct sql_value values[SQL_BULK_ROOM(CHANGE_USERS_MAX, 2)];

	assert(count <= CHANGE_USERS_MAX);
	for (unsigned i = 0; i < count; i++) {
		values[2 * i] = sql_number(users[i]);
		values[2 * i + 1] = sql_number(conversation);
	}
	return sql_bulk_run(sql, &upsert, values, count);
}

enum status member_store_make_large(struct sql *sql, uint64_t conversation)
{
	struct sql_value value = sql_number(conversation);

	return sql_run(sql,
	               "INSERT INTO large_members (user, conversation)"
	               " SELECT m.user, m.conversation FROM members m"
	               " WHERE m.conversation = ?"
	               " ON DUPLICATE KEY UPDATE"
	               " large_members.user = large_members.user",
	               &value, 1);
}

/*
 * Finds the rows without a lock and deletes them one by one: for several users
 * a server may read the whole table, and would wait for the rows of other
 * transactions.
 */
enum status member_store_delete_departures(struct sql *sql,
                                           uint64_t conversation,
                                           const uint64_t *users,
                                           unsigned count)
{
	static struct sql_bulk departed = {
		.head = "SELECT user FROM departures WHERE user IN (",
		.row = "?",
		.between = ",",
		.tail = ") AND conversation = ?",
		.row_values = 1,
		.tail_values = 1,
	};
	struct sql_value tail = sql_number(conversation), row;
	uint64_t found[CHANGE_USERS_MAX];
	unsigned found_count = 0;
	enum status status = run_for_users(sql, &departed, users, count, &tail);

	while (status == ST_OK && found_count < CHANGE_USERS_MAX) {
		status = sql_fetch(sql, &row, 1);
		if (status == ST_OK)
			found[found_count++] = row.number;
	}
	if (status == ST_NOT_FOUND)
		status = ST_OK;
	for (unsigned i = 0; i < found_count && status == ST_OK; i++)
		status = sql_run(sql,
		                 "DELETE FROM departures WHERE user = ?"
		                 " AND conversation = ?",
		                 (struct sql_value[]){sql_number(found[i]),
		                                      sql_number(conversation)},
		                 2);
	return status;
}

/* --- removing ------------------------------------------------------------ */
enum status member_store_remove(struct sql *sql, uint64_t conversation,
                                uint64_t user, bool large, uint64_t seq)
{
	struct sql_value values[] = {sql_number(user), sql_number(conversation),
	                             sql_number(seq)};
	enum status status = sql_run(sql,
	                             "DELETE FROM members WHERE user = ?"
	                             " AND conversation = ?",
	                             values, 2);

	if (status == ST_OK && large)
		status = sql_run(sql,
		                 "DELETE FROM large_members WHERE user = ?"
		                 " AND conversation = ?",
		                 values, 2);
	if (status != ST_OK)
		return status;
	return sql_run(sql,
	               "INSERT INTO departures (user, conversation, seq)"
	               " VALUES (?, ?, ?)"
	               " ON DUPLICATE KEY UPDATE seq = VALUES(seq)",
	               values, 3);
}

enum status member_store_remove_all(struct sql *sql, uint64_t conversation,
                                    uint64_t seq)
{
	struct sql_value values[] = {sql_number(seq), sql_number(conversation)};
	enum status status =
		sql_run(sql,
	                "INSERT INTO departures (user, conversation, seq)"
	                " SELECT m.user, m.conversation, ? FROM members m"
	                " WHERE m.conversation = ? ORDER BY m.user"
	                " ON DUPLICATE KEY UPDATE seq = VALUES(seq)",
	                values, 2);

	if (status != ST_OK)
		return status;
	return sql_run(sql, "DELETE FROM members WHERE conversation = ?",
	               &values[1], 1);
}
