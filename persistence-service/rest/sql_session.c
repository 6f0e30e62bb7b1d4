#include "persistence-service/rest/sql_session.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/log.h"

enum { RECONNECT_MS = 500, TRIES = 2 };

struct reader {
	struct sql *sql;
	uint64_t connect_due_ms;
};

struct reader *reader_create(const struct settings *settings)
{
	struct reader *reader = mem_new(sizeof(*reader));

	reader->sql = settings_sql(settings);
	return reader;
}

void reader_destroy(struct reader **reader)
{
	if (!*reader)
		return;
	sql_destroy(&(*reader)->sql);
	mem_free(reader);
}

struct sql *reader_sql(struct reader *reader)
{
	return reader->sql;
}

/* A hundred ids as text, and no more, is what is ever wanted of a group. */
static enum status set_session(struct sql *sql)
{
	return sql_execute(sql, "SET SESSION group_concat_max_len = 2048");
}

enum status reader_connect(struct reader *reader)
{
	uint64_t now_ms = clock_mono_ms();
	enum status status;

	if (sql_connected(reader->sql))
		return ST_OK;
	if (now_ms < reader->connect_due_ms)
		return ST_UNAVAILABLE;
	reader->connect_due_ms = now_ms + RECONNECT_MS;
	status = sql_connect(reader->sql);
	if (status == ST_OK)
		status = set_session(reader->sql);
	return status;
}

/* Reading twice is harmless: a connection may have died while it was idle. */
enum status reader_run(struct reader *reader, const char *statement,
                       const struct sql_value *values, unsigned count)
{
	enum status status = ST_UNAVAILABLE;

	for (unsigned i = 0; i < TRIES; i++) {
		status = reader_connect(reader);
		if (status == ST_OK)
			status = sql_run(reader->sql, statement, values, count);
		if (status != ST_UNAVAILABLE)
			break;
	}
	if (status == ST_OK)
		return ST_OK;
	log_event(LOG_WARN, "history.failed",
	          F_TEXT("status", status_text(status)),
	          F_TEXT("why", sql_error(reader->sql)));
	return ST_UNAVAILABLE;
}

enum status reader_fetch(struct reader *reader, struct sql_value *ret_row,
                         unsigned columns)
{
	return sql_fetch(reader->sql, ret_row, columns);
}
