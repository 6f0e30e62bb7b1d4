#include "identity-service/session/revocations.h"
#include "common/base/lru.h"
#include "common/base/mem.h"

#define SELECT_REVOKED \
	"SELECT id, CAST(UNIX_TIMESTAMP(expires_at) * 1000 AS UNSIGNED)" \
	" FROM sessions "
#define REVOKED_SINCE \
	SELECT_REVOKED "WHERE revoked_at >= NOW(3) - INTERVAL ? SECOND"

struct revocations {
	struct lru *ids;
	size_t max;
	uint64_t ttl_s;
};

struct revocations *revocations_create(size_t entries_max, uint64_t ttl_s)
{
	struct revocations *revocations = mem_new(sizeof(*revocations));

	revocations->ids = lru_create(entries_max, 0);
	revocations->max = entries_max;
	revocations->ttl_s = ttl_s;
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

static enum status read_rows(struct revocations *revocations, struct sql *sql,
                             enum status status)
{
	struct sql_value row[2];
	size_t read = 0;

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

enum status revocations_load(struct revocations *revocations, struct sql *sql,
                             bool all)
{
	const struct sql_value seconds =
		sql_number(all ? revocations->ttl_s : REVOCATION_OVERLAP_S);

	/* One or the other holds, whichever clock is wrong. */
	return read_rows(revocations, sql,
	                 sql_run(sql,
	                         all ? REVOKED_SINCE
	                                 " UNION " SELECT_REVOKED
	                                 "WHERE revoked_at IS NOT NULL"
	                                 " AND expires_at > NOW(3)"
	                             : REVOKED_SINCE,
	                         &seconds, 1));
}

enum status revocations_load_user(struct revocations *revocations,
                                  struct sql *sql, uint64_t user)
{
	const struct sql_value values[] = {sql_number(REVOCATION_OVERLAP_S),
	                                   sql_number(user)};

	return read_rows(revocations, sql,
	                 sql_run(sql, REVOKED_SINCE " AND user = ?", values,
	                         ARRAY_LEN(values)));
}
