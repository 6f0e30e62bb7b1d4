#include "identity-service/keys/key_table.h"

#include <string.h>

/* MySQL takes lock names of at most 64 characters; the lock is server-wide. */
#define LOCK_NAME "LEFT(CONCAT('signing_keys:', DATABASE()), 64)"

static enum status ask_lock(struct sql *sql, const char *statement)
{
	struct sql_value got;
	enum status status = sql_run(sql, statement, NULL, 0);

	if (status == ST_OK)
		status = sql_fetch(sql, &got, 1);
	if (status == ST_OK && (got.kind != SQL_NUMBER || got.number != 1))
		return ST_BUSY;
	return status;
}

enum status key_table_lock(struct sql *sql)
{
	return ask_lock(sql, "SELECT GET_LOCK(" LOCK_NAME ", 1)");
}

/* The lock ends with the connection, too. */
void key_table_unlock(struct sql *sql)
{
	if (sql_connected(sql))
		(void)!ask_lock(sql, "SELECT RELEASE_LOCK(" LOCK_NAME ")");
}

enum status key_table_select(struct sql *sql, uint64_t rotate_days,
                             uint64_t lives_s)
{
	const struct sql_value values[] = {sql_number(rotate_days),
	                                   sql_number(lives_s)};

	return sql_run(
		sql,
		"SELECT kid, private_pem, private_sealed,"
		" DATE_FORMAT(signs_from, '%Y-%m-%dT%H:%i:%sZ'),"
		" signs_from <= NOW(3),"
		" signs_from + INTERVAL ? DAY <= NOW(3),"
		" COALESCE(verifies_until < NOW(3) + INTERVAL ? SECOND, 1),"
		" COALESCE(verifies_until < NOW(3), 0)"
		" FROM signing_keys WHERE retired_at IS NULL"
		" ORDER BY signs_from DESC, created_at DESC, kid DESC",
		values, ARRAY_LEN(values));
}

static void copy(struct span text, char *to, size_t size)
{
	size_t len = text.len < size ? text.len : size - 1;

	memcpy(to, text.data, len);
	to[len] = '\0';
}

static struct key_text text_of(const struct sql_value values[2])
{
	struct key_text text = {0};

	if (values[0].kind == SQL_BYTES)
		text.pem = values[0].bytes;
	if (values[1].kind == SQL_BYTES)
		text.sealed = values[1].bytes;
	return text;
}

enum status key_table_next(struct sql *sql, struct key_row *ret_row,
                           struct key_text *ret_text)
{
	struct sql_value values[8];
	enum status status = sql_fetch(sql, values, ARRAY_LEN(values));

	if (status != ST_OK)
		return status;
	*ret_row = (struct key_row){
		.may_sign = values[4].number,
		.is_old = values[5].number,
		.must_extend = values[6].number,
		.is_dead = values[7].number,
		.is_clear = values[1].kind != SQL_NULL,
	};
	copy(values[0].bytes, ret_row->kid, sizeof(ret_row->kid));
	copy(values[3].bytes, ret_row->signs_from, sizeof(ret_row->signs_from));
	*ret_text = text_of(values + 1);
	return ST_OK;
}

enum status key_table_find(struct sql *sql, struct span kid,
                           struct key_row *ret_row, struct key_text *ret_text)
{
	const struct sql_value id = sql_bytes(kid);
	struct sql_value values[2];
	enum status status =
		sql_run(sql,
	                "SELECT private_pem, private_sealed FROM signing_keys"
	                " WHERE kid = ? AND retired_at IS NULL",
	                &id, 1);

	if (status == ST_OK)
		status = sql_fetch(sql, values, ARRAY_LEN(values));
	if (status != ST_OK)
		return status;
	*ret_row = (struct key_row){.is_clear = values[0].kind != SQL_NULL};
	copy(kid, ret_row->kid, sizeof(ret_row->kid));
	*ret_text = text_of(values);
	return ST_OK;
}

/* Never before the key that is the newest: the clock may have been set back. */
enum status key_table_insert(struct sql *sql, struct span kid,
                             struct span sealed, uint64_t lead_s)
{
	const struct sql_value values[] = {sql_bytes(kid), sql_bytes(sealed),
	                                   sql_number(lead_s)};

	return sql_run(sql,
	               "INSERT INTO signing_keys"
	               " (kid, private_sealed, signs_from)"
	               " SELECT ?, ?, GREATEST(NOW(3),"
	               " COALESCE(MAX(signs_from), NOW(3)))"
	               " + INTERVAL ? SECOND FROM signing_keys",
	               values, ARRAY_LEN(values));
}

enum status key_table_extend(struct sql *sql, struct span kid, uint64_t seconds)
{
	const struct sql_value values[] = {sql_number(seconds), sql_bytes(kid)};

	return sql_run(sql,
	               "UPDATE signing_keys SET verifies_until ="
	               " GREATEST(COALESCE(verifies_until, NOW(3)),"
	               " NOW(3) + INTERVAL ? SECOND) WHERE kid = ?",
	               values, ARRAY_LEN(values));
}

enum status key_table_seal(struct sql *sql, const struct key_row *row,
                           struct span sealed)
{
	const struct sql_value values[] = {sql_bytes(sealed),
	                                   sql_bytes(span_of(row->kid)),
	                                   sql_number(row->is_clear)};
	enum status status =
		sql_run(sql,
	                "UPDATE signing_keys"
	                " SET private_sealed = ?, private_pem = NULL"
	                " WHERE kid = ? AND (private_pem IS NOT NULL) = ?",
	                values, ARRAY_LEN(values));

	if (status != ST_OK)
		return status;
	return sql_affected(sql) ? ST_OK : ST_NOT_FOUND;
}

enum status key_table_delete(struct sql *sql, struct span kid)
{
	const struct sql_value id = sql_bytes(kid);

	return sql_run(sql,
	               "DELETE FROM signing_keys"
	               " WHERE kid = ? AND verifies_until < NOW(3)",
	               &id, 1);
}
