#include "persistence-service/save/tests/pass_fixture.h"

#include "common/io/sql/fault.h"
#include "persistence-service/save/conversation/pending_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TRIES = 4, NOW_MS = 1700000000 };

struct rosters *rosters;
struct refusals *refusals;

static struct pending_events *pending;
static const struct pass *tested;
static struct sql_fault counter; /* lets all statements pass */

void pass_fixture_start(const struct pass *pass)
{
	batch_fixture_start();
	pending = pending_events_create(sql);
	rosters = rosters_create(sql, PARTITIONS, pending);
	refusals = refusals_create(sql, "message_save");
	tested = pass;
}

void pass_fixture_stop(void)
{
	refusals_destroy(&refusals);
	rosters_destroy(&rosters);
	pending_events_destroy(&pending);
	batch_fixture_stop();
}

void pass_fixture_empty(void)
{
	batch_fixture_empty();
	rosters_evict_all(rosters);
	pending_events_evict_all(pending);
	refusals_evict_all(refusals);
}

/* --- attempts ------------------------------------------------------------ */
static void roll_back(const struct attempt *attempt)
{
	sql_rollback(sql);
	rosters_invalidate_all(rosters);
	attempt_open(attempt);
	text_store_drop(attempt->batch->texts, 0);
}

static enum status run(bool after_conflict, bool commits)
{
	struct attempt attempt = {
		.batch = batch,
		.refusals = refusals,
		.to = batch->count,
		.after_conflict = after_conflict,
		.now_ms = NOW_MS,
	};
	enum status status;

	rosters_begin(rosters);
	attempt_open(&attempt);
	assert_int_equal(sql_begin(sql), ST_OK);
	counter.seen = 0;
	sql_fault_set(sql, &counter);
	status = tested->run(&attempt);
	sql_fault_set(sql, NULL);
	if (status == ST_OK && commits)
		assert_int_equal(sql_commit(sql), ST_OK);
	else
		roll_back(&attempt);
	if (tested->ended)
		tested->ended(status == ST_OK && commits);
	return status;
}

enum status pass_try(bool after_conflict)
{
	return run(after_conflict, true);
}

static void succeed(bool commits)
{
	enum status status = ST_CONFLICT;

	for (unsigned i = 0;
	     i < TRIES && (status == ST_CONFLICT || status == ST_NOT_FOUND);
	     i++)
		status = run(i > 0, commits);
	if (status != ST_OK)
		fail_msg("%s: %s", status_text(status), sql_error(sql));
}

void pass_save(void)
{
	succeed(true);
}

void pass_save_in_vain(void)
{
	succeed(false);
}

unsigned pass_statements(void)
{
	return counter.seen;
}

/* --- refusals ------------------------------------------------------------ */
void tell_refusal(struct batch_entry *entry, const char *code)
{
	char uuid[UUID_TEXT_LEN + 1];

	entry->partition = TOLD_PARTITION;
	entry->offset = entry - batch->entries;
	uuid_format(&entry->record.uuid, uuid);
	chat_execute("INSERT INTO refusals (topic, kafka_partition,"
	             " kafka_offset, sender, uuid, code, refused_at_ms)"
	             " VALUES ('message_save', %d, %lld, %llu,"
	             " UNHEX(REPLACE('%s','-','')), '%s', %d)",
	             TOLD_PARTITION, (long long)entry->offset,
	             (unsigned long long)entry->record.sender, uuid, code,
	             NOW_MS);
	assert_int_equal(sql_begin(sql), ST_OK);
	assert_int_equal(refusals_load(refusals, TOLD_PARTITION), ST_OK);
	sql_rollback(sql);
}
