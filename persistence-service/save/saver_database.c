#include "persistence-service/save/saver_database.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/io/sql/migrate.h"
#include "common/service/log.h"
#include "common/service/service.h"
#include "persistence-service/schema.h"

enum {
	BACKOFF_BASE_MS = 20,
	BACKOFF_MAX_MS = 2000,
	DOWN_AFTER = 3,
	DOWN_AFTER_MS = 2500,  /* the second wait for a lock that fails */
	PROBE_EVERY_MS = 2000, /* while nothing is saved */
};

struct saver_database {
	struct sql *sql;
	bool up;      /* as last reported */
	bool checked; /* schema and settings, on this connection */
	bool retrying;
	unsigned attempt;
	uint64_t failed_ms; /* the first attempt */
	uint64_t due_ms;    /* monotonic */
	uint64_t worked_ms;
};

struct saver_database *saver_database_create(const struct settings *settings)
{
	struct saver_database *d = mem_new(sizeof(*d));

	d->sql = settings_sql(settings);
	service_part_add("mysql");
	return d;
}

void saver_database_destroy(struct saver_database **database)
{
	if (!*database)
		return;
	sql_destroy(&(*database)->sql);
	mem_free(database);
}

struct sql *saver_database_sql(struct saver_database *d)
{
	return d->sql;
}

void saver_database_worked(struct saver_database *d)
{
	if (!d->up)
		service_part("mysql", true, NULL);
	d->up = true;
	d->worked_ms = clock_mono_ms();
	d->retrying = false;
	d->attempt = 0;
}

/* sql_error() is empty when our own check failed, which has been logged. */
static const char *why(const struct saver_database *d, enum status status)
{
	return *sql_error(d->sql) ? sql_error(d->sql) : status_text(status);
}

/*
 * A deadlock is temporary: only a lost server is reported as down.
 * service_part() logs that.
 */
void saver_database_failed(struct saver_database *d, enum status status)
{
	uint64_t now_ms = clock_mono_ms();
	bool lost;

	if (!d->retrying)
		d->failed_ms = now_ms;
	lost = !sql_connected(d->sql) || d->attempt >= DOWN_AFTER ||
	       now_ms - d->failed_ms >= DOWN_AFTER_MS;
	if (!d->retrying && !lost)
		log_event(LOG_WARN, "database.retry",
		          F_TEXT("status", status_text(status)),
		          F_TEXT("why", why(d, status)));
	if (lost) {
		service_part("mysql", false, why(d, status));
		d->up = false;
	}
	d->retrying = true;
	d->due_ms = now_ms +
	            backoff_ms(d->attempt++, BACKOFF_BASE_MS, BACKOFF_MAX_MS);
}

/* sql_insert_id() needs ids that ascend by one within one INSERT. */
static enum status check_increment(struct sql *sql)
{
	struct sql_value step;
	enum status status =
		sql_run(sql, "SELECT @@auto_increment_increment", NULL, 0);

	if (status == ST_OK)
		status = sql_fetch(sql, &step, 1);
	if (status != ST_OK || step.number == 1)
		return status;
	log_event(LOG_ERROR, "database.increment",
	          F_NUMBER("auto_increment_increment", step.number));
	return ST_BROKEN;
}

/* All statements of this connection stand inside transactions. */
static enum status probe(struct sql *sql)
{
	enum status status = sql_begin(sql);

	if (status == ST_OK)
		status = sql_probe_write(sql);
	return status == ST_OK ? sql_commit(sql) : status;
}

static enum status open_connection(struct saver_database *d)
{
	enum status status;

	d->checked = false;
	status = sql_connect(d->sql);
	if (status == ST_OK)
		status = schema_apply(d->sql);
	if (status == ST_OK)
		status = check_increment(d->sql);
	if (status == ST_OK)
		status = schema_renew_rows(d->sql);
	if (status == ST_OK)
		status = probe(d->sql);
	d->checked = status == ST_OK;
	return status;
}

bool saver_database_ready(struct saver_database *d, bool batch,
                          unsigned *ret_wait_ms)
{
	uint64_t now_ms = clock_mono_ms();
	enum status status;

	*ret_wait_ms = 0;
	if (now_ms < d->due_ms) {
		*ret_wait_ms = (unsigned)(d->due_ms - now_ms);
		return false;
	}
	if (sql_connected(d->sql) && d->checked) {
		/* A batch that is tried again is a check of its own. */
		if (d->retrying ? batch
		                : now_ms - d->worked_ms < PROBE_EVERY_MS)
			return true;
		status = probe(d->sql);
	} else {
		status = open_connection(d);
	}
	if (status != ST_OK) {
		saver_database_failed(d, status);
		sql_rollback(d->sql);
		*ret_wait_ms = 1;
		return false;
	}
	saver_database_worked(d);
	return true;
}
