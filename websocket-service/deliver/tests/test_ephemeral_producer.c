/*
 * The producer of `typing`, whose broker does not answer: what it holds, and
 * for how long.
 */
#include "common/service/metrics.h"
#include "tests/support/test_loop.h"
#include "websocket-service/deliver/ephemeral_producer.h"
#include "websocket-service/gateway_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { RECORD = 1024, QUEUE = 1024 * 1024 };

static struct gateway_settings settings = {
	.kafka_brokers = "127.0.0.1:1",
	.topic_events = "message_events",
};

static struct ephemeral_producer *producer;
static unsigned sent;

static int start(void **state)
{
	(void)test_loop_start(state);
	sent = 0;
	assert_int_equal(
		ephemeral_producer_create(test_loop, &settings, &producer),
		ST_OK);
	return 0;
}

static int stop(void **state)
{
	ephemeral_producer_close(producer);
	(void)test_loop_turn();
	ephemeral_producer_destroy(&producer);
	return test_loop_stop(state);
}

static uint64_t dropped(void)
{
	return metric_value(&gateway_metrics.typing_dropped);
}

static void send(void)
{
	static char frame[RECORD];

	ephemeral_producer_send(producer, 0, SPAN("2,3"),
	                        span_make(frame, sizeof(frame)));
	sent++;
}

static void a_full_queue_drops_what_follows(void **state)
{
	uint64_t before = dropped();
	unsigned held;

	(void)state;
	while (dropped() == before && sent < 2 * QUEUE / RECORD)
		send();
	held = sent - 1;
	assert_in_range(held, QUEUE / RECORD / 2, QUEUE / RECORD);
	for (unsigned i = 0; i < 100; i++)
		send();
	assert_int_equal(dropped() - before, sent - held);
	/* The others are dropped when their time is over: there is room. */
	turn_until(dropped() - before == sent);
	send();
	assert_int_equal(dropped() - before, sent - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_full_queue_drops_what_follows,
	                                        start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
