#include "identity-service/account/profile.h"

#include "common/io/sql/bulk.h"

#include <assert.h>

#define SELECT_PROFILE \
	"SELECT id, deleted_at IS NOT NULL, name, display_name, about," \
	" avatar_url, phone FROM users "

enum { COLUMNS = 7, FIRST_TEXT = 3 };

enum status profile_next(struct sql *sql, struct profile *ret_profile)
{
	struct sql_value row[COLUMNS];
	enum status status = sql_fetch(sql, row, COLUMNS);

	if (status != ST_OK)
		return status;
	*ret_profile = (struct profile){
		.id = row[0].number,
		.deleted = row[1].number != 0,
		.name = row[2].bytes,
		.phone = row[COLUMNS - 1],
	};
	for (unsigned i = 0; i < PROFILE_TEXTS; i++)
		ret_profile->text[i] = row[FIRST_TEXT + i];
	return ST_OK;
}

enum status profile_by_id(struct sql *sql, uint64_t id,
                          struct profile *ret_profile)
{
	const struct sql_value value = sql_number(id);
	enum status status =
		sql_run(sql, SELECT_PROFILE "WHERE id = ?", &value, 1);

	return status == ST_OK ? profile_next(sql, ret_profile) : status;
}

/* As account_by_name(). */
enum status profile_by_name(struct sql *sql, const struct name_keys *keys,
                            struct profile *ret_profile)
{
	const struct sql_value key = sql_bytes(buf_span(&keys->key));
	const struct sql_value folded = sql_bytes(buf_span(&keys->folded));
	const struct sql_value values[] = {key, folded, folded};
	enum status status = sql_run(
		sql,
		SELECT_PROFILE "WHERE name_key IN (?, ?) AND deleted_at IS NULL"
			       " ORDER BY name_key = ? DESC LIMIT 1",
		values, ARRAY_LEN(values));

	return status == ST_OK ? profile_next(sql, ret_profile) : status;
}

enum status profile_select_many(struct sql *sql, const uint64_t *ids,
                                unsigned count)
{
	static struct sql_bulk select = {
		.head = SELECT_PROFILE "WHERE deleted_at IS NULL AND id IN (",
		.row = "?",
		.between = ",",
		.tail = ") ORDER BY id",
		.row_values = 1,
	};
	struct sql_value values[SQL_BULK_ROOM(PROFILE_IDS_MAX, 1)];

	assert(count > 0 && count <= PROFILE_IDS_MAX);
	for (unsigned i = 0; i < count; i++)
		values[i] = sql_number(ids[i]);
	return sql_bulk_run(sql, &select, values, count);
}

enum status profile_apply(struct sql *sql, uint64_t id,
                          const struct profile_change *change)
{
	struct sql_value values[2 * PROFILE_TEXTS + 1];

	for (unsigned i = 0; i < PROFILE_TEXTS; i++) {
		values[2 * i] = sql_number(change->changes[i]);
		values[2 * i + 1] = change->text[i];
	}
	values[2 * PROFILE_TEXTS] = sql_number(id);
	return sql_run(sql,
	               "UPDATE users SET display_name = IF(?, ?, display_name),"
	               " about = IF(?, ?, about),"
	               " avatar_url = IF(?, ?, avatar_url)"
	               " WHERE id = ? AND deleted_at IS NULL",
	               values, ARRAY_LEN(values));
}
