#include "persistence-service/rest/membership/member_store.h"

#include "common/io/sql/bulk.h"
#include "common/wire/event.h"

#include <assert.h>

/* --- one ----------------------------------------------------------------- */
enum status member_role(struct sql *sql, uint64_t conversation, uint64_t user,
                        enum member_role *ret_role)
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

enum status member_set_role(struct sql *sql, uint64_t conversation,
                            uint64_t user, enum member_role role)
{
	struct sql_value values[] = {sql_number(role), sql_number(user),
	                             sql_number(conversation)};

	return sql_run(sql,
	               "UPDATE members SET role = ? WHERE user = ?"
	               " AND conversation = ?",
	               values, ARRAY_LEN(values));
}

enum status member_reads(struct sql *sql, uint64_t conversation, uint64_t user,
                         uint64_t seq)
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

enum status member_successor(struct sql *sql, uint64_t conversation,
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

/* --- some ---------------------------------------------------------------- */
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

enum status members_list(struct sql *sql, uint64_t conversation, bool seeing,
                         struct buf *ret_users)
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
			               seeing ? row[1].number : 0);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static void strike(uint64_t *users, unsigned *count, uint64_t user)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *count; i++) {
		if (users[i] != user)
			users[kept++] = users[i];
	}
	*count = kept;
}

enum status members_missing(struct sql *sql, uint64_t conversation,
                            uint64_t *users, unsigned *count)
{
	static struct sql_bulk who = {
		.head = "SELECT user FROM members WHERE user IN (",
		.row = "?",
		.between = ",",
		.tail = ") AND conversation = ?",
		.row_values = 1,
		.tail_values = 1,
	};
	struct sql_value value = sql_number(conversation);
	struct sql_value user;
	enum status status = run_for_users(sql, &who, users, *count, &value);

	while (status == ST_OK) {
		status = sql_fetch(sql, &user, 1);
		if (status == ST_OK)
			strike(users, count, user.number);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status members_over(struct sql *sql, uint64_t conversation,
                         const uint64_t *users, unsigned count, uint64_t max,
                         uint64_t *ret_user)
{
	static struct sql_bulk crowded = {
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
	enum status status = run_for_users(sql, &crowded, users, count, tail);

	if (status == ST_OK)
		status = sql_fetch(sql, &user, 1);
	*ret_user = status == ST_OK ? user.number : 0;
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* --- coming in ----------------------------------------------------------- */
static enum status put_members(struct membership_change *c,
                               const uint64_t *users, unsigned count)
{
	static struct sql_bulk put = {
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
	uint64_t seq = c->entry.seq;

	assert(count <= CHANGE_USERS_MAX);
	for (unsigned i = 0; i < count; i++) {
		bool owns = c->role == ROLE_OWNER && users[i] == c->actor;

		*value++ = sql_number(users[i]);
		*value++ = sql_number(c->conversation);
		*value++ = sql_number(owns ? ROLE_OWNER : ROLE_MEMBER);
		*value++ = sql_bytes(span_make(c->now.text, SQL_TIME_LEN));
		*value++ = sql_number(seq);
		*value++ = sql_number(seq);
		*value++ = sql_number(c->history == HISTORY_ALL ? 0 : seq - 1);
	}
	return sql_bulk_run(c->sql, &put, values, count);
}

static enum status forget_departure(struct membership_change *c, uint64_t user)
{
	struct sql_value values[] = {sql_number(user),
	                             sql_number(c->conversation)};

	return sql_run(c->sql,
	               "DELETE FROM departures WHERE user = ?"
	               " AND conversation = ?",
	               values, ARRAY_LEN(values));
}

/*
 * Looked for without a lock, removed one by one: for several at once a server
 * may read the whole table, and would wait for other changes' rows.
 */
static enum status forget_departures(struct membership_change *c,
                                     const uint64_t *users, unsigned count)
{
	static struct sql_bulk departed = {
		.head = "SELECT user FROM departures WHERE user IN (",
		.row = "?",
		.between = ",",
		.tail = ") AND conversation = ?",
		.row_values = 1,
		.tail_values = 1,
	};
	struct sql_value value = sql_number(c->conversation);
	struct sql_value row;
	uint64_t again[CHANGE_USERS_MAX];
	unsigned found = 0;
	enum status status =
		run_for_users(c->sql, &departed, users, count, &value);

	while (status == ST_OK && found < CHANGE_USERS_MAX) {
		status = sql_fetch(c->sql, &row, 1);
		if (status == ST_OK)
			again[found++] = row.number;
	}
	if (status == ST_NOT_FOUND)
		status = ST_OK;
	for (unsigned i = 0; i < found && status == ST_OK; i++)
		status = forget_departure(c, again[i]);
	return status;
}

static enum status put_large(struct membership_change *c, const uint64_t *users,
                             unsigned count)
{
	static struct sql_bulk put = {
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
		values[2 * i + 1] = sql_number(c->conversation);
	}
	return sql_bulk_run(c->sql, &put, values, count);
}

/* All of them: there are not many more than fanout_list_max. */
static enum status become_large(struct membership_change *c)
{
	struct sql_value value = sql_number(c->conversation);

	c->large = true;
	return sql_run(c->sql,
	               "INSERT INTO large_members (user, conversation)"
	               " SELECT m.user, m.conversation FROM members m"
	               " WHERE m.conversation = ?"
	               " ON DUPLICATE KEY UPDATE"
	               " large_members.user = large_members.user",
	               &value, 1);
}

enum status members_enter(struct membership_change *c, const uint64_t *users,
                          unsigned count)
{
	enum status status = put_members(c, users, count);

	if (status == ST_OK)
		status = forget_departures(c, users, count);
	if (status != ST_OK)
		return status;
	c->member_count += count;
	if (c->large)
		return put_large(c, users, count);
	return c->member_count > c->fanout_list_max ? become_large(c) : ST_OK;
}

/* --- going --------------------------------------------------------------- */
static enum status put_departure(struct membership_change *c, uint64_t user)
{
	struct sql_value values[] = {sql_number(user),
	                             sql_number(c->conversation),
	                             sql_number(c->entry.seq)};

	return sql_run(c->sql,
	               "INSERT INTO departures (user, conversation, seq)"
	               " VALUES (?, ?, ?)"
	               " ON DUPLICATE KEY UPDATE seq = VALUES(seq)",
	               values, ARRAY_LEN(values));
}

enum status member_leaves(struct membership_change *c, uint64_t user)
{
	struct sql_value values[] = {sql_number(user),
	                             sql_number(c->conversation)};
	enum status status = sql_run(c->sql,
	                             "DELETE FROM members WHERE user = ?"
	                             " AND conversation = ?",
	                             values, ARRAY_LEN(values));

	if (status == ST_OK && c->large)
		status = sql_run(c->sql,
		                 "DELETE FROM large_members WHERE user = ?"
		                 " AND conversation = ?",
		                 values, ARRAY_LEN(values));
	if (status != ST_OK)
		return status;
	if (c->member_count)
		c->member_count--;
	return put_departure(c, user);
}
