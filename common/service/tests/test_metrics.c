#define _GNU_SOURCE /* memmem, memrchr */
#include "common/service/metrics.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_MAX = 256 * 1024 };

static struct metric in =
	METRIC_COUNTER("t_frames_total{direction=\"in\"}", "Frames");
static struct metric out =
	METRIC_COUNTER("t_frames_total{direction=\"out\"}", "Frames");
static struct metric sockets = METRIC_GAUGE("t_sockets", "Open sockets");
static struct metric save = METRIC_HISTOGRAM("t_save_seconds", "Saving");
static struct metric ask =
	METRIC_HISTOGRAM("t_ask_seconds{to=\"a\",by=\"b\"}", "Asking");
/* another one begins with its name: that is still a name of its own */
static struct metric socket_errors = METRIC_COUNTER("t_sock", "Errors");

static int add_all(void **state)
{
	(void)state;
	metrics_add(&in);
	metrics_add(&out);
	metrics_add(&socket_errors);
	metrics_add(&sockets);
	metrics_add(&save);
	metrics_add(&ask);
	return 0;
}

static bool has(struct span text, const char *wanted)
{
	return memmem(text.data, text.len, wanted, strlen(wanted));
}

/* The output must contain all of them. */
static void assert_served(const char *const *wanted, size_t count)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);

	metrics_write(&text);
	assert_false(buf_overflowed(&text));
	for (size_t i = 0; i < count; i++) {
		if (!has(buf_span(&text), wanted[i]))
			fail_msg("%s is not in\n%s", wanted[i],
			         buf_text(&text));
	}
}

#define ASSERT_SERVED(...) \
	assert_served((const char *const[]){__VA_ARGS__}, \
	              sizeof((const char *const[]){__VA_ARGS__}) / \
	                      sizeof(char *))

static void counters_and_gauges_are_served_with_one_head(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);

	(void)state;
	metric_count(&in, 3);
	metric_count(&in, 4);
	metric_count(&out, UINT64_C(1) << 40);
	metric_set(&sockets, 12);
	metric_set(&sockets, 11);
	assert_int_equal(metric_value(&in), 7);
	assert_int_equal(metric_value(&sockets), 11);
	metrics_write(&text);
	assert_true(span_starts(
		buf_span(&text),
		SPAN("# HELP t_frames_total Frames\n"
	             "# TYPE t_frames_total counter\n"
	             "t_frames_total{direction=\"in\"} 7\n"
	             "t_frames_total{direction=\"out\"} 1099511627776\n"
	             "# HELP t_sock Errors\n"
	             "# TYPE t_sock counter\n"
	             "t_sock 0\n"
	             "# HELP t_sockets Open sockets\n"
	             "# TYPE t_sockets gauge\n"
	             "t_sockets 11\n"
	             "# HELP t_save_seconds Saving\n"
	             "# TYPE t_save_seconds histogram\n")));
}

static void a_sample_falls_into_its_bucket_and_all_above(void **state)
{
	(void)state;
	metric_observe_us(&save, 0);
	metric_observe_us(&save, 50);
	metric_observe_us(&save, 51);
	metric_observe_us(&save, 100);
	metric_observe_us(&save, 13107200); /* the last bound */
	metric_observe_us(&save, 13107201);
	metric_observe_us(&save, 100000000);
	ASSERT_SERVED("t_save_seconds_bucket{le=\"5e-05\"} 2\n",
	              "t_save_seconds_bucket{le=\"0.0001\"} 4\n",
	              "t_save_seconds_bucket{le=\"0.0002\"} 4\n",
	              "t_save_seconds_bucket{le=\"0.0128\"} 4\n",
	              "t_save_seconds_bucket{le=\"6.5536\"} 4\n",
	              "t_save_seconds_bucket{le=\"13.1072\"} 5\n",
	              "t_save_seconds_bucket{le=\"+Inf\"} 7\n",
	              "t_save_seconds_sum 126.214602\n",
	              "t_save_seconds_count 7\n");
}

static void labels_of_a_histogram_stand_before_its_bound(void **state)
{
	(void)state;
	metric_observe_us(&ask, 60);
	ASSERT_SERVED(
		"# HELP t_ask_seconds Asking\n"
		"# TYPE t_ask_seconds histogram\n",
		"t_ask_seconds_bucket{to=\"a\",by=\"b\",le=\"5e-05\"} 0\n",
		"t_ask_seconds_bucket{to=\"a\",by=\"b\",le=\"0.0001\"} 1\n",
		"t_ask_seconds_bucket{to=\"a\",by=\"b\",le=\"+Inf\"} 1\n",
		"t_ask_seconds_sum{to=\"a\",by=\"b\"} 0.000060\n",
		"t_ask_seconds_count{to=\"a\",by=\"b\"} 1\n");
}

static double process_number(const char *name)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);
	char line[128];
	const char *at;

	metrics_write(&text);
	(void)snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr(buf_text(&text), line);
	assert_non_null(at);
	return strtod(at + strlen(line), NULL);
}

static unsigned count_open_files(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void the_process_tells_about_itself(void **state)
{
	double files = process_number("process_open_fds");
	double cpu = process_number("process_cpu_seconds_total");
	double cpu_ms = (double)clock() * 1000 / CLOCKS_PER_SEC;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	/* Valgrind has some that it hides from fcntl(). */
	assert_true(files >= count_open_files() - 1);
	assert_true(files <= count_open_files() + 10);
	assert_true(process_number("process_open_fds") == files + 1);
	(void)close(fd);
	assert_true(process_number("process_open_fds") == files);
	assert_true(process_number("process_resident_memory_bytes") > 1e5);
	assert_true(cpu >= 0 && cpu * 1000 < cpu_ms + 1000);
}

/* Prometheus refuses a page with one bad line or one head twice. */
static void every_line_is_a_sample_or_the_only_head_of_its_name(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);
	struct span rest;

	(void)state;
	metrics_write(&text);
	rest = buf_span(&text);
	assert_int_equal(text.data[text.len - 1], '\n');
	while (rest.len) {
		struct span line = span_cut(rest, '\n', &rest);
		const char *blank = memrchr(line.data, ' ', line.len);
		char *end;

		assert_non_null(blank);
		if (line.data[0] == '#') {
			assert_null(memmem(rest.data, rest.len, line.data,
			                   line.len + 1));
			continue;
		}
		(void)strtod(blank + 1, &end);
		assert_ptr_equal(end, line.data + line.len);
	}
}

enum { THREADS = 4, COUNTS = 20000 };

static void *count_much(void *context)
{
	for (unsigned i = 0; i < COUNTS; i++) {
		metric_count(&socket_errors, 1);
		metric_observe_us(&save, 10);
	}
	return context;
}

static void threads_lose_no_count(void **state)
{
	pthread_t threads[THREADS];
	uint64_t before = metric_value(&socket_errors);
	uint64_t bucket_before = atomic_load(&save.bucket[0]);

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, count_much, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(metric_value(&socket_errors) - before,
	                 THREADS * COUNTS);
	assert_int_equal(atomic_load(&save.bucket[0]) - bucket_before,
	                 THREADS * COUNTS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_and_gauges_are_served_with_one_head),
		cmocka_unit_test(a_sample_falls_into_its_bucket_and_all_above),
		cmocka_unit_test(labels_of_a_histogram_stand_before_its_bound),
		cmocka_unit_test(the_process_tells_about_itself),
		cmocka_unit_test(
			every_line_is_a_sample_or_the_only_head_of_its_name),
		cmocka_unit_test(threads_lose_no_count),
	};

	return cmocka_run_group_tests(tests, add_all, NULL);
}
