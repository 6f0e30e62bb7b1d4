#include "common/base/clock.h"
#include "common/base/utf8.h"
#include "common/io/json.h"
#include "common/service/log.h"
#include "common/service/log_output.h"
#include "common/service/tests/stdout_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { OUT_MAX = 4 << 20, TEXT_MAX = 512, HANG_MS = 60000 };

/* What log_event() writes with these arguments. */
#define LOGGED(out, ...) \
	do { \
		struct stdout_fixture fixture_; \
		stdout_fixture_start(&fixture_); \
		log_event(__VA_ARGS__); \
		stdout_fixture_stop(&fixture_, out); \
	} while (0)

/* The one line that there must be, as JSON. */
static struct json *one_line(const struct buf *out)
{
	struct json *json = NULL;
	const char *why = "no line";

	assert_true(out->len > 0);
	assert_int_equal(out->data[out->len - 1], '\n');
	assert_ptr_equal(memchr(out->data, '\n', out->len),
	                 out->data + out->len - 1);
	if (json_parse(buf_span(out), &json, &why) != ST_OK)
		fail_msg("%s: %.*s", why, (int)out->len, out->data);
	return json;
}

static void assert_text(const struct json *json, const char *name,
                        struct span wanted)
{
	struct span text = SPAN_NONE;

	assert_true(json_get_text(json, name, &text));
	if (!span_equal(text, wanted))
		fail_msg("%s is '%.*s'", name, (int)text.len, text.data);
}

static void an_event_is_one_line_of_json(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
	struct json *json CLEANUP(json_destroy) = NULL;
	uint64_t before = clock_unix_ms();
	struct span time;
	uint64_t ms = 0;

	(void)state;
	LOGGED(&out, LOG_WARN, "socket.too_slow", F_NUMBER("user", 7),
	       F_TEXT("why", "slow"), F_SPAN("part", span_make("abc", 2)));
	json = one_line(&out);
	assert_true(json_get_text(json, "time", &time));
	assert_true(clock_parse(time, &ms));
	assert_in_range(ms, before, clock_unix_ms());
	buf_consume(&out, sizeof("{\"time\":\"\"") - 1 + CLOCK_TEXT_LEN);
	assert_string_equal(buf_text(&out),
	                    ",\"service\":\"test\",\"level\":\"warn\","
	                    "\"event\":\"socket.too_slow\",\"user\":7,"
	                    "\"why\":\"slow\",\"part\":\"ab\"}\n");
}

static void an_event_needs_no_fields(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
	struct json *json CLEANUP(json_destroy) = NULL;

	(void)state;
	LOGGED(&out, LOG_ERROR, "service.ended");
	json = one_line(&out);
	assert_text(json, "level", SPAN("error"));
	assert_text(json, "event", SPAN("service.ended"));
}

static void a_missing_text_is_empty(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
	struct json *json CLEANUP(json_destroy) = NULL;

	(void)state;
	LOGGED(&out, LOG_INFO, "e", F_TEXT("a", NULL), F_NUMBER("b", 0));
	json = one_line(&out);
	assert_text(json, "a", SPAN(""));
	assert_int_equal(json_kind(json, "b"), JSON_NUMBER);
}

static void levels_below_the_least_are_not_written(void **state)
{
	static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN,
	                                        LOG_ERROR};

	(void)state;
	for (size_t least = 0; least < ARRAY_LEN(levels); least++) {
		log_start("test", levels[least]);
		for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
			struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);

			LOGGED(&out, levels[i], "e");
			assert_int_equal(out.len > 0, i >= least);
		}
	}
	log_start("test", LOG_INFO);
}

static void a_level_is_one_of_four_words(void **state)
{
	static const char *const bad[] = {"",      "INFO",  "Info",  "warning",
	                                  "info ", " info", "trace", "inf"};
	enum log_level level = LOG_DEBUG;

	(void)state;
	assert_true(log_level_parse("error", &level));
	assert_int_equal(level, LOG_ERROR);
	assert_true(log_level_parse("warn", &level));
	assert_int_equal(level, LOG_WARN);
	assert_true(log_level_parse("info", &level));
	assert_int_equal(level, LOG_INFO);
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_DEBUG);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(log_level_parse(bad[i], &level));
	assert_int_equal(level, LOG_DEBUG);
}

/* --- text from outside -----------------------------------------------------
 */
