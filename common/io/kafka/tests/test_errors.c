/*
 * What each error code of a broker and of librdkafka means to a producer.
 */
#include "common/io/kafka/private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { BROKER_CODES = 97 };

static const struct {
	rd_kafka_resp_err_t error;
	enum kafka_verdict verdict;
} rows[] = {
	{RD_KAFKA_RESP_ERR_NO_ERROR, KAFKA_ACCEPTED},

	{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, KAFKA_RECORD_REFUSED},
	{RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, KAFKA_RECORD_REFUSED},
	{RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, KAFKA_RECORD_REFUSED},
	{RD_KAFKA_RESP_ERR_INVALID_RECORD, KAFKA_RECORD_REFUSED},

	{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_INVALID_CONFIG, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_INVALID_REQUEST, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_POLICY_VIOLATION, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
         KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_SECURITY_DISABLED, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR__AUTHENTICATION, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR__INVALID_ARG, KAFKA_TOPIC_REFUSED},
	{RD_KAFKA_RESP_ERR__FATAL, KAFKA_TOPIC_REFUSED},

	{RD_KAFKA_RESP_ERR__QUEUE_FULL, KAFKA_PASSING},
	{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, KAFKA_PASSING},
	{RD_KAFKA_RESP_ERR__TIMED_OUT, KAFKA_PASSING},
	{RD_KAFKA_RESP_ERR__TRANSPORT, KAFKA_PASSING},
	{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, KAFKA_PASSING},
	{RD_KAFKA_RESP_ERR__RESOLVE, KAFKA_PASSING},
	{RD_KAFKA_RESP_ERR__PURGE_QUEUE, KAFKA_PASSING},
	{RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, KAFKA_PASSING},
	{RD_KAFKA_RESP_ERR_UNKNOWN, KAFKA_PASSING},
};

static enum kafka_verdict wanted(rd_kafka_resp_err_t error)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].error == error)
			return rows[i].verdict;
	return KAFKA_PASSING;
}

static void assert_verdict(rd_kafka_resp_err_t error)
{
	enum kafka_verdict verdict = kafka_verdict(kafka_status(error));

	if (verdict != wanted(error))
		fail_msg("%s: verdict %d, not %d", rd_kafka_err2name(error),
		         (int)verdict, (int)wanted(error));
}

static void every_error_has_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_verdict(rows[i].error);
	/* A code that the table does not list must not end a message. */
	for (int code = 0; code <= BROKER_CODES; code++)
		assert_verdict((rd_kafka_resp_err_t)code);
}

static void each_refusal_says_what_kind_it_is(void **state)
{
	static const struct {
		rd_kafka_resp_err_t error;
		enum status status;
	} kinds[] = {
		{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ST_TOO_LARGE},
		{RD_KAFKA_RESP_ERR_INVALID_RECORD, ST_INVALID},
		{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ST_DENIED},
		{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ST_NOT_FOUND},
		{RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ST_BROKEN},
		{RD_KAFKA_RESP_ERR__QUEUE_FULL, ST_BUSY},
		{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, ST_UNAVAILABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		assert_int_equal(kafka_status(kinds[i].error), kinds[i].status);
	assert_int_equal(kafka_verdict(ST_UNCERTAIN), KAFKA_PASSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_has_its_verdict),
		cmocka_unit_test(each_refusal_says_what_kind_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
