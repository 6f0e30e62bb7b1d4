/*
 * Keys and search words of channels that an older version made.
 */
#include "persistence-service/rest/membership/channel_names.h"

#include "common/wire/name.h"

#include <string.h>

enum { STEP = 100 };

/* The name stays taken under its old key if another channel has the new one. */
static enum status renew_keys(struct sql *sql, uint64_t conversation,
                              struct span name)
{
	struct sql_value value = sql_number(conversation);
	enum status status = channel_names_change(sql, conversation, name);

	if (status != ST_CONFLICT)
		return status;
	status = sql_run(sql,
	                 "UPDATE channels SET searched_key = name_key"
	                 " WHERE conversation = ?",
	                 &value, 1);
	if (status != ST_OK)
		return status;
	return channel_names_replace_words(sql, conversation, name);
}

static enum status renew_channel(struct sql *sql, uint64_t conversation)
{
	struct sql_value row, value = sql_number(conversation);
	char name[NAME_MAX_BYTES];
	enum status status =
		sql_run(sql,
	                "SELECT COALESCE(name, '') FROM conversations"
	                " WHERE id = ? FOR UPDATE",
	                &value, 1);

	if (status == ST_OK)
		status = sql_fetch(sql, &row, 1);
	if (status == ST_NOT_FOUND)
		return ST_OK;
	if (status != ST_OK)
		return status;
	if (row.bytes.len == 0 || row.bytes.len > sizeof(name))
		return ST_OK;
	memcpy(name, row.bytes.data, row.bytes.len);
	return renew_keys(sql, conversation, span_make(name, row.bytes.len));
}

static enum status find_old(struct sql *sql, uint64_t after,
                            uint64_t *conversations, unsigned *ret_count)
{
	const struct sql_value values[] = {sql_number(after), sql_number(STEP)};
	struct sql_value row;
	enum status status = sql_run(
		sql,
		"SELECT conversation FROM channels WHERE conversation > ?"
		" AND (searched_key IS NULL OR searched_key <> name_key)"
		" ORDER BY conversation LIMIT ?",
		values, ARRAY_LEN(values));

	*ret_count = 0;
	while (status == ST_OK) {
		status = sql_fetch(sql, &row, 1);
		if (status == ST_OK)
			conversations[(*ret_count)++] = row.number;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status renew_step(struct sql *sql, uint64_t *after,
                              unsigned *ret_count)
{
	uint64_t conversations[STEP];
	enum status status = find_old(sql, *after, conversations, ret_count);

	for (unsigned i = 0; i < *ret_count && status == ST_OK; i++) {
		*after = conversations[i];
		status = renew_channel(sql, conversations[i]);
	}
	return status == ST_OK ? sql_commit(sql) : status;
}

enum status channel_names_renew(struct sql *sql, uint64_t *ret_renewed)
{
	enum status status = ST_OK;
	uint64_t after = 0;
	unsigned count = 1;

	*ret_renewed = 0;
	while (count && status == ST_OK) {
		status = sql_begin(sql);
		if (status == ST_OK)
			status = renew_step(sql, &after, &count);
		if (status == ST_OK)
			*ret_renewed += count;
		else
			sql_rollback(sql);
	}
	return status;
}
