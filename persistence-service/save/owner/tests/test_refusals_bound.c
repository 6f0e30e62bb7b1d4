/*
 * The bound of the refusals in memory, against a real server: it is filled from
 * the tables of as many partitions as that takes.
 */
#include "persistence-service/save/owner/refusals.h"
#include "persistence-service/save/tests/batch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Each partition loads REFUSALS_LOADED_MAX; one more than memory takes. */
enum {
	PARTITIONS = REFUSALS_REMEMBERED_MAX / REFUSALS_LOADED_MAX + 1,
	ROWS = PARTITIONS * REFUSALS_LOADED_MAX,
};

static int start(void **state)
{
	(void)state;
	batch_fixture_start();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	batch_fixture_stop();
	return 0;
}

/*
 * From 1 on: those of a partition follow each other. A statement for each, so
 * that none runs into the time limit of the connection.
 */
static void fill_table(void)
{
	for (unsigned p = 1; p <= PARTITIONS; p++)
		chat_execute("INSERT INTO refusals (topic, kafka_partition,"
		             " kafka_offset, sender, uuid, code, refused_at_ms)"
		             " SELECT 'message_save', %u, n.seq, 7,"
		             " UNHEX(LPAD(HEX(%u + n.seq), 32, '0')),"
		             " 'unknown_message', 1000"
		             " FROM numbers n WHERE n.seq <= %u",
		             p, (p - 1) * REFUSALS_LOADED_MAX,
		             REFUSALS_LOADED_MAX);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM refusals"), ROWS);
}

static void load(struct refusals *refusals, unsigned partition)
{
	assert_int_equal(sql_begin(sql), ST_OK);
	assert_int_equal(refusals_load(refusals, partition), ST_OK);
	sql_rollback(sql);
}

static bool is_remembered(const struct refusals *refusals, unsigned number)
{
	unsigned index = number - 1;
	struct batch_entry entry = {
		.partition = (int32_t)(1 + index / REFUSALS_LOADED_MAX),
		.offset = 1 + index % REFUSALS_LOADED_MAX,
		.record = {.sender = 7, .sent_at_ms = UINT64_MAX},
	};
	enum frame_code code;

	for (unsigned i = 0; i < 4; i++)
		entry.record.uuid.byte[15 - i] = (uint8_t)(number >> 8 * i);
	return refusals_find(refusals, &entry, &code) &&
	       code == FRAME_UNKNOWN_MESSAGE;
}

static void the_longest_unused_refusals_leave_memory_not_the_table(void **state)
{
	struct refusals *refusals CLEANUP(refusals_destroy) =
		refusals_create(sql, "message_save");

	(void)state;
	fill_table();
	for (unsigned p = 1; p < PARTITIONS; p++)
		load(refusals, p);
	for (unsigned i = 1; i <= REFUSALS_REMEMBERED_MAX; i++)
		assert_true(is_remembered(refusals, i));
	load(refusals, PARTITIONS);
	for (unsigned i = 1; i <= ROWS; i++)
		assert_int_equal(is_remembered(refusals, i),
		                 i > ROWS - REFUSALS_REMEMBERED_MAX);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM refusals"), ROWS);
	/* The next owner of the partition finds them again. */
	load(refusals, 1);
	assert_true(is_remembered(refusals, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_longest_unused_refusals_leave_memory_not_the_table),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
