#include "identity-service/phone/open_code.h"

static struct sql_value phone_value(const struct phone *phone)
{
	return sql_bytes(phone_span(phone));
}

static struct sql_value digest_value(const struct open_code *code)
{
	return code->has_digest ? sql_bytes(digest_span(&code->digest))
	                        : (struct sql_value){.kind = SQL_NULL};
}

enum status open_code_put(struct sql *sql, const struct phone *phone,
                          const struct open_code *code, uint64_t ttl_s)
{
	const struct sql_value values[] = {
		phone_value(phone), sql_bytes(uuid_span(&code->id)),
		digest_value(code), sql_number(ttl_s)};

	return sql_run(sql,
	               "INSERT INTO phone_codes (phone, id, digest, tries,"
	               " sent_at, expires_at) VALUES (?, ?, ?, 0, NOW(3),"
	               " NOW(3) + INTERVAL ? SECOND) ON DUPLICATE KEY UPDATE"
	               " id = VALUES(id), digest = VALUES(digest), tries = 0,"
	               " sent_at = VALUES(sent_at),"
	               " expires_at = VALUES(expires_at), used_by = NULL",
	               values, ARRAY_LEN(values));
}

enum status open_code_wait(struct sql *sql, const struct phone *phone,
                           const struct uuid *id, uint64_t interval_s,
                           uint64_t *ret_wait_s, bool *ret_same)
{
	const struct sql_value values[] = {sql_number(interval_s),
	                                   sql_bytes(uuid_span(id)),
	                                   phone_value(phone)};
	struct sql_value row[2];
	enum status status = sql_run(
		sql,
		"SELECT CAST(GREATEST(0, CEILING(TIMESTAMPDIFF(MICROSECOND,"
		" NOW(3), sent_at + INTERVAL ? SECOND) / 1000000))"
		" AS UNSIGNED), id = ? FROM phone_codes WHERE phone = ?",
		values, ARRAY_LEN(values));

	*ret_wait_s = 0;
	*ret_same = false;
	if (status == ST_OK)
		status = sql_fetch(sql, row, ARRAY_LEN(row));
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_OK : status;
	*ret_wait_s = row[0].number;
	*ret_same = row[1].number != 0;
	return ST_OK;
}

static bool copy_bytes(const struct sql_value *value, void *out, size_t len)
{
	if (value->kind != SQL_BYTES || value->bytes.len != len)
		return false;
	memcpy(out, value->bytes.data, len);
	return true;
}

enum status open_code_try(struct sql *sql, const struct phone *phone,
                          uint64_t tries_max, struct open_code *ret_code)
{
	const struct sql_value values[] = {phone_value(phone),
	                                   sql_number(tries_max)};
	struct sql_value row[2];
	enum status status =
		sql_run(sql,
	                "UPDATE phone_codes SET tries = tries + 1"
	                " WHERE phone = ? AND tries < ? AND used_by IS NULL"
	                " AND expires_at > NOW(3)",
	                values, ARRAY_LEN(values));

	if (status == ST_OK && sql_affected(sql) == 0)
		return ST_DENIED;
	if (status == ST_OK)
		status = sql_run(sql,
		                 "SELECT id, digest FROM phone_codes"
		                 " WHERE phone = ?",
		                 values, 1);
	if (status == ST_OK)
		status = sql_fetch(sql, row, ARRAY_LEN(row));
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_UNAVAILABLE : status;
	ret_code->has_digest =
		copy_bytes(&row[1], &ret_code->digest, DIGEST_LEN);
	return copy_bytes(&row[0], ret_code->id.byte, sizeof(ret_code->id))
	               ? ST_OK
	               : ST_BROKEN;
}

enum status open_code_untry(struct sql *sql, const struct phone *phone,
                            const struct open_code *code)
{
	const struct sql_value values[] = {phone_value(phone),
	                                   sql_bytes(uuid_span(&code->id))};

	return sql_run(sql,
	               "UPDATE phone_codes SET tries = tries - 1"
	               " WHERE phone = ? AND id = ? AND tries > 0",
	               values, ARRAY_LEN(values));
}

enum status open_code_set_digest(struct sql *sql, const struct phone *phone,
                                 const struct open_code *code)
{
	const struct sql_value values[] = {
		sql_bytes(digest_span(&code->digest)), phone_value(phone),
		sql_bytes(uuid_span(&code->id))};

	return sql_run(sql,
	               "UPDATE phone_codes SET digest = ?"
	               " WHERE phone = ? AND id = ?",
	               values, ARRAY_LEN(values));
}

enum status open_code_use(struct sql *sql, const struct phone *phone,
                          const struct open_code *code, const struct uuid *user,
                          bool *ret_again)
{
	const struct sql_value values[] = {sql_bytes(uuid_span(user)),
	                                   phone_value(phone),
	                                   sql_bytes(uuid_span(&code->id))};
	struct sql_value row;
	enum status status =
		sql_run(sql,
	                "UPDATE phone_codes SET used_by = ? WHERE phone = ?"
	                " AND id = ? AND used_by IS NULL",
	                values, ARRAY_LEN(values));

	*ret_again = false;
	if (status != ST_OK || sql_affected(sql) == 1)
		return status;
	status = sql_run(sql,
	                 "SELECT 1 FROM phone_codes WHERE used_by = ?"
	                 " AND phone = ? AND id = ?",
	                 values, ARRAY_LEN(values));
	if (status == ST_OK)
		status = sql_fetch(sql, &row, 1);
	*ret_again = status == ST_OK;
	return status == ST_NOT_FOUND ? ST_DENIED : status;
}

enum status open_code_purge(struct sql *sql, bool *ret_more)
{
	const struct sql_value max = sql_number(OPEN_CODE_PURGE_MAX);
	enum status status = sql_run(sql,
	                             "DELETE FROM phone_codes WHERE expires_at"
	                             " < NOW(3) - INTERVAL 1 DAY LIMIT ?",
	                             &max, 1);

	*ret_more = status == ST_OK && sql_affected(sql) == OPEN_CODE_PURGE_MAX;
	return status;
}
