#include "identity-service/account/deletion.h"

#include "common/base/clock.h"
#include "identity-service/session/session.h"

#define LAST_TIME_MS UINT64_C(253402300799999) /* the end of the year 9999 */

/*
 * Not updated: a request at the same time has deleted it, or has changed the
 * password or phone. The lock reads what that request has committed.
 */
static enum status check_deleted(struct sql *sql, uint64_t user)
{
	const struct sql_value id = sql_number(user);
	struct sql_value row;
	enum status status =
		sql_run(sql,
	                "SELECT deleted_at IS NOT NULL FROM users WHERE id = ?"
	                " LOCK IN SHARE MODE",
	                &id, 1);

	if (status == ST_OK)
		status = sql_fetch(sql, &row, 1);
	if (status == ST_OK && !row.number)
		return ST_CONFLICT;
	return status;
}

#define DELETE_ACCOUNT \
	"UPDATE users SET deleted_at = NOW(3)," \
	" name_free_at = NOW(3) + INTERVAL ? SECOND," \
	" display_name = NULL, about = NULL, avatar_url = NULL," \
	" phone = NULL, password_hash = ''" \
	" WHERE id = ? AND deleted_at IS NULL"

enum status deletion_run(struct sql *sql, const struct deletion *deletion)
{
	bool by_phone = deletion->phone.len > 0;
	const struct sql_value values[] = {
		sql_number(deletion->name_reserved_s),
		sql_number(deletion->user),
		sql_bytes(by_phone ? deletion->phone
	                           : span_of(deletion->password_hash)),
	};
	enum status status =
		sql_run(sql,
	                by_phone ? DELETE_ACCOUNT " AND phone = ?"
	                         : DELETE_ACCOUNT " AND password_hash = ?",
	                values, ARRAY_LEN(values));

	if (status == ST_OK && sql_affected(sql) == 0)
		status = check_deleted(sql, deletion->user);
	return status == ST_OK ? session_end_all(sql, deletion->user) : status;
}

enum status deletion_free_names(struct sql *sql, bool *ret_more)
{
	const struct sql_value most = sql_number(DELETION_NAMES_MAX);
	enum status status =
		sql_run(sql,
	                "UPDATE users SET name = '', name_key = NULL,"
	                " name_free_at = NULL WHERE name_free_at <= NOW(3)"
	                " LIMIT ?",
	                &most, 1);

	*ret_more = status == ST_OK && sql_affected(sql) == DELETION_NAMES_MAX;
	return status;
}

/* Without the Z, which SQL does not accept. */
static struct sql_value time_value(uint64_t unix_ms,
                                   char text[CLOCK_TEXT_LEN + 1])
{
	clock_format(unix_ms, text);
	return sql_bytes(span_make(text, CLOCK_TEXT_LEN - 1));
}

enum status deletion_list(struct sql *sql, const struct deletion_range *range,
                          struct deleted_user *rows, unsigned max,
                          unsigned *ret_count)
{
	char since_text[CLOCK_TEXT_LEN + 1], until_text[CLOCK_TEXT_LEN + 1];
	const struct sql_value since = time_value(range->since_ms, since_text);
	const struct sql_value values[] = {
		since,
		since,
		sql_number(range->after),
		time_value(range->until_ms ? range->until_ms : LAST_TIME_MS,
	                   until_text),
		sql_number(max),
	};
	struct sql_value row[2];
	unsigned count = 0;
	enum status status = sql_run(
		sql,
		"SELECT id, CAST(UNIX_TIMESTAMP(deleted_at) * 1000 AS UNSIGNED)"
		" FROM users WHERE deleted_at >= CAST(? AS DATETIME(3))"
		" AND (deleted_at > CAST(? AS DATETIME(3)) OR id > ?)"
		" AND deleted_at <= CAST(? AS DATETIME(3))"
		" ORDER BY deleted_at, id LIMIT ?",
		values, ARRAY_LEN(values));

	while (status == ST_OK) {
		status = sql_fetch(sql, row, ARRAY_LEN(row));
		if (status == ST_OK)
			rows[count++] = (struct deleted_user){row[0].number,
			                                      row[1].number};
	}
	*ret_count = count;
	return status == ST_NOT_FOUND ? ST_OK : status;
}
