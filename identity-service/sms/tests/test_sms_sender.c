/* The threads that send, with a provider that does not answer. */
#include "common/service/log.h"
#include "identity-service/sms/sms_sender.h"
#include "tests/support/http_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 100000, WAIT_MS = 60000 };

static atomic_uint received;

static void stay_silent(int fd, struct span request)
{
	char byte;

	(void)request;
	atomic_fetch_add(&received, 1);
	while (recv(fd, &byte, 1, 0) > 0)
		;
}

static int start_server(void **state)
{
	(void)state;
	log_start("test", LOG_ERROR);
	return http_stub_start(stay_silent);
}

static int stop_server(void **state)
{
	(void)state;
	return http_stub_stop();
}

/* A hand-over never waits, and the end does not wait for what is queued. */
static void a_full_queue_refuses(void **state)
{
	const struct phone phone = {.text = "+4915112345678"};
	const struct code code = {.text = "012345"};
	char url[64];
	const struct sms_provider provider = {
		.kind = SMS_TWILIO_MESSAGES,
		.name = "test",
		.base_url = url,
		.account = "AC0",
		.secret = "token",
		.from = "+15017122661",
		.webotp_domain = "",
		.verify_service = "",
		.timeout_ms = 500,
		.code_ttl_s = 600,
	};
	struct sms_sender *sender;
	enum status status = ST_OK;
	unsigned taken = 0;

	(void)state;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u",
	               http_stub_port());
	sender = sms_sender_start(&provider);
	while (taken < MANY && status == ST_OK) {
		status = sms_sender_hand_over(sender, &phone, &code);
		taken += status == ST_OK;
	}
	assert_int_equal(status, ST_BUSY);
	assert_in_range(taken, 100, MANY - 1);
	for (unsigned i = 0; i < WAIT_MS && !atomic_load(&received); i++)
		usleep(1000);
	assert_true(atomic_load(&received) > 0);
	sms_sender_stop(&sender);
	assert_null(sender);
	assert_true(atomic_load(&received) < taken);
}

static void an_idle_sender_stops(void **state)
{
	static const struct sms_provider provider = {
		.kind = SMS_LOG, .name = "log", .account = "", .secret = ""};
	struct sms_sender *sender = sms_sender_start(&provider);

	(void)state;
	sms_sender_stop(&sender);
	sms_sender_stop(&sender);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_queue_refuses),
		cmocka_unit_test(an_idle_sender_stops),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
