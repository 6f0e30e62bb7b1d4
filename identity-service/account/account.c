#include "identity-service/account/account.h"

#include <string.h>

#define SELECT_ACCOUNT \
	"SELECT id, name, password_hash," \
	" CAST(UNIX_TIMESTAMP(created_at) * 1000 AS UNSIGNED) FROM users "

enum status account_insert(struct sql *sql, struct span name, struct span key,
                           const char *password_hash, uint64_t *ret_id)
{
	const struct sql_value values[] = {sql_bytes(name), sql_bytes(key),
	                                   sql_bytes(span_of(password_hash))};
	enum status status =
		sql_run(sql,
	                "INSERT INTO users (name, name_key, password_hash)"
	                " VALUES (?, ?, ?)",
	                values, ARRAY_LEN(values));

	if (status == ST_OK)
		*ret_id = sql_insert_id(sql);
	return status;
}

enum status account_insert_by_phone(struct sql *sql, struct span name,
                                    struct span key, struct span phone,
                                    uint64_t *ret_id)
{
	const struct sql_value values[] = {sql_bytes(name), sql_bytes(key),
	                                   sql_bytes(phone)};
	enum status status = sql_run(
		sql,
		"INSERT INTO users (name, name_key, password_hash, phone)"
		" VALUES (?, ?, '', ?)",
		values, ARRAY_LEN(values));

	if (status == ST_OK)
		*ret_id = sql_insert_id(sql);
	return status;
}

enum status account_set_password(struct sql *sql, uint64_t id, const char *old,
                                 const char *hash)
{
	const struct sql_value values[] = {sql_bytes(span_of(hash)),
	                                   sql_number(id),
	                                   sql_bytes(span_of(old))};

	return sql_run(sql,
	               "UPDATE users SET password_hash = ?"
	               " WHERE id = ? AND password_hash = ?",
	               values, ARRAY_LEN(values));
}

static bool copy_text(const struct sql_value *value, char *text, size_t size)
{
	if (value->kind != SQL_BYTES || value->bytes.len >= size)
		return false;
	memcpy(text, value->bytes.data, value->bytes.len);
	text[value->bytes.len] = '\0';
	return true;
}

static enum status select_one(struct sql *sql, const char *statement,
                              const struct sql_value *values, unsigned count,
                              struct account *ret_account)
{
	struct sql_value row[4];
	struct account account = {0};
	enum status status = sql_run(sql, statement, values, count);

	if (status == ST_OK)
		status = sql_fetch(sql, row, ARRAY_LEN(row));
	if (status != ST_OK)
		return status;
	account.id = row[0].number;
	account.created_at_ms = row[3].number;
	if (!copy_text(&row[1], account.name, sizeof(account.name)) ||
	    !copy_text(&row[2], account.password_hash,
	               sizeof(account.password_hash)))
		return ST_BROKEN;
	*ret_account = account;
	return ST_OK;
}

enum status account_by_name(struct sql *sql, const struct name_keys *keys,
                            struct account *ret_account)
{
	const struct sql_value key = sql_bytes(buf_span(&keys->key));
	const struct sql_value folded = sql_bytes(buf_span(&keys->folded));
	const struct sql_value values[] = {key, folded, folded};

	return select_one(sql,
	                  SELECT_ACCOUNT "WHERE name_key IN (?, ?)"
	                                 " AND deleted_at IS NULL"
	                                 " ORDER BY name_key = ? DESC LIMIT 1",
	                  values, ARRAY_LEN(values), ret_account);
}

enum status account_by_id(struct sql *sql, uint64_t id,
                          struct account *ret_account)
{
	const struct sql_value value = sql_number(id);

	return select_one(sql,
	                  SELECT_ACCOUNT "WHERE id = ? AND deleted_at IS NULL",
	                  &value, 1, ret_account);
}

enum status account_change_hash(struct sql *sql, uint64_t id,
                                const char *old_hash, const char *new_hash)
{
	struct account account;
	enum status status = account_set_password(sql, id, old_hash, new_hash);

	if (status != ST_OK || sql_affected(sql) == 1)
		return status;
	status = account_by_id(sql, id, &account);
	if (status == ST_NOT_FOUND ||
	    (status == ST_OK && strcmp(account.password_hash, new_hash) != 0))
		return ST_CONFLICT;
	return status;
}

/* A deletion waits, too; afterwards it ends the new session. */
enum status account_lock(struct sql *sql, uint64_t id)
{
	const struct sql_value value = sql_number(id);
	struct sql_value row;
	enum status status = sql_run(sql,
	                             "SELECT id FROM users WHERE id = ?"
	                             " AND deleted_at IS NULL FOR UPDATE",
	                             &value, 1);

	return status == ST_OK ? sql_fetch(sql, &row, 1) : status;
}

/* --- phones --------------------------------------------------------------- */
enum status account_by_phone(struct sql *sql, struct span phone,
                             struct account *ret_account)
{
	const struct sql_value value = sql_bytes(phone);

	return select_one(sql, SELECT_ACCOUNT "WHERE phone = ?", &value, 1,
	                  ret_account);
}

static enum status release_phone(struct sql *sql, const struct account *owner,
                                 struct span phone)
{
	const struct sql_value values[] = {sql_number(owner->id),
	                                   sql_bytes(phone)};

	if (!*owner->password_hash)
		return ST_CONFLICT;
	return sql_run(sql,
	               "UPDATE users SET phone = NULL"
	               " WHERE id = ? AND phone = ?",
	               values, ARRAY_LEN(values));
}

enum status account_take_phone(struct sql *sql, uint64_t id, struct span phone)
{
	const struct sql_value values[] = {sql_bytes(phone), sql_number(id)};
	struct account owner;
	enum status status = account_by_phone(sql, phone, &owner);

	if (status == ST_OK && owner.id == id)
		return ST_OK;
	if (status == ST_OK)
		status = release_phone(sql, &owner, phone);
	if (status == ST_OK || status == ST_NOT_FOUND)
		status = sql_run(sql,
		                 "UPDATE users SET phone = ?"
		                 " WHERE id = ? AND deleted_at IS NULL",
		                 values, ARRAY_LEN(values));
	return status == ST_OK && sql_affected(sql) == 0 ? ST_NOT_FOUND
	                                                 : status;
}
