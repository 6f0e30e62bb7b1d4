/*
 * When a topic can be used, and which reason an operator reads when Kafka does
 * not answer.
 */
#include "common/io/kafka/private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { PARTITIONS_MAX = 3 };

struct row {
	rd_kafka_resp_err_t error; /* of the topic */
	int partitions;
	rd_kafka_metadata_partition_t of[PARTITIONS_MAX];
	int64_t min_insync;
	enum status status;
	const char *why;
};

/* A partition of three replicas, with that leader and so many in sync. */
#define PART(number, lead, insync) \
	{ \
		.id = (number), .leader = (lead), .replica_cnt = 3, \
		.isr_cnt = (insync) \
	}

static const struct row rows[] = {
	{0, 1, {PART(0, 1, 3)}, 1, ST_OK, ""},
	{0, 3, {PART(0, 1, 3), PART(1, 2, 3), PART(2, 3, 3)}, 2, ST_OK, ""},
	/* One broker of three is away; its partitions have new leaders. */
	{0, 3, {PART(0, 1, 2), PART(1, 2, 2), PART(2, 1, 2)}, 2, ST_OK, ""},
	/* Two are away. */
	{0,
         3,
         {PART(0, 1, 2), PART(1, 1, 1), PART(2, 1, 1)},
         2,
         ST_UNAVAILABLE,
         "topic t: partition 1 has 1 of 3 replicas in sync, "
         "min.insync.replicas is 2"},
	/* For a service that only reads it. */
	{0, 3, {PART(0, 1, 1), PART(1, 1, 1), PART(2, 1, 1)}, 0, ST_OK, ""},
	{0, 2, {PART(0, 1, 3), PART(1, 2, 1)}, 1, ST_OK, ""},
	/* No replica is left of one partition; the metadata says it so or so.
         */
	{0,
         2,
         {PART(0, 1, 1), PART(1, -1, 0)},
         1,
         ST_UNAVAILABLE,
         "topic t: partition 1 has no leader"},
	{0,
         2,
         {PART(0, 1, 1), PART(1, -1, 2)},
         0,
         ST_UNAVAILABLE,
         "topic t: partition 1 has no leader"},
	/* An election: some brokers say so of the topic. */
	{RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
         0,
         {{0}},
         1,
         ST_UNAVAILABLE,
         "topic t: Broker: Leader not available"},
	{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
         0,
         {{0}},
         1,
         ST_NOT_FOUND,
         "topic t: Broker: Unknown topic or partition"},
	{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
         0,
         {{0}},
         1,
         ST_DENIED,
         "topic t: Broker: Topic authorization failed"},
	{0, 0, {{0}}, 1, ST_NOT_FOUND, "topic t: it has no partitions"},
};

static void the_verdict_names_the_partition_that_cannot_be_used(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		rd_kafka_metadata_partition_t partitions[PARTITIONS_MAX];
		char name[] = "t";
		rd_kafka_metadata_topic_t topic = {
			.topic = name,
			.partition_cnt = rows[i].partitions,
			.partitions = partitions,
			.err = rows[i].error,
		};
		char why[512] = "";

		memcpy(partitions, rows[i].of, sizeof(partitions));
		print_message("row %zu\n", i);
		assert_int_equal(kafka_topic_usable(&topic, rows[i].min_insync,
		                                    why, sizeof(why)),
		                 rows[i].status);
		assert_string_equal(why, rows[i].why);
	}
}

static void a_reason_has_the_cause_and_nothing_that_changes(void **state)
{
	static const struct {
		rd_kafka_resp_err_t error;
		const char *reason;
		const char *text;
	} texts[] = {
		{RD_KAFKA_RESP_ERR__TRANSPORT,
	         "127.0.0.1:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 "
	         "failed: Connection refused (after 0ms in state CONNECT)",
	         ": Connect to ipv4#127.0.0.1:9092 failed: Connection refused"},
		{RD_KAFKA_RESP_ERR__TRANSPORT,
	         "k:9092/1: Connect to ipv4#127.0.0.1:9092 failed: Connection "
	         "refused (after 7ms in state CONNECT, 3 identical error(s) "
	         "suppressed)",
	         ": Connect to ipv4#127.0.0.1:9092 failed: Connection refused"},
		{RD_KAFKA_RESP_ERR__RESOLVE,
	         "k:9092/bootstrap: Failed to resolve 'k:9092': Name or "
	         "service not known (after 5ms in state CONNECT)",
	         ": Failed to resolve 'k:9092': Name or service not known"},
		{RD_KAFKA_RESP_ERR__TRANSPORT,
	         "k:9092/bootstrap: Disconnected: verify that "
	         "security.protocol is correctly configured, broker might "
	         "require SASL authentication (after 3ms in state "
	         "APIVERSION_QUERY)",
	         ": Disconnected: verify that security.protocol is correctly "
	         "configured, broker might require SASL authentication"},
		{RD_KAFKA_RESP_ERR__AUTHENTICATION,
	         "sasl_plaintext://k:9092/bootstrap: SASL PLAIN "
	         "authentication failed (after 3ms in state AUTH_REQ)",
	         ": SASL PLAIN authentication failed"},
		{RD_KAFKA_RESP_ERR__TIMED_OUT,
	         "k:9092/1: 1 request(s) timed out: disconnect", ""},
		{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, "k:9092/1: late", ""},
		{RD_KAFKA_RESP_ERR__TRANSPORT,
	         "k:9092/1: ApiVersionRequest failed: Local: Timed out: "
	         "probably due to broker version < 0.10",
	         ""},
		{RD_KAFKA_RESP_ERR__TRANSPORT,
	         "k:9092/1: Connection setup timed out in state CONNECT "
	         "(after 2003ms in state CONNECT)",
	         ": Connection setup timed out in state CONNECT"},
		{RD_KAFKA_RESP_ERR__TRANSPORT, "without a broker",
	         ": without a broker"},
		{RD_KAFKA_RESP_ERR__TRANSPORT, "", ""},
	};
	char text[256], small[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		kafka_error_text(texts[i].error, texts[i].reason, text,
		                 sizeof(text));
		assert_string_equal(text, texts[i].text);
	}
	kafka_error_text(RD_KAFKA_RESP_ERR__TRANSPORT, "k: too long for it",
	                 small, sizeof(small));
	assert_string_equal(small, ": too l");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_verdict_names_the_partition_that_cannot_be_used),
		cmocka_unit_test(
			a_reason_has_the_cause_and_nothing_that_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
