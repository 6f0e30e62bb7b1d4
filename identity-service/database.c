#include "identity-service/database.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/log.h"

#include <stdatomic.h>

enum {
	ROLLED_BACK_MAX = 20,
	ROLLED_BACK_MS = 3000, /* a wait for a lock may have ended in it */
	LOST_MAX = 2,
	QUICK_MS = 500, /* a connection that died while idle fails earlier */
	RECONNECT_PAUSE_MS = 250,
};

struct database_source {
	struct sql_options options;
	atomic_bool admitted;
};

struct database {
	struct database_source *source;
	struct sql *sql;
	uint64_t next_connect_ms;
	bool failing; /* and logged */
};

struct database_source *
database_source_create(const struct sql_options *options)
{
	struct database_source *source = mem_new(sizeof(*source));

	source->options = *options;
	return source;
}

void database_source_destroy(struct database_source **source)
{
	mem_free(source);
}

void database_source_open(struct database_source *source)
{
	atomic_store(&source->admitted, true);
}

struct database *database_create(struct database_source *source)
{
	struct database *database = mem_new(sizeof(*database));

	sql_thread_start();
	database->source = source;
	database->sql = sql_create(&source->options);
	return database;
}

void database_destroy(struct database **database)
{
	struct database *d = MOVE(*database);

	if (!d)
		return;
	sql_destroy(&d->sql);
	sql_thread_stop();
	mem_free(&d);
}

static enum status open_connection(struct database *database)
{
	uint64_t now_ms = clock_mono_ms();
	enum status status;

	if (sql_connected(database->sql))
		return ST_OK;
	if (!atomic_load(&database->source->admitted) ||
	    now_ms < database->next_connect_ms)
		return ST_UNAVAILABLE;
	status = sql_connect(database->sql);
	if (status == ST_OK)
		return ST_OK;
	database->next_connect_ms = clock_mono_ms() + RECONNECT_PAUSE_MS;
	/* Also for a refused password: a repair needs no restart. */
	return ST_UNAVAILABLE;
}

/* Logs when the database starts to fail, not for each failed request. */
static void log_failure(struct database *database, enum status status)
{
	bool failed = status == ST_BROKEN || status_retryable(status);

	if (failed && (!database->failing || status == ST_BROKEN))
		log_event(status == ST_BROKEN ? LOG_ERROR : LOG_WARN,
		          "database.failed",
		          F_TEXT("status", status_text(status)),
		          F_TEXT("why", sql_error(database->sql)));
	database->failing = failed;
}

/* The server rolls one of two tasks back that wait for each other. */
static bool was_rolled_back(const struct database *database, enum status status)
{
	return status == ST_UNAVAILABLE && sql_connected(database->sql);
}

enum status database_run(struct database *database, database_task *task,
                         void *argument)
{
	uint64_t began_ms = clock_mono_ms();
	unsigned rolled_back = 0, lost = 0;
	enum status status;

	do {
		status = open_connection(database);
		if (status != ST_OK)
			break;
		status = task(database->sql, argument);
		if (was_rolled_back(database, status))
			rolled_back++;
		else if (status == ST_UNAVAILABLE || status == ST_UNCERTAIN)
			lost++;
		else
			break;
	} while (rolled_back < ROLLED_BACK_MAX && lost < LOST_MAX &&
	         clock_mono_ms() - began_ms <=
	                 (lost ? QUICK_MS : ROLLED_BACK_MS));
	log_failure(database, status);
	return status;
}
