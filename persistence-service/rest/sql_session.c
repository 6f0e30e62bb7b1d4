#include "persistence-service/rest/sql_session.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/log.h"

enum { RECONNECT_MS = 500, TRIES = 2 };

struct sql_session {
	struct sql *sql;
	uint64_t connect_due_ms;
};

struct sql_session *sql_session_create(const struct settings *settings)
{
	struct sql_session *session = mem_new(sizeof(*session));

	session->sql = settings_sql(settings);
	return session;
}

void sql_session_destroy(struct sql_session **session)
{
	if (!*session)
		return;
	sql_destroy(&(*session)->sql);
	mem_free(session);
}

struct sql *sql_session_connection(struct sql_session *session)
{
	return session->sql;
}

/* GROUP_CONCAT() needs room for a hundred ids, and for no more. */
static enum status set_session(struct sql *sql)
{
	return sql_execute(sql, "SET SESSION group_concat_max_len = 2048");
}

enum status sql_session_connect(struct sql_session *session)
{
	uint64_t now_ms = clock_mono_ms();
	enum status status;

	if (sql_connected(session->sql))
		return ST_OK;
	if (now_ms < session->connect_due_ms)
		return ST_UNAVAILABLE;
	session->connect_due_ms = now_ms + RECONNECT_MS;
	status = sql_connect(session->sql);
	if (status == ST_OK)
		status = set_session(session->sql);
	return status;
}

/* A second try, because the connection may have been lost while idle. */
enum status sql_session_run(struct sql_session *session, const char *statement,
                            const struct sql_value *values, unsigned count)
{
	enum status status = ST_UNAVAILABLE;

	for (unsigned i = 0; i < TRIES; i++) {
		status = sql_session_connect(session);
		if (status == ST_OK)
			status =
				sql_run(session->sql, statement, values, count);
		if (status != ST_UNAVAILABLE)
			break;
	}
	if (status == ST_OK)
		return ST_OK;
	log_event(LOG_WARN, "sql_session.failed",
	          F_TEXT("status", status_text(status)),
	          F_TEXT("why", sql_error(session->sql)));
	return ST_UNAVAILABLE;
}

enum status sql_session_fetch(struct sql_session *session,
                              struct sql_value *ret_row, unsigned columns)
{
	return sql_fetch(session->sql, ret_row, columns);
}
