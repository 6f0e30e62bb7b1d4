#include "common/base/span.h"
#include "common/wire/event.h"
#include "websocket-service/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct form {
	const char *text;
	unsigned shard, shards; /* shards 0: refused */
};

static const struct form forms[] = {
	{"0/1", 0, 1},
	{"0/12", 0, 12},
	{"11/12", 11, 12},
	{"1023/1024", 1023, 1024},
	{"1/1", 0, 0},
	{"12/12", 0, 0},
	{"2/1", 0, 0},
	{"0/0", 0, 0},
	{"0/1025", 0, 0},
	{"1024/1025", 0, 0},
	{"1", 0, 0},
	{"1/", 0, 0},
	{"/2", 0, 0},
	{"/", 0, 0},
	{"", 0, 0},
	{"-1/2", 0, 0},
	{"+1/2", 0, 0},
	{" 1/2", 0, 0},
	{"1/2 ", 0, 0},
	{"1 /2", 0, 0},
	{"01/2", 0, 0},
	{"0/02", 0, 0},
	{"1/2/3", 0, 0},
	{"a/b", 0, 0},
	{"0x1/2", 0, 0},
	{"1.0/2", 0, 0},
	{"99999999999999999999/2", 0, 0},
};

static void a_shard_is_k_of_n_with_k_below_n(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct gateway_settings s = {.events_shard = forms[i].text};
		unsigned shard = 77;
		unsigned shards = 77;
		bool good = gateway_shard(&s, &shard, &shards);

		if (good != (forms[i].shards > 0))
			fail_msg("'%s' is %s", forms[i].text,
			         good ? "taken" : "refused");
		assert_int_equal(shard, good ? forms[i].shard : 77);
		assert_int_equal(shards, good ? forms[i].shards : 77);
	}
}

static void faults_of(struct gateway_settings s, const char *expected)
{
	struct buf faults CLEANUP(buf_free) = BUF(4096);

	gateway_settings_check(&s, &faults);
	if (*expected)
		assert_non_null(strstr(buf_text(&faults), expected));
	else
		assert_string_equal(buf_text(&faults), "");
}

static struct gateway_settings fit(void)
{
	return (struct gateway_settings){.events_shard = "0/1",
	                                 .kafka_partitions = 12,
	                                 .ping_s = 25,
	                                 .silent_s = 60};
}

static void valid_settings_have_no_fault(void **state)
{
	(void)state;
	faults_of(fit(), "");
}

static void more_shards_than_partitions_are_a_fault(void **state)
{
	struct gateway_settings s = fit();

	(void)state;
	s.events_shard = "0/12";
	faults_of(s, "");
	s.events_shard = "0/13";
	faults_of(s, "KAFKA_PARTITIONS");
}

static void a_malformed_shard_is_a_fault(void **state)
{
	struct gateway_settings s = fit();

	(void)state;
	s.events_shard = "1/1";
	faults_of(s, "EVENTS_SHARD");
}

static void each_user_is_served_by_one_shard(void **state)
{
	static const char *const names[] = {"0/3", "1/3", "2/3"};

	(void)state;
	for (uint64_t user = 1; user <= 1000; user++) {
		unsigned served = 0;

		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			struct gateway_settings s = fit();

			s.events_shard = names[k];
			served += gateway_serves_user(&s, user);
		}
		assert_int_equal(served, 1);
	}
}

static void a_user_is_served_by_the_shard_of_its_partition(void **state)
{
	struct gateway_settings s = fit();

	(void)state;
	for (uint64_t user = 1; user <= 100; user++) {
		s.events_shard = "0/1";
		assert_true(gateway_serves_user(&s, user));
		s.events_shard = "5/12";
		assert_int_equal(gateway_serves_user(&s, user),
		                 event_partition(user, 12) == 5);
		s.events_shard = "1/5";
		assert_int_equal(gateway_serves_user(&s, user),
		                 event_partition(user, 12) % 5 == 1);
	}
}

static void silent_s_must_be_longer_than_ping_s(void **state)
{
	struct gateway_settings s = fit();

	(void)state;
	s.silent_s = 25;
	faults_of(s, "WEBSOCKET_SILENT_S");
	s.silent_s = 26;
	faults_of(s, "");
}

static void all_faults_are_reported_at_once(void **state)
{
	struct gateway_settings s = fit();

	(void)state;
	s.events_shard = "x";
	s.silent_s = 2;
	faults_of(s, "EVENTS_SHARD");
	faults_of(s, "WEBSOCKET_SILENT_S");
}

/* The defaults of the table are valid, without any environment. */
static void the_defaults_are_valid(void **state)
{
	struct buf faults CLEANUP(buf_free) = BUF(4096);
	static struct gateway_settings s; /* its texts outlive this function */

	(void)state;
	for (unsigned i = 0; i < gateway_settings_table.count; i++)
		(void)unsetenv(gateway_settings_table.rows[i].environment);
	assert_int_equal(settings_load(&gateway_settings_table, &s, &faults),
	                 ST_OK);
	gateway_settings_check(&s, &faults);
	assert_int_equal(faults.len, 0);
	assert_int_equal(s.queue_bytes, 256 * 1024);
	assert_int_equal(s.ping_s, 25);
	assert_int_equal(s.silent_s, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shard_is_k_of_n_with_k_below_n),
		cmocka_unit_test(valid_settings_have_no_fault),
		cmocka_unit_test(more_shards_than_partitions_are_a_fault),
		cmocka_unit_test(a_malformed_shard_is_a_fault),
		cmocka_unit_test(each_user_is_served_by_one_shard),
		cmocka_unit_test(
			a_user_is_served_by_the_shard_of_its_partition),
		cmocka_unit_test(silent_s_must_be_longer_than_ping_s),
		cmocka_unit_test(all_faults_are_reported_at_once),
		cmocka_unit_test(the_defaults_are_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
