#include "identity-service/session.h"
#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"

#include <string.h>

#define SELECT_REVOKED \
	"SELECT id, CAST(UNIX_TIMESTAMP(expires_at) * 1000 AS UNSIGNED)" \
	" FROM sessions "

struct revocations {
	struct lru *ids;
	size_t max;
};

/* ST_CONFLICT: an earlier attempt with an unknown outcome inserted the row. */
enum status session_insert(struct sql *sql, const struct uuid *id,
                           uint64_t user, uint64_t expires_at_ms)
{
	char text[CLOCK_TEXT_LEN + 1];
	const struct sql_value values[] = {
		sql_bytes(uuid_span(id)),
		sql_number(user),
		/* Without the Z, which SQL does not accept. */
		sql_bytes(span_make(text, CLOCK_TEXT_LEN - 1)),
	};
	enum status status;

	clock_format(expires_at_ms, text);
	status = sql_run(sql,
	                 "INSERT INTO sessions (id, user, expires_at)"
	                 " VALUES (?, ?, ?)",
	                 values, ARRAY_LEN(values));
	return status == ST_CONFLICT ? ST_OK : status;
}

enum status session_purge(struct sql *sql, bool *ret_more)
{
	const struct sql_value values[] = {sql_number(SESSION_KEPT_S),
	                                   sql_number(SESSION_PURGE_MAX)};
	enum status status = sql_run(sql,
	                             "DELETE FROM sessions WHERE expires_at"
	                             " < NOW(3) - INTERVAL ? SECOND LIMIT ?",
	                             values, ARRAY_LEN(values));

	*ret_more = status == ST_OK && sql_affected(sql) == SESSION_PURGE_MAX;
	return status;
}

struct revocations *revocations_create(size_t entries_max)
{
	struct revocations *revocations = mem_new(sizeof(*revocations));

	revocations->ids = lru_create(entries_max, 0);
	revocations->max = entries_max;
	return revocations;
}

void revocations_destroy(struct revocations **revocations)
{
	struct revocations *r = MOVE(*revocations);

	if (!r)
		return;
	lru_destroy(&r->ids);
	mem_free(&r);
}

bool revocations_have(struct revocations *revocations,
                      const struct uuid *session, uint64_t now_unix_ms)
{
	return lru_get(revocations->ids, uuid_span(session), now_unix_ms, NULL);
}

size_t revocations_count(struct revocations *revocations)
{
	return lru_count(revocations->ids);
}

enum status revocations_load(struct revocations *revocations, struct sql *sql,
                             bool all)
{
	const struct sql_value seconds = sql_number(REVOCATION_OVERLAP_S);
	struct sql_value row[2];
	size_t read = 0;
	enum status status;

	if (all)
		status = sql_run(sql,
		                 SELECT_REVOKED "WHERE revoked_at IS NOT NULL"
		                                " AND expires_at > NOW(3)",
		                 NULL, 0);
	else
		status = sql_run(sql,
		                 SELECT_REVOKED "WHERE revoked_at >= NOW(3)"
		                                " - INTERVAL ? SECOND",
		                 &seconds, 1);
	for (; status == ST_OK; read++) {
		status = sql_fetch(sql, row, ARRAY_LEN(row));
		if (status == ST_OK)
			lru_put(revocations->ids, row[0].bytes, NULL,
			        row[1].number);
	}
	if (status == ST_NOT_FOUND)
		status = read - 1 > revocations->max ? ST_BROKEN : ST_OK;
	return status;
}
