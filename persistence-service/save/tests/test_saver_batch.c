/*
 * The saver and the bound of its batches, with a real database and a real
 * cluster: MYSQL_HOST, … and KAFKA_BROKERS.
 */
#include "persistence-service/save/saver.h"

#include "common/base/clock.h"
#include "common/service/log.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/tests/chat_fixture.h"
#include "persistence-service/tests/topic_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { RECORDS = 2 * BATCH_RECORDS_MAX + 300 };

static struct saver *saver;

static int start(void **state)
{
	(void)state;
	log_start("test", LOG_ERROR);
	chat_start();
	topic_fixture_make("test_saver_batch");
	chat_settings.batch_max = BATCH_RECORDS_MAX;
	chat_settings.reactions_max = 20;
	saver = saver_create(&chat_settings, NULL, NULL);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	saver_destroy(&saver);
	chat_stop();
	return 0;
}

/* Records of one pair: one partition has them in their order. */
static void put_records(void)
{
	struct topic_fixture_records *records = topic_fixture_begin();

	for (unsigned i = 0; i < RECORDS; i++) {
		char value[256], uuid[UUID_TEXT_LEN + 1];
		struct uuid made;
		int len;

		uuid_make(&made);
		uuid_format(&made, uuid);
		len = snprintf(value, sizeof(value),
		               "{\"kind\":\"message\",\"uuid\":\"%s\","
		               "\"sender\":1,\"user_to\":2,"
		               "\"message\":\"%u\","
		               "\"sent_at\":\"2026-11-21T10:00:00.000Z\"}",
		               uuid, i);
		topic_fixture_put(records, 1, SPAN("d:1:2"),
		                  span_make(value, (size_t)len));
	}
	topic_fixture_end(&records);
}

static uint64_t count_saved(void)
{
	return chat_number("SELECT COUNT(*) FROM messages");
}

/* What a full batch leaves is saved by the next steps, in the same order. */
static void a_batch_takes_no_more_than_its_bound(void **state)
{
	uint64_t until_ms = clock_mono_ms() + TOPIC_WAIT_MS;
	uint64_t saved = 0, wanted = 0;
	unsigned full = 0;

	(void)state;
	/* When the records come from the cluster one by one, once more. */
	while (!full) {
		put_records();
		wanted += RECORDS;
		while (saved < wanted) {
			uint64_t before = saved;

			assert_true(clock_mono_ms() < until_ms);
			saver_step(saver);
			saved = count_saved();
			assert_true(saved - before <= BATCH_RECORDS_MAX);
			full += saved - before == BATCH_RECORDS_MAX;
		}
	}
	assert_int_equal(saved, wanted);
	assert_int_equal(chat_number("SELECT COUNT(*) FROM messages WHERE"
	                             " body <> (seq - 1) %% %u",
	                             RECORDS),
	                 0);
	saver_drain(saver);
	while (!saver_drained(saver))
		saver_step(saver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_takes_no_more_than_its_bound),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