static void a_text_cannot_end_the_line(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
	struct json *json CLEANUP(json_destroy) = NULL;
	struct span evil = SPAN("\r\n{\"level\":\"error\"}\x1b[31m\"\\\x7f");

	(void)state;
	LOGGED(&out, LOG_INFO, "e", F_SPAN("text", evil));
	json = one_line(&out);
	assert_text(json, "text", evil);
	for (size_t i = 0; i < out.len - 1; i++)
		assert_true(out.data[i] >= ' ' && out.data[i] < 0x7f);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	(void)state;
	for (size_t ascii = TEXT_MAX - 6; ascii <= TEXT_MAX + 1; ascii++) {
		struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
		struct json *json CLEANUP(json_destroy) = NULL;
		struct buf text CLEANUP(buf_free) = BUF(OUT_MAX);
		size_t kept = ascii < TEXT_MAX ? ascii : TEXT_MAX;

		for (size_t i = 0; i < ascii; i++)
			buf_byte(&text, 'x');
		buf_append(&text, SPAN("\xf0\x9f\x98\x80yyyy"));
		LOGGED(&out, LOG_INFO, "e", F_SPAN("t", buf_span(&text)));
		json = one_line(&out);
		if (text.len <= TEXT_MAX)
			kept = text.len;
		else if (ascii + 4 <= TEXT_MAX)
			kept = TEXT_MAX;
		assert_text(json, "t", span_make(text.data, kept));
	}
}

static void bad_utf8_is_replaced(void **state)
{
	static const struct {
		const char *text;
		const char *logged;
	} rows[] = {
		{"a\xff z", "a? z"},
		{"\xed\xa0\x80", "???"},
		{"\xc3", "?"},
		{"a\n\xff\x7f", "a??\x7f"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
		struct json *json CLEANUP(json_destroy) = NULL;

		LOGGED(&out, LOG_INFO, "e", F_TEXT("t", rows[i].text));
		json = one_line(&out);
		assert_text(json, "t", span_of(rows[i].logged));
	}
}

static void a_long_text_of_bad_bytes_is_not_lost(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
	struct json *json CLEANUP(json_destroy) = NULL;
	char bytes[TEXT_MAX + 100];
	struct span text;

	(void)state;
	memset(bytes, 0x80, sizeof(bytes));
	LOGGED(&out, LOG_INFO, "e",
	       F_SPAN("t", span_make(bytes, sizeof(bytes))));
	json = one_line(&out);
	assert_true(json_get_text(json, "t", &text));
	assert_in_range(text.len, TEXT_MAX - 3, TEXT_MAX);
	assert_int_equal(text.data[0], '?');
}

static void many_fields_at_their_worst_make_a_whole_line(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
	struct json *json CLEANUP(json_destroy) = NULL;
	char bytes[TEXT_MAX];
	struct span worst = span_make(bytes, sizeof(bytes));

	(void)state;
	memset(bytes, '\x01', sizeof(bytes));
	LOGGED(&out, LOG_INFO, "e", F_SPAN("a", worst), F_SPAN("b", worst),
	       F_SPAN("c", worst), F_SPAN("d", worst), F_SPAN("e", worst),
	       F_SPAN("f", worst), F_SPAN("g", worst), F_SPAN("h", worst));
	json = one_line(&out);
	assert_text(json, "h", worst);
}

/* --- log lines of librdkafka ------------------------------------------------
 */
static void kafka_speaks_with_our_levels(void **state)
{
	static const char *const levels[] = {"warn", "warn", "warn", "warn",
	                                     "info", "info", NULL,   NULL};

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
		struct json *json CLEANUP(json_destroy) = NULL;
		struct stdout_fixture fixture;

		stdout_fixture_start(&fixture);
		log_kafka(NULL, i, "FAIL", "broker: \"down\"");
		stdout_fixture_stop(&fixture, &out);
		if (!levels[i]) {
			assert_int_equal(out.len, 0);
			continue;
		}
		json = one_line(&out);
		assert_text(json, "level", span_of(levels[i]));
		assert_text(json, "event", SPAN("kafka.client"));
		assert_text(json, "facility", SPAN("FAIL"));
		assert_text(json, "text", SPAN("broker: \"down\""));
	}
}

/* --- threads and signals ---------------------------------------------------
 */
enum { THREADS = 4, LINES = 500 };

static void *log_lines(void *context)
{
	for (unsigned i = 0; i < LINES; i++)
		log_event(LOG_INFO, "e", F_NUMBER("thread", *(int *)context),
		          F_NUMBER("i", i));
	return NULL;
}

/* Every line must be whole; returns how many there were. */
static unsigned whole_lines(struct span out)
{
	unsigned count = 0;

	while (out.len) {
		struct json *json CLEANUP(json_destroy) = NULL;
		struct span line = span_cut(out, '\n', &out);
		const char *why;

		if (json_parse(line, &json, &why) != ST_OK)
			fail_msg("%s: '%.*s'", why, (int)line.len, line.data);
		count++;
	}
	return count;
}

