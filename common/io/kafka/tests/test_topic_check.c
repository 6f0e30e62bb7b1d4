/*
 * Which settings of a topic break a promise.
 */
#include "common/io/kafka/private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { DAY_MS = 24 * 3600 * 1000 };

struct row {
	unsigned replicas;
	const char *name; /* of the setting that differs from good_settings */
	const char *value;
	const char *wanted; /* why it is refused; NULL: it is good */
};

/* As kafka_topics_create() makes a topic with three replicas. */
static const char *const good_settings[][2] = {
	{"max.message.bytes", "1048588"},
	{"min.insync.replicas", "2"},
	{"unclean.leader.election.enable", "false"},
	{"cleanup.policy", "delete"},
	{"retention.ms", "604800000"},
	{"retention.bytes", "-1"},
	{"segment.bytes", "1073741824"},
};

static const struct row rows[] = {
	{3, "", "", NULL},
	{1, "min.insync.replicas", "1", NULL},
	{1, "min.insync.replicas", "2",
         "topic t: min.insync.replicas is 2, must be at most the number of "
         "replicas, 1"},
	{1, "unclean.leader.election.enable", "true",
         "topic t: min.insync.replicas is 2, must be at most the number of "
         "replicas, 1"},
	{2, "", "", NULL},
	{2, "min.insync.replicas", "1",
         "topic t: min.insync.replicas is 1, must be at least 2"},
	{3, "min.insync.replicas", "1",
         "topic t: min.insync.replicas is 1, must be at least 2"},
	{3, "min.insync.replicas", "3", NULL},
	{3, "min.insync.replicas", "4",
         "topic t: min.insync.replicas is 4, must be at most the number of "
         "replicas, 3"},
	{3, "unclean.leader.election.enable", "true",
         "topic t: unclean.leader.election.enable is true, must be false"},
	{3, "cleanup.policy", "compact",
         "topic t: cleanup.policy is compact, must be delete"},
	{3, "cleanup.policy", "compact,delete",
         "topic t: cleanup.policy is compact,delete, must be delete"},
	{3, "max.message.bytes", "10000",
         "topic t: max.message.bytes is 10000, must be at least 1000000"},
	{3, "max.message.bytes", "999999",
         "topic t: max.message.bytes is 999999, must be at least 1000000"},
	{3, "max.message.bytes", "1000000", NULL},
	{3, "retention.ms", "-1", NULL},
	{3, "retention.ms", "86400000", NULL},
	{3, "retention.ms", "86399999",
         "topic t: retention.ms is 86399999, must be -1 or at least 86400000"},
	{3, "retention.ms", "0",
         "topic t: retention.ms is 0, must be -1 or at least 86400000"},
	{3, "retention.bytes", "1073741824",
         "topic t: retention.bytes is 1073741824, must be no bound, -1"},
	{3, "segment.bytes", "14", NULL},
	{3, "made.up", "by a later broker", NULL},
};

static struct kafka_topic_settings settings_of(const struct row *row)
{
	struct kafka_topic_settings settings = {0};

	for (size_t i = 0; i < ARRAY_LEN(good_settings); i++)
		kafka_topic_setting_read(&settings, good_settings[i][0],
		                         good_settings[i][1]);
	kafka_topic_setting_read(&settings, row->name, row->value);
	return settings;
}

static void assert_check(const struct kafka_topic_needs *needs,
                         unsigned partitions, unsigned replicas,
                         const struct kafka_topic_settings *settings,
                         const char *wanted)
{
	struct kafka_topic_size size = {partitions, replicas};
	char why[512] = "";

	assert_int_equal(
		kafka_topic_check(needs, &size, settings, why, sizeof(why)),
		wanted ? ST_CONFLICT : ST_OK);
	assert_string_equal(why, wanted ? wanted : "");
}

static void each_setting_that_breaks_a_promise_is_named(void **state)
{
	const struct kafka_topic_needs needs = {"t", 12, DAY_MS};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct kafka_topic_settings settings = settings_of(&rows[i]);

		assert_check(&needs, 12, rows[i].replicas, &settings,
		             rows[i].wanted);
	}
}

static void retention_is_free_where_nothing_needs_it(void **state)
{
	static const struct row short_ones[] = {
		{3, "retention.ms", "1000", NULL},
		{3, "retention.bytes", "1000", NULL},
	};
	const struct kafka_topic_needs needs = {"t", 0, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(short_ones); i++) {
		struct kafka_topic_settings settings =
			settings_of(&short_ones[i]);

		assert_check(&needs, 1, 3, &settings, NULL);
	}
}

static void the_number_of_partitions_needs_no_settings(void **state)
{
	const struct kafka_topic_needs twelve = {"t", 12, 0}, any = {"t", 0, 0};

	(void)state;
	assert_check(&twelve, 12, 1, NULL, NULL);
	assert_check(&any, 13, 1, NULL, NULL);
	assert_check(&twelve, 13, 1, NULL,
	             "topic t has 13 partitions, KAFKA_PARTITIONS is 12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_setting_that_breaks_a_promise_is_named),
		cmocka_unit_test(retention_is_free_where_nothing_needs_it),
		cmocka_unit_test(the_number_of_partitions_needs_no_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
