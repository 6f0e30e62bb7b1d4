#include "persistence-service/save/saver_database.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/service/log.h"
#include "common/service/service.h"
#include "persistence-service/schema.h"

enum { BACKOFF_BASE_MS = 20, BACKOFF_MAX_MS = 2000, DOWN_AFTER = 3 };

struct saver_database {
	struct sql *sql;
	bool up;      /* as last reported */
	bool checked; /* schema and settings, on this connection */
	bool retrying;
	unsigned attempt;
	uint64_t due_ms; /* monotonic */
};

struct saver_database *saver_database_create(const struct settings *settings)
{
	struct saver_database *d = mem_new(sizeof(*d));

	d->sql = settings_sql(settings);
	service_part("mysql", false, "not connected yet");
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
	if (!d->up) {
		log_event(LOG_INFO, "database.up");
		service_part("mysql", true, "");
	}
	d->up = true;
	d->retrying = false;
	d->attempt = 0;
}

/* A deadlock is temporary: only a lost server is reported as down. */
void saver_database_failed(struct saver_database *d, enum status status)
{
	bool lost = !sql_connected(d->sql) || d->attempt >= DOWN_AFTER;

	if (!d->retrying)
		log_event(LOG_WARN, "database.retry",
		          F_TEXT("status", status_text(status)),
		          F_TEXT("why", sql_error(d->sql)));
	if (lost && d->up)
		log_event(LOG_ERROR, "database.lost",
		          F_TEXT("status", status_text(status)),
		          F_TEXT("why", sql_error(d->sql)));
	if (lost) {
		service_part("mysql", false, sql_error(d->sql));
		d->up = false;
	}
	d->retrying = true;
	d->due_ms = clock_mono_ms() +
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

static enum status open_connection(struct saver_database *d)
{
	enum status status;

	d->checked = false;
	status = sql_connect(d->sql);
	if (status == ST_OK)
		status = schema_apply(d->sql);
	if (status == ST_OK)
		status = check_increment(d->sql);
	d->checked = status == ST_OK;
	return status;
}

bool saver_database_ready(struct saver_database *d, unsigned *ret_wait_ms)
{
	uint64_t now_ms = clock_mono_ms();
	enum status status;

	*ret_wait_ms = 0;
	if (now_ms < d->due_ms) {
		*ret_wait_ms = (unsigned)(d->due_ms - now_ms);
		return false;
	}
	if (sql_connected(d->sql) && d->checked)
		return true;
	status = open_connection(d);
	if (status != ST_OK) {
		saver_database_failed(d, status);
		*ret_wait_ms = 1;
		return false;
	}
	saver_database_worked(d);
	return true;
}
