#define _GNU_SOURCE /* pthread_getname_np */
#include "common/base/thread.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct seen {
	char name[THREAD_NAME_MAX + 1];
	sigset_t blocked;
};

static void *look(void *context)
{
	struct seen *seen = context;

	(void)pthread_sigmask(SIG_BLOCK, NULL, &seen->blocked);
	return seen;
}

static void a_thread_blocks_the_signals_of_the_main_thread(void **state)
{
	struct seen seen = {0};
	sigset_t own;
	pthread_t thread;

	(void)state;
	thread_start("looks", look, &seen, &thread);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(sigismember(&seen.blocked, SIGTERM));
	assert_true(sigismember(&seen.blocked, SIGINT));
	assert_true(sigismember(&seen.blocked, SIGHUP));
	(void)pthread_sigmask(SIG_BLOCK, NULL, &own);
	assert_false(sigismember(&own, SIGTERM));
}

static void *wait_for_release(void *context)
{
	(void)pthread_mutex_lock(context);
	(void)pthread_mutex_unlock(context);
	return NULL;
}

static void a_thread_has_its_name(void **state)
{
	pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	struct seen seen = {0};
	pthread_t thread;

	(void)state;
	(void)pthread_mutex_lock(&held);
	thread_start("fifteen letters", wait_for_release, &held, &thread);
	assert_int_equal(
		pthread_getname_np(thread, seen.name, sizeof(seen.name)), 0);
	(void)pthread_mutex_unlock(&held);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_string_equal(seen.name, "fifteen letters");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_thread_blocks_the_signals_of_the_main_thread),
		cmocka_unit_test(a_thread_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