static void lines_of_many_threads_do_not_mix(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
	struct stdout_fixture fixture;
	pthread_t threads[THREADS];
	int names[THREADS];

	(void)state;
	stdout_fixture_start(&fixture);
	for (int i = 0; i < THREADS; i++) {
		names[i] = i;
		assert_int_equal(
			pthread_create(&threads[i], NULL, log_lines, &names[i]),
			0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	stdout_fixture_stop(&fixture, &out);
	assert_int_equal(whole_lines(buf_span(&out)), THREADS * LINES);
}

static void on_alarm(int number)
{
	(void)number;
}

struct drain {
	int from;
	struct buf out;
};

static void *drain_slowly(void *context)
{
	struct drain *drain = context;
	char bytes[512];
	sigset_t alarms;
	ssize_t got;

	(void)sigemptyset(&alarms);
	(void)sigaddset(&alarms, SIGALRM);
	(void)pthread_sigmask(SIG_BLOCK, &alarms, NULL);
	while ((got = read(drain->from, bytes, sizeof(bytes))) > 0) {
		buf_append(&drain->out, span_make(bytes, (size_t)got));
		(void)usleep(500);
	}
	return NULL;
}

/* SIGTERM has no SA_RESTART, and the pipe to the log collector may be full.
 */
static void a_signal_while_stdout_is_full_loses_nothing(void **state)
{
	struct sigaction act = {.sa_handler = on_alarm};
	struct itimerval often = {{0, 700}, {0, 700}};
	struct itimerval never = {{0, 0}, {0, 0}};
	struct drain drain = {.out = BUF(OUT_MAX)};
	pthread_t thread;
	int pipes[2];
	int name = 0;
	int saved;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	drain.from = pipes[0];
	saved = dup(STDOUT_FILENO);
	assert_int_equal(pthread_create(&thread, NULL, drain_slowly, &drain),
	                 0);
	assert_int_equal(sigaction(SIGALRM, &act, NULL), 0);
	assert_true(dup2(pipes[1], STDOUT_FILENO) >= 0);
	(void)close(pipes[1]);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (unsigned i = 0; i < 4; i++)
		(void)log_lines(&name);
	log_output_flush(HANG_MS);
	(void)setitimer(ITIMER_REAL, &never, NULL);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	(void)close(saved);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(pipes[0]);
	assert_int_equal(whole_lines(buf_span(&drain.out)), 4 * LINES);
	buf_free(&drain.out);
}

/* What a pipe holds, without waiting for more. */
static void take_all(int from, struct buf *out)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(from, bytes, sizeof(bytes))) > 0)
		buf_append(out, span_make(bytes, (size_t)got));
}

static void a_reader_that_stands_still_stops_nothing(void **state)
{
	struct buf out CLEANUP(buf_free) = BUF(OUT_MAX);
	int saved = dup(STDOUT_FILENO);
	unsigned lines = 0, logged = 0;
	const char *dropped;
	int name = 0;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(fcntl(pipes[0], F_SETFL, O_NONBLOCK), 0);
	assert_true(dup2(pipes[1], STDOUT_FILENO) >= 0);
	(void)close(pipes[1]);
	while (logged * 100 < 2 * LOG_OUTPUT_MAX) {
		(void)log_lines(&name);
		logged += LINES;
	}
	for (size_t before = 1; before != out.len;) {
		before = out.len;
		take_all(pipes[0], &out);
		log_output_flush(0);
	}
	log_event(LOG_INFO, "reader.back");
	take_all(pipes[0], &out);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	(void)close(saved);
	(void)close(pipes[0]);
	lines = whole_lines(buf_span(&out));
	dropped = strstr(buf_text(&out), "\"log.dropped\",\"lines\":");
	assert_non_null(dropped);
	/* Two lines are about the dropped ones and the return. */
	assert_int_equal(lines - 2 + strtoul(dropped + 22, NULL, 10), logged);
	assert_true(out.len > LOG_OUTPUT_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_one_line_of_json),
		cmocka_unit_test(an_event_needs_no_fields),
		cmocka_unit_test(a_missing_text_is_empty),
		cmocka_unit_test(levels_below_the_least_are_not_written),
		cmocka_unit_test(a_level_is_one_of_four_words),
		cmocka_unit_test(a_text_cannot_end_the_line),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(bad_utf8_is_replaced),
		cmocka_unit_test(a_long_text_of_bad_bytes_is_not_lost),
		cmocka_unit_test(many_fields_at_their_worst_make_a_whole_line),
		cmocka_unit_test(kafka_speaks_with_our_levels),
		cmocka_unit_test(lines_of_many_threads_do_not_mix),
		cmocka_unit_test(a_signal_while_stdout_is_full_loses_nothing),
		cmocka_unit_test(a_reader_that_stands_still_stops_nothing),
	};

	log_start("test", LOG_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
