#define _GNU_SOURCE
#include "common/io/sql/migrate.h"
#include "common/base/buf.h"
#include "common/io/sql/private.h"

#include <inttypes.h>
#include <string.h>

enum { STATEMENT_MAX = 64 * 1024 };

/* MySQL takes lock names of at most 64 characters; the lock is server-wide. */
#define LOCK_NAME "LEFT(CONCAT('schema:', DATABASE()), 64)"

/* The first column of a statement's only row; NULL counts as 0. */
static enum status ask(struct sql *sql, const char *statement,
                       uint64_t *ret_number)
{
	struct sql_value row;
	enum status status = sql_run(sql, statement, NULL, 0);

	if (status == ST_OK)
		status = sql_fetch(sql, &row, 1);
	if (status == ST_OK)
		*ret_number = row.kind == SQL_NUMBER ? row.number : 0;
	return status;
}

/* Waits for 1 s only: the caller of sql_migrate() retries. */
static enum status lock(struct sql *sql)
{
	uint64_t got = 0;
	enum status status =
		ask(sql, "SELECT GET_LOCK(" LOCK_NAME ", 1)", &got);

	if (status == ST_OK && got != 1)
		return sql_fail(sql, ST_UNAVAILABLE,
		                "the schema is locked by another process");
	return status;
}

static enum status current_version(struct sql *sql, uint64_t *ret_version)
{
	enum status status = sql_execute(
		sql, "CREATE TABLE IF NOT EXISTS schema_version ("
		     " version INT UNSIGNED NOT NULL PRIMARY KEY,"
		     " applied_at DATETIME(3) NOT NULL"
		     " DEFAULT CURRENT_TIMESTAMP(3)) ENGINE=InnoDB");

	if (status != ST_OK)
		return status;
	return ask(sql,
	           "SELECT CAST(COALESCE(MAX(version), 0) AS UNSIGNED)"
	           " FROM schema_version",
	           ret_version);
}

/* Cuts the text before ";\n"; what follows the last one is a statement too. */
static struct span cut_statement(struct span *rest)
{
	const char *end = memmem(rest->data, rest->len, ";\n", 2);
	struct span statement = *rest;

	if (end) {
		statement.len = (size_t)(end - rest->data);
		*rest = span_make(end + 2, rest->len - statement.len - 2);
	} else {
		*rest = SPAN_NONE;
	}
	return statement;
}

static bool is_blank(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!strchr(" \t\r\n;", text.data[i]))
			return false;
	}
	return true;
}

static enum status apply(struct sql *sql, const struct sql_migration *migration)
{
	struct span rest = span_of(migration->statements);
	struct sql_value version = sql_number(migration->version);

	while (rest.len) {
		CLEANUP(buf_free) struct buf text = BUF(STATEMENT_MAX);
		enum status status = ST_OK;

		buf_append(&text, cut_statement(&rest));
		if (buf_overflowed(&text))
			return sql_fail(sql, ST_BROKEN,
			                "schema %u: a statement is too long",
			                migration->version);
		if (!is_blank(buf_span(&text)))
			status = sql_execute(sql, buf_text(&text));
		if (status != ST_OK && status != ST_CONFLICT)
			return status;
	}
	return sql_run(sql, "INSERT INTO schema_version (version) VALUES (?)",
	               &version, 1);
}

static enum status apply_missing(struct sql *sql,
                                 const struct sql_migration *migrations,
                                 unsigned count, unsigned *ret_applied)
{
	uint64_t version = 0;
	enum status status = current_version(sql, &version);

	if (status == ST_OK && version > count)
		return sql_fail(sql, ST_BROKEN,
		                "the database has schema version %" PRIu64
		                ", this program knows up to %u: it is too old",
		                version, count);
	*ret_applied = 0;
	for (; status == ST_OK && version < count; version++) {
		status = apply(sql, &migrations[version]);
		if (status == ST_OK)
			++*ret_applied;
	}
	return status;
}

enum status sql_migrate(struct sql *sql, const struct sql_migration *migrations,
                        unsigned count, unsigned *ret_applied)
{
	enum status status = lock(sql);
	uint64_t released;

	if (status != ST_OK)
		return status;
	status = apply_missing(sql, migrations, count, ret_applied);
	/* Without a connection the server has released it already. */
	if (sql_connected(sql))
		(void)!ask(sql, "SELECT RELEASE_LOCK(" LOCK_NAME ")",
		           &released);
	return status;
}

enum status sql_probe_write(struct sql *sql)
{
	return sql_execute(sql, "UPDATE schema_version SET version = version"
	                        " WHERE FALSE");
}
