/*
 * A start that fails at one of the gateway's two Kafka producers:
 * gateway_stop() takes down what exists, and no part meets another that does
 * not.
 */
#include "common/io/kafka/kafka.h"
#include "common/service/service.h"
#include "websocket-service/gateway.h"
#include "websocket-service/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PRODUCERS = 2 };

static unsigned creates_until_failure;

enum status
__real_kafka_producer_create(const struct kafka_producer_options *options,
                             struct kafka_producer **ret_producer);
enum status
__wrap_kafka_producer_create(const struct kafka_producer_options *options,
                             struct kafka_producer **ret_producer);
int __wrap_service_wake_fd(void);

enum status
__wrap_kafka_producer_create(const struct kafka_producer_options *options,
                             struct kafka_producer **ret_producer)
{
	if (creates_until_failure-- == 0)
		return ST_BROKEN;
	return __real_kafka_producer_create(options, ret_producer);
}

int __wrap_service_wake_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return fd;
}

/* Exit code 0: the start failed and the stop took everything down. */
static int start_and_stop(void)
{
	static struct gateway_settings settings;
	struct buf faults CLEANUP(buf_free) = BUF(64 * 1024);
	void *gateway = NULL;
	enum status status;

	setenv("KAFKA_BROKERS", "127.0.0.1:1", 1);
	setenv("REDIS_PORT", "1", 1);
	if (settings_load(&gateway_settings_table, &settings, &faults) != ST_OK)
		return 2;
	status = gateway_start(&settings, &gateway);
	if (!gateway)
		return 3;
	gateway_stop(&gateway);
	return status == ST_BROKEN && !gateway ? 0 : 4;
}

/* In a process of its own, because a gateway's metrics are registered once. */
static void a_start_that_fails_is_stopped_cleanly(void **state)
{
	(void)state;
	for (unsigned n = 0; n < PRODUCERS; n++) {
		int status;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			creates_until_failure = n;
			_exit(start_and_stop());
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_that_fails_is_stopped_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
