#include "common/io/sql/sql.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/sql/connect.h"
#include "common/io/sql/error.h"
#include "common/io/sql/fault.h"
#include "common/io/sql/private.h"
#include "common/io/sql/statement.h"

#include <assert.h>
#include <errmsg.h>
#include <mysql.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	STATEMENTS_MAX = 128,
	ERROR_TEXT_MAX = 512,
};

struct sql {
	MYSQL *mysql; /* NULL when not connected */
	char *host;
	char *user;
	char *password;
	char *database;
	uint16_t port;
	unsigned timeout_s;
	bool in_transaction;
	bool chains;  /* sql_chain_transactions() was called */
	bool chained; /* the server has autocommit = 0 */
	uint64_t connects;
	size_t packet_max;
	uint64_t began_ms;    /* the last statement */
	uint64_t idle_max_ms; /* the server closes what is idle for longer */
	bool timed_out;
	/* The most recently used first. They are few: a linear search costs
	 * less than hashing texts of many KiB. */
	struct sql_statement *statements[STATEMENTS_MAX];
	unsigned statement_count;
	struct sql_statement *reading; /* its rows are being fetched */
	uint64_t affected;
	uint64_t insert_id;
	struct sql_fault *fault; /* of a test; NULL: none */
	char error[ERROR_TEXT_MAX];
};

void sql_library_start(void)
{
	(void)mysql_library_init(0, NULL, NULL);
}

void sql_thread_start(void)
{
	(void)mysql_thread_init();
}

void sql_thread_stop(void)
{
	mysql_thread_end();
}

static char *copy(const char *text)
{
	return text ? mem_text(text, strlen(text)) : NULL;
}

struct sql *sql_create(const struct sql_options *options)
{
	struct sql *sql = mem_new(sizeof(*sql));

	sql->host = copy(options->host);
	sql->user = copy(options->user);
	sql->password = copy(options->password);
	sql->database = copy(options->database);
	sql->port = options->port;
	sql->timeout_s = options->timeout_s ? options->timeout_s : 5;
	return sql;
}

static void disconnect(struct sql *sql)
{
	while (sql->statement_count)
		sql_statement_destroy(&sql->statements[--sql->statement_count]);
	sql->reading = NULL;
	sql->in_transaction = false;
	sql->chained = false;
	if (sql->mysql)
		mysql_close(MOVE(sql->mysql));
}

void sql_destroy(struct sql **sql)
{
	struct sql *s = MOVE(*sql);

	if (!s)
		return;
	disconnect(s);
	if (s->password)
		mem_wipe(s->password, strlen(s->password));
	mem_free(&s->host);
	mem_free(&s->user);
	mem_free(&s->password);
	mem_free(&s->database);
	mem_free(&s);
}

bool sql_connected(const struct sql *sql)
{
	return sql->mysql &&
	       (sql->in_transaction ||
	        clock_mono_ms() - sql->began_ms < sql->idle_max_ms);
}

uint64_t sql_connects(const struct sql *sql)
{
	return sql->connects;
}

const char *sql_error(const struct sql *sql)
{
	return sql->error;
}

size_t sql_packet_max(const struct sql *sql)
{
	return sql->packet_max;
}

bool sql_timed_out(const struct sql *sql)
{
	return sql->timed_out;
}

uint64_t sql_affected(const struct sql *sql)
{
	return sql->affected;
}

uint64_t sql_insert_id(const struct sql *sql)
{
	return sql->insert_id;
}

enum status sql_fail(struct sql *sql, enum status status, const char *format,
                     ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(sql->error, sizeof(sql->error), format, args);
	va_end(args);
	return status;
}

static enum status not_connected(struct sql *sql)
{
	return sql_fail(sql, ST_UNAVAILABLE, "not connected");
}

/*
 * ST_UNAVAILABLE promises a rollback. A lock wait timeout undoes its statement
 * only, so the rest of the transaction is rolled back here.
 */
static enum status failed(struct sql *sql, unsigned error, const char *text)
{
	enum status status = sql_error_status(error);

	(void)sql_fail(sql, status, "%u %s", error, text);
	sql->timed_out = clock_mono_ms() - sql->began_ms >=
	                 sql->timeout_s * UINT64_C(1000);
	if (sql_error_ends_connection(error))
		disconnect(sql);
	else if (status == ST_UNAVAILABLE)
		sql_rollback(sql);
	return status;
}

/* --- faults of tests ----------------------------------------------------- */
void sql_fault_set(struct sql *sql, struct sql_fault *fault)
{
	sql->fault = fault;
}

