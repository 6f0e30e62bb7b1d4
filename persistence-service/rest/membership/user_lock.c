#include "persistence-service/rest/membership/user_lock.h"

#include "common/io/sql/bulk.h"
#include "persistence-service/conversation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The insert also locks a row that exists already. */
static struct sql_bulk lock_users = {
	.head = "INSERT INTO user_locks (user) VALUES ",
	.row = "(?)",
	.between = ",",
	.tail = " ON DUPLICATE KEY UPDATE user = VALUES(user)",
	.row_values = 1,
};

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

enum status user_lock_take(struct sql *sql, const uint64_t *users,
                           unsigned count)
{
	struct sql_value values[SQL_BULK_ROOM(CHANGE_USERS_MAX, 1)];
	uint64_t sorted[CHANGE_USERS_MAX];

	assert(count > 0 && count <= CHANGE_USERS_MAX);
	memcpy(sorted, users, count * sizeof(*users));
	qsort(sorted, count, sizeof(*sorted), ascending);
	for (unsigned i = 0; i < count; i++)
		values[i] = sql_number(sorted[i]);
	return sql_bulk_run(sql, &lock_users, values, count);
}
