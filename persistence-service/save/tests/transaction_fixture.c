#include "persistence-service/save/tests/transaction_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const struct transaction_options transaction_options = {
	.topic = "message_save",
	.partitions = 12,
	.reactions_max = 3,
};
struct transaction *transaction;

int transaction_fixture_start(void **state)
{
	(void)state;
	batch_fixture_start();
	/* A text that only the database refuses, also a MySQL without CHECK. */
	chat_execute("ALTER TABLE messages ADD COLUMN poison TINYINT UNSIGNED"
	             " AS (IF(body = 'poison', 999, 0)) STORED");
	transaction = transaction_create(sql, &transaction_options);
	return 0;
}

int transaction_fixture_stop(void **state)
{
	(void)state;
	transaction_destroy(&transaction);
	batch_fixture_stop();
	return 0;
}

int transaction_fixture_empty(void **state)
{
	(void)state;
	batch_fixture_empty();
	transaction_evict_caches(transaction);
	return 0;
}

int transaction_fixture_groups(void **state)
{
	(void)transaction_fixture_empty(state);
	make_group_and_channel();
	return 0;
}

void save_with(struct transaction *by, struct sql *connection)
{
	enum status status = transaction_save(by, batch);

	if (status != ST_OK)
		fail_msg("%s: %s", status_text(status), sql_error(connection));
	for (unsigned i = 0; i < batch->count; i++)
		assert_int_not_equal(batch->entries[i].outcome, OUTCOME_OPEN);
}

void save(void)
{
	save_with(transaction, sql);
}