/* The error to report now, or 0. */
static unsigned fault_now(struct sql *sql, bool after)
{
	struct sql_fault *fault = sql->fault;

	if (!fault)
		return 0;
	fault->seen += !after;
	if (fault->happened || fault->seen != fault->statement ||
	    fault->after != after)
		return 0;
	fault->happened = true;
	if (sql_error_ends_connection(fault->error))
		(void)shutdown(mysql_get_socket(sql->mysql), SHUT_RDWR);
	return fault->error;
}

static enum status fault(struct sql *sql, bool after)
{
	unsigned error = fault_now(sql, after);

	return error ? failed(sql, error, "a fault of a test") : ST_OK;
}

/* --- statements ---------------------------------------------------------- */
static enum status query(struct sql *sql, const char *statement, size_t len)
{
	enum status status = fault(sql, false);
	MYSQL_RES *rows;

	if (status != ST_OK)
		return status;
	sql->began_ms = clock_mono_ms();
	if (mysql_real_query(sql->mysql, statement, len))
		return failed(sql, mysql_errno(sql->mysql),
		              mysql_error(sql->mysql));
	rows = mysql_store_result(sql->mysql);
	if (rows)
		mysql_free_result(rows);
	sql->affected = mysql_affected_rows(sql->mysql);
	sql->insert_id = mysql_insert_id(sql->mysql);
	return fault(sql, true);
}

/*
 * A lock wait must end before the read timeout of the client, else a wait looks
 * like a lost server. MySQL ends it up to a second late.
 *
 * A client that the network cuts off in a transaction leaves its locks at the
 * server, until TCP's keepalive hours later. So the server ends a transaction
 * without statements. MariaDB keeps idle connections otherwise; MySQL has one
 * limit for both.
 */
static enum status set_session(struct sql *sql)
{
	unsigned lock_wait_s = sql->timeout_s > 2 ? sql->timeout_s - 2 : 1;
	unsigned idle_s = 2 * sql->timeout_s;
	char text[640];
	int len = snprintf(
		text, sizeof(text),
		"SET SESSION sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,"
		"NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
		"NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', autocommit = 1,"
		" innodb_lock_wait_timeout = %u, lock_wait_timeout = %u"
		" /*M! , wait_timeout = 2592000, idle_transaction_timeout = %u"
		" */ /*!80000 , wait_timeout = %u */",
		lock_wait_s, lock_wait_s, idle_s, idle_s);
	enum status status = query(sql, text, (size_t)len);

	if (status != ST_OK)
		return status;
	return sql_execute(sql, "SET SESSION TRANSACTION ISOLATION LEVEL "
	                        "READ COMMITTED");
}

static void drop_rows(struct sql *sql)
{
	struct sql_statement *s = MOVE(sql->reading);

	if (s)
		sql_statement_drop_rows(s);
}

static enum status ask_limits(struct sql *sql)
{
	static const char ask[] = "SELECT @@max_allowed_packet, @@wait_timeout";
	struct sql_value row[2] = {0};
	enum status status = sql_run(sql, ask, NULL, 0);

	if (status == ST_OK)
		status = sql_fetch(sql, row, 2);
	if (status == ST_OK) {
		sql->packet_max = row[0].number;
		sql->idle_max_ms = (row[1].number - 1) * 1000;
	}
	drop_rows(sql);
	return status;
}

enum status sql_connect(struct sql *sql)
{
	const struct sql_account account = {
		.host = sql->host,
		.user = sql->user,
		.password = sql->password,
		.database = sql->database,
		.port = sql->port,
		.timeout_s = sql->timeout_s,
	};
	char why[SQL_WHY_MAX] = "";
	unsigned error = CR_UNKNOWN_HOST;
	enum status status;

	disconnect(sql);
	sql->mysql = sql_open(&account, &error, why);
	if (!sql->mysql)
		return failed(sql, error, why);
	sql->connects++;
	status = fault(sql, false);
	if (status == ST_OK)
		status = set_session(sql);
	if (status == ST_OK)
		status = ask_limits(sql);
	if (status != ST_OK)
		disconnect(sql);
	return status;
}

enum status sql_execute(struct sql *sql, const char *statement)
{
	if (!sql->mysql)
		return not_connected(sql);
	assert(!sql->chained || sql->in_transaction);
	drop_rows(sql);
	return query(sql, statement, strlen(statement));
}

void sql_chain_transactions(struct sql *sql)
{
	sql->chains = true;
}

enum status sql_begin(struct sql *sql)
{
	enum status status = ST_OK;

