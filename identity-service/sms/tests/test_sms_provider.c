/* Twilio's requests and answers, against a small real HTTP server on a thread
 * of this process. */
#define _GNU_SOURCE /* memmem */
#include "common/service/log.h"
#include "identity-service/sms/sms_provider.h"
#include "tests/support/http_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { REQUEST_MAX = 4096 };

/* What the server does with the next requests. */
static struct {
	const char *status;
	const char *body;
	atomic_bool silent, closes;
} plan;

static char last[REQUEST_MAX]; /* written before the answer, read after it */
static atomic_uint requests;

static void serve(int fd, struct span request)
{
	char byte;

	assert_true(request.len < sizeof(last));
	memcpy(last, request.data, request.len);
	last[request.len] = '\0';
	atomic_fetch_add(&requests, 1);
	if (plan.closes)
		(void)shutdown(fd, SHUT_RDWR);
	else if (plan.silent)
		while (recv(fd, &byte, 1, 0) > 0)
			;
	else
		http_stub_answer(fd, plan.status, span_of(plan.body));
}

static int start_server(void **state)
{
	(void)state;
	log_start("test", LOG_ERROR);
	return http_stub_start(serve);
}

static int stop_server(void **state)
{
	(void)state;
	return http_stub_stop();
}

static const struct phone phone = {.text = "+4915112345678"};
static const struct code code = {.text = "012345"};

static const char *webotp_domain = "";

static struct sms_client *client_of(enum sms_kind kind, const char *from)
{
	static char url[64];
	static struct sms_provider provider;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u",
	               http_stub_port());
	provider = (struct sms_provider){
		.kind = kind,
		.name = "test",
		.base_url = url,
		.account = "AC0123456789abcdef0123456789abcdef",
		.secret = "token",
		.from = from,
		.webotp_domain = webotp_domain,
		.verify_service = "VA0123456789abcdef0123456789abcdef",
		.timeout_ms = 30000,
		.code_ttl_s = 600,
	};
	if (plan.silent)
		provider.timeout_ms = 200;
	return sms_client_create(&provider);
}

static enum status ask(enum sms_kind kind, bool check, const char *from)
{
	struct sms_client *client = client_of(kind, from);
	enum status status = check ? sms_check(client, &phone, &code)
	                           : sms_send(client, &phone, &code);

	sms_client_destroy(&client);
	return status;
}

static void assert_has(const char *text)
{
	if (!strstr(last, text))
		fail_msg("no '%s' in:\n%s", text, last);
}

/* base64 of AC0123456789abcdef0123456789abcdef:token */
#define BASIC \
	"Authorization: Basic " \
	"QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0b2tlbg==\r\n"

static void a_message_is_a_form(void **state)
{
	(void)state;
	plan.status = "201 Created";
	plan.body = "{\"sid\":\"SM1\",\"status\":\"queued\"}";
	assert_int_equal(ask(SMS_TWILIO_MESSAGES, false, "+15017122661"),
	                 ST_OK);
	assert_has("POST /2010-04-01/Accounts/"
	           "AC0123456789abcdef0123456789abcdef/Messages.json HTTP/1.1");
	assert_has(BASIC);
	assert_has("Content-Type: application/x-www-form-urlencoded\r\n");
	assert_has("\r\n\r\nTo=%2B4915112345678&From=%2B15017122661"
	           "&Body=012345+is+your+Parley+code.");
	assert_has("10+minutes");
	assert_int_equal(ask(SMS_TWILIO_MESSAGES, false, "MG0123"), ST_OK);
	assert_has("&MessagingServiceSid=MG0123&");
	assert_null(strstr(last, "%40"));
}

static void a_message_ends_with_what_webotp_reads(void **state)
{
	static const char line[] = "+anyone.%0A%0A%40chat.example+%23012345";

	(void)state;
	plan.status = "201 Created";
	plan.body = "{}";
	webotp_domain = "chat.example";
	assert_int_equal(ask(SMS_TWILIO_MESSAGES, false, "MG0123"), ST_OK);
	webotp_domain = "";
	assert_string_equal(last + strlen(last) - strlen(line), line);
}

static void a_verification_is_started_without_a_code(void **state)
{
	(void)state;
	plan.status = "201 Created";
	plan.body = "{\"status\":\"pending\",\"valid\":false}";
	assert_int_equal(ask(SMS_TWILIO_VERIFY, false, ""), ST_OK);
	assert_has("POST /v2/Services/VA0123456789abcdef0123456789abcdef/"
	           "Verifications HTTP/1.1");
	assert_has(BASIC);
	assert_has("\r\n\r\nTo=%2B4915112345678&Channel=sms");
	assert_null(strstr(last, "012345 "));
}

