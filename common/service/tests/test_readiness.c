#include "common/base/scope.h"
#include "common/service/log.h"
#include "common/service/readiness.h"
#include "common/service/service.h"
#include "common/service/tests/stdout_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { OUT_MAX = 64 * 1024 };

/* Parts live as long as the process: the tests tell one story, in order. */
static void assert_parts(bool ready, const char *wanted)
{
	struct buf json CLEANUP(buf_free) = BUF(OUT_MAX);

	assert_int_equal(readiness_write(&json), ready);
	assert_string_equal(buf_text(&json), wanted);
}

/* What service_part() logs, behind time and service. */
static void assert_logs(const char *name, bool up, const char *why,
                        const char *wanted)
{
	struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
	struct stdout_fixture fixture;
	const char *at;

	stdout_fixture_start(&fixture);
	service_part(name, up, why);
	stdout_fixture_stop(&fixture, &out);
	at = strstr(buf_text(&out), "\"level\"");
	assert_string_equal(at ? at : "", wanted);
}

static void nothing_is_ready_before_the_start(void **state)
{
	(void)state;
	assert_parts(false, "{\"ready\":false,\"parts\":{}}");
}

static void a_service_without_parts_is_ready_once_started(void **state)
{
	(void)state;
	readiness_set_serving(true);
	assert_parts(true, "{\"ready\":true,\"parts\":{}}");
}

static void a_part_is_unchecked_until_it_is_tried(void **state)
{
	(void)state;
	service_part_add("kafka");
	assert_parts(false,
	             "{\"ready\":false,\"parts\":{\"kafka\":\"unchecked\"},"
	             "\"why\":{\"kafka\":\"not checked yet\"}}");
	assert_logs("kafka", false, NULL,
	            "\"level\":\"warn\",\"event\":\"dependency.down\","
	            "\"part\":\"kafka\",\"why\":\"\"}\n");
	assert_parts(false, "{\"ready\":false,\"parts\":{\"kafka\":\"down\"}}");
}

static void a_new_part_that_is_down_for_a_reason_says_so(void **state)
{
	(void)state;
	assert_logs("mysql", false, "refused",
	            "\"level\":\"warn\",\"event\":\"dependency.down\","
	            "\"part\":\"mysql\",\"why\":\"refused\"}\n");
	assert_logs("mysql", false, "refused", "");
	assert_logs("mysql", false, "access denied",
	            "\"level\":\"warn\",\"event\":\"dependency.down\","
	            "\"part\":\"mysql\",\"why\":\"access denied\"}\n");
	assert_logs("mysql", false, "access denied", "");
}

static void readiness_needs_all_parts(void **state)
{
	(void)state;
	assert_logs("kafka", true, NULL,
	            "\"level\":\"info\",\"event\":\"dependency.up\","
	            "\"part\":\"kafka\"}\n");
	assert_parts(false, "{\"ready\":false,\"parts\":{\"kafka\":\"up\","
	                    "\"mysql\":\"down\"},"
	                    "\"why\":{\"mysql\":\"access denied\"}}");
	assert_logs("mysql", true, "not said",
	            "\"level\":\"info\",\"event\":\"dependency.up\","
	            "\"part\":\"mysql\"}\n");
	assert_parts(true, "{\"ready\":true,\"parts\":{\"kafka\":\"up\","
	                   "\"mysql\":\"up\"}}");
}

static void each_change_is_logged_once(void **state)
{
	char same_name[] = "kafka";

	(void)state;
	assert_logs("kafka", true, NULL, "");
	assert_logs(same_name, false, NULL,
	            "\"level\":\"warn\",\"event\":\"dependency.down\","
	            "\"part\":\"kafka\",\"why\":\"\"}\n");
	assert_logs("kafka", false, NULL, "");
	assert_parts(false, "{\"ready\":false,\"parts\":{\"kafka\":\"down\","
	                    "\"mysql\":\"up\"}}");
	assert_logs("kafka", true, NULL,
	            "\"level\":\"info\",\"event\":\"dependency.up\","
	            "\"part\":\"kafka\"}\n");
}

static void set_hint(bool up, const char *why, bool changes)
{
	assert_int_equal(service_hint("redis", up, why), changes);
}

static void a_hint_is_degraded_and_readiness_does_not_depend_on_it(void **state)
{
	(void)state;
	set_hint(false, "OOM command not allowed", true);
	set_hint(false, "OOM command not allowed", false);
	assert_parts(true, "{\"ready\":true,\"parts\":{\"kafka\":\"up\","
	                   "\"mysql\":\"up\",\"redis\":\"degraded\"},"
	                   "\"why\":{\"redis\":\"OOM command not allowed\"}}");
	set_hint(false, "no UTF-8: \xff\xfe", true);
	assert_parts(true, "{\"ready\":true,\"parts\":{\"kafka\":\"up\","
	                   "\"mysql\":\"up\",\"redis\":\"degraded\"},"
	                   "\"why\":{\"redis\":\"no UTF-8: ??\"}}");
	set_hint(true, NULL, true);
	set_hint(true, NULL, false);
	assert_parts(true, "{\"ready\":true,\"parts\":{\"kafka\":\"up\","
	                   "\"mysql\":\"up\",\"redis\":\"up\"}}");
}

static void nothing_is_ready_after_a_stop_was_asked_for(void **state)
{
	(void)state;
	assert_parts(true, "{\"ready\":true,\"parts\":{\"kafka\":\"up\","
	                   "\"mysql\":\"up\",\"redis\":\"up\"}}");
	readiness_set_serving(false);
	assert_parts(false, "{\"ready\":false,\"parts\":{\"kafka\":\"up\","
	                    "\"mysql\":\"up\",\"redis\":\"up\"}}");
}

static void there_is_room_for_eight(void **state)
{
	static const char *const more[] = {"d", "e", "f", "g", "h"};
	struct buf json CLEANUP(buf_free) = BUF(OUT_MAX);

	(void)state;
	readiness_set_serving(true);
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		service_part_add(more[i]);
	assert_false(readiness_write(&json));
	assert_non_null(strstr(buf_text(&json), "\"h\":\"unchecked\"}"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_ready_before_the_start),
		cmocka_unit_test(a_service_without_parts_is_ready_once_started),
		cmocka_unit_test(a_part_is_unchecked_until_it_is_tried),
		cmocka_unit_test(a_new_part_that_is_down_for_a_reason_says_so),
		cmocka_unit_test(readiness_needs_all_parts),
		cmocka_unit_test(each_change_is_logged_once),
		cmocka_unit_test(
			a_hint_is_degraded_and_readiness_does_not_depend_on_it),
		cmocka_unit_test(nothing_is_ready_after_a_stop_was_asked_for),
		cmocka_unit_test(there_is_room_for_eight),
	};

	log_start("test", LOG_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