	if (!sql->mysql)
		return not_connected(sql);
	if (!sql->chains)
		status = sql_execute(sql, "START TRANSACTION");
	else if (!sql->chained)
		status = sql_execute(sql, "SET SESSION autocommit = 0");
	if (status != ST_OK)
		return status;
	sql->chained = sql->chains;
	sql->in_transaction = true;
	return ST_OK;
}

enum status sql_commit(struct sql *sql)
{
	enum status status;

	if (!sql->mysql)
		return not_connected(sql);
	status = sql_execute(sql, "COMMIT");
	if (!sql->mysql)
		return ST_UNCERTAIN;
	if (status == ST_OK)
		sql->in_transaction = false;
	return status;
}

void sql_rollback(struct sql *sql)
{
	char error[ERROR_TEXT_MAX];

	if (!sql->mysql || !sql->in_transaction)
		return;
	sql->in_transaction = false;
	drop_rows(sql);
	if (!fault_now(sql, false) &&
	    !mysql_real_query(sql->mysql, "ROLLBACK", strlen("ROLLBACK")) &&
	    !fault_now(sql, true))
		return;
	/* The caller wants the reason why the transaction failed. */
	memcpy(error, sql->error, sizeof(error));
	disconnect(sql);
	memcpy(sql->error, error, sizeof(error));
}

static enum status prepare(struct sql *sql, const char *text, size_t len,
                           struct sql_statement **ret_statement)
{
	CLEANUP(sql_statement_destroy)
	struct sql_statement *s = sql_statement_create(sql->mysql);
	enum status status = fault(sql, false);

	if (status != ST_OK)
		return status;
	if (!sql_statement_prepare(s, text, len))
		return failed(sql, sql_statement_errno(s),
		              sql_statement_error(s));
	*ret_statement = MOVE(s);
	return ST_OK;
}

/* Moves `statement` to the front, over the one at `at`. */
static void to_front(struct sql *sql, unsigned at,
                     struct sql_statement *statement)
{
	memmove(&sql->statements[1], &sql->statements[0],
	        at * sizeof(*sql->statements));
	sql->statements[0] = statement;
}

static enum status find(struct sql *sql, const char *text,
                        struct sql_statement **ret_statement)
{
	size_t len = strlen(text);
	enum status status;

	for (unsigned i = 0; i < sql->statement_count; i++) {
		struct sql_statement *s = sql->statements[i];

		if (!sql_statement_is(s, text, len))
			continue;
		to_front(sql, i, s);
		*ret_statement = s;
		return ST_OK;
	}
	status = prepare(sql, text, len, ret_statement);
	if (status != ST_OK)
		return status;
	if (sql->statement_count == STATEMENTS_MAX)
		sql_statement_destroy(&sql->statements[--sql->statement_count]);
	to_front(sql, sql->statement_count++, *ret_statement);
	return ST_OK;
}

/* Outside a transaction the server commits a change before it answers. */
static enum status run_failed(struct sql *sql, const struct sql_statement *s,
                              unsigned error, const char *text)
{
	bool commits = !sql->in_transaction && !sql_statement_has_rows(s);
	enum status status = failed(sql, error, text);

	if (commits && error == CR_SERVER_LOST)
		return ST_UNCERTAIN;
	return status;
}

enum status sql_run(struct sql *sql, const char *statement,
                    const struct sql_value *values, unsigned count)
{
	struct sql_statement *s = NULL;
	enum status status;
	unsigned error;

	if (!sql->mysql)
		return not_connected(sql);
	assert(!sql->chained || sql->in_transaction);
	drop_rows(sql);
	status = find(sql, statement, &s);
	if (status != ST_OK)
		return status;
	sql->began_ms = clock_mono_ms();
	error = fault_now(sql, false);
	if (!error && !sql_statement_run(s, values, count))
		return run_failed(sql, s, sql_statement_errno(s),
		                  sql_statement_error(s));
	if (!error)
		error = fault_now(sql, true);
	if (error)
		return run_failed(sql, s, error, "a fault of a test");
	sql->affected = sql_statement_affected(s);
	sql->insert_id = sql_statement_insert_id(s);
	if (sql_statement_has_rows(s))
		sql->reading = s;
	return ST_OK;
}

enum status sql_fetch(struct sql *sql, struct sql_value *ret_row,
                      unsigned columns)
{
	struct sql_statement *s = sql->reading;

	if (!s)
		return sql->mysql ? ST_NOT_FOUND : not_connected(sql);
	switch (sql_statement_fetch(s, ret_row, columns)) {
	case SQL_ROW:
		return ST_OK;
	case SQL_ROW_END:
		drop_rows(sql);
		return ST_NOT_FOUND;
	default:
		return run_failed(sql, s, sql_statement_errno(s),
		                  sql_statement_error(s));
	}
}