static void answers_to_a_send_are_judged(void **state)
{
	static const struct {
		const char *status, *body;
		enum status expected;
	} rows[] = {
		{"201 Created", "", ST_OK},
		{"200 OK", "{}", ST_OK},
		{"302 Found", "{}", ST_UNAVAILABLE},
		{"400 Bad Request", "{\"code\":21211}", ST_DENIED},
		{"401 Unauthorized", "{\"code\":20003}", ST_DENIED},
		{"429 Too Many Requests", "no JSON", ST_DENIED},
		{"500 Internal Server Error", "", ST_UNAVAILABLE},
		{"503 Service Unavailable", "{\"code\":[1]}", ST_UNAVAILABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		plan.status = rows[i].status;
		plan.body = rows[i].body;
		for (enum sms_kind kind = SMS_TWILIO_MESSAGES;
		     kind <= SMS_TWILIO_VERIFY; kind++) {
			if (ask(kind, false, "+15017122661") !=
			    rows[i].expected)
				fail_msg("%s", rows[i].status);
		}
	}
}

static void answers_to_a_check_are_judged(void **state)
{
	static const struct {
		const char *status, *body;
		enum status expected;
	} rows[] = {
		{"200 OK", "{\"status\":\"approved\",\"valid\":true}", ST_OK},
		{"201 Created", "{\"status\":\"approved\"}", ST_OK},
		{"200 OK", "{\"status\":\"pending\"}", ST_DENIED},
		{"200 OK", "{\"status\":true}", ST_DENIED},
		{"200 OK", "approved", ST_DENIED},
		{"404 Not Found", "{\"code\":20404}", ST_DENIED},
		{"429 Too Many Requests", "{\"code\":60202}", ST_DENIED},
		{"429 Too Many Requests", "{\"code\":20429}", ST_UNAVAILABLE},
		{"401 Unauthorized", "{\"code\":20003}", ST_UNAVAILABLE},
		{"500 Internal Server Error", "", ST_UNAVAILABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		plan.status = rows[i].status;
		plan.body = rows[i].body;
		if (ask(SMS_TWILIO_VERIFY, true, "") != rows[i].expected)
			fail_msg("%s %s", rows[i].status, rows[i].body);
		assert_has("\r\n\r\nTo=%2B4915112345678&Code=012345");
	}
}

/* The SMS may be on its way. */
static void a_send_without_an_answer_is_not_repeated(void **state)
{
	struct sms_client *client;

	(void)state;
	plan.status = "201 Created";
	plan.body = "{}";
	client = client_of(SMS_TWILIO_MESSAGES, "+15017122661");
	assert_int_equal(sms_send(client, &phone, &code), ST_OK);
	atomic_store(&requests, 0);
	plan.closes = true;
	assert_int_equal(sms_send(client, &phone, &code), ST_UNAVAILABLE);
	assert_int_equal(atomic_load(&requests), 1);
	sms_client_destroy(&client);
	plan.closes = false;
	plan.silent = true;
	assert_int_equal(ask(SMS_TWILIO_MESSAGES, false, "+15017122661"),
	                 ST_UNAVAILABLE);
	assert_int_equal(atomic_load(&requests), 2);
	plan.silent = false;
}

static void only_https_and_loopback_are_base_urls(void **state)
{
	static const struct {
		const char *url;
		bool fits;
	} rows[] = {
		{"https://api.twilio.com", true},
		{"https://proxy.example:8443/twilio", true},
		{"http://127.0.0.1", true},
		{"http://127.0.0.1:4010", true},
		{"http://localhost:4010/twilio", true},
		{"http://[::1]:4010", true},
		{"", false},
		{"api.twilio.com", false},
		{"http://api.twilio.com", false},
		{"http://127.0.0.1.example.com", false},
		{"http://127.0.0.1@example.com", false},
		{"http://localhost.example.com", false},
		{"http://127.0.0.1:", false},
		{"http://127.0.0.1:70000", false},
		{"http://127.0.0.1:80@example.com", false},
		{"https://user@api.twilio.com", false},
		{"https://api.twilio.com/", false},
		{"https://api.twilio.com?x", false},
		{"https://api.twilio.com/a#b", false},
		{"ftp://127.0.0.1", false},
		{"file:///etc/passwd", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (sms_url_fits(span_of(rows[i].url)) != rows[i].fits)
			fail_msg("%s", rows[i].url);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_a_form),
		cmocka_unit_test(a_message_ends_with_what_webotp_reads),
		cmocka_unit_test(a_verification_is_started_without_a_code),
		cmocka_unit_test(answers_to_a_send_are_judged),
		cmocka_unit_test(answers_to_a_check_are_judged),
		cmocka_unit_test(a_send_without_an_answer_is_not_repeated),
		cmocka_unit_test(only_https_and_loopback_are_base_urls),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
