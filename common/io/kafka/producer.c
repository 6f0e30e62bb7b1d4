#include "common/io/kafka/private.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/kafka/inflight.h"
#include "common/io/kafka/producer_handle.h"
#include "common/io/kafka/resend.h"

#include <assert.h>
#include <stdlib.h>
#include <syslog.h>

enum {
	PURGE_WAIT_MS = 3000,
	ALONE_RECORDS = 5000, /* accepted in a row; then they share requests */
};

struct kafka_producer {
	struct producer_handle h;
	kafka_delivered *delivered;
	void *context;

	struct kafka_inflight inflight;
	uint64_t serial;
	unsigned pending;
	unsigned rebuilt;
	struct kafka_resend *resend; /* records of a dead handle */
	bool rebuilding;
	bool too_large;      /* records were refused for their size together */
	bool must_rebuild;   /* the handle, though it is not dead */
	unsigned alone;      /* records still to send one by one; 0: together */
	enum status refusal; /* of kafka_produce() */
	const char *refusal_topic;
};

/* --- sending ------------------------------------------------------------- */
static rd_kafka_resp_err_t send_tagged(struct kafka_producer *p,
                                       const struct kafka_record *record,
                                       uint64_t tag, uint64_t serial)
{
	const struct kafka_inflight_record sent = {tag, serial,
	                                           record->partition};
	uint32_t number = kafka_inflight_add(&p->inflight, &sent);
	rd_kafka_topic_t *topic = producer_handle_topic(&p->h, record->topic);
	rd_kafka_resp_err_t error =
		topic ? kafka_record_send(p->h.handle, topic, record, number)
		      : RD_KAFKA_RESP_ERR__INVALID_ARG;

	if (error)
		(void)kafka_inflight_remove(&p->inflight, number);
	return error;
}

/* --- reports ------------------------------------------------------------- */
static enum status report_status(const rd_kafka_message_t *report)
{
	enum status status = kafka_status(report->err);

	if (status == ST_UNAVAILABLE &&
	    rd_kafka_message_status(report) !=
	            RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
		return ST_UNCERTAIN;
	return status;
}

static struct kafka_inflight_record
remove_inflight(struct kafka_producer *p, const rd_kafka_message_t *report)
{
	return kafka_inflight_remove(&p->inflight,
	                             (uint32_t)(uintptr_t)report->_private);
}

static void keep_for_resend(struct kafka_producer *p,
                            const rd_kafka_message_t *report)
{
	struct kafka_inflight_record sent = remove_inflight(p, report);

	if (kafka_status(report->err) == ST_TOO_LARGE)
		p->too_large = p->must_rebuild = true;
	kafka_resend_add(p->resend, report, &sent);
}

/*
 * A broker refuses all records of a request that is too large, so only a record
 * that was sent alone is known to be too large itself.
 */
static bool needs_a_try_alone(const struct kafka_producer *p,
                              const rd_kafka_message_t *report)
{
	return !p->alone && kafka_status(report->err) == ST_TOO_LARGE;
}

/* True when the record failed only because of what it was sent with. */
static bool is_to_resend(const struct kafka_producer *p,
                         const rd_kafka_message_t *report)
{
	bool purged = report->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
	              report->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;

	if (!report->err || report->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
		return false;
	return producer_handle_is_fatal(&p->h) || (p->rebuilding && purged) ||
	       needs_a_try_alone(p, report);
}

/* The report for the caller; takes the record out of the table. */
static struct kafka_report settle(struct kafka_producer *p,
                                  const rd_kafka_message_t *report)
{
	return (struct kafka_report){
		.tag = remove_inflight(p, report).tag,
		.status = report_status(report),
		.error = report->err ? rd_kafka_err2str(report->err) : "",
		.topic = producer_handle_topic_name(
			&p->h, rd_kafka_topic_name(report->rkt)),
		.bytes = kafka_record_bytes(report),
	};
}

/* --- a new handle -------------------------------------------------------- */
/* Settles each record that the old handle holds, or keeps it to resend. */
static void empty_handle(struct kafka_producer *p)
{
	uint64_t until_ms = clock_mono_ms() + PURGE_WAIT_MS;
	const rd_kafka_message_t *report;
	struct kafka_report settled;

	rd_kafka_purge(p->h.handle,
	               RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	while (p->pending > kafka_resend_count(p->resend)) {
		report = producer_handle_next_report(&p->h, 50);
		if (!report && clock_mono_ms() > until_ms)
			return;
		if (!report)
			continue;
		if (is_to_resend(p, report)) {
			keep_for_resend(p, report);
			continue;
		}
		settled = settle(p, report);
		kafka_resend_settle(p->resend, &settled);
	}
}

/* Records that librdkafka never reported may be in the log. */
static void give_up_inflight(struct kafka_producer *p)
{
	struct kafka_inflight_record sent;

	while (kafka_inflight_remove_any(&p->inflight, &sent))
		kafka_resend_settle(p->resend, &(struct kafka_report){
						       .tag = sent.tag,
						       .status = ST_UNCERTAIN,
						       .topic = "",
					       });
}

/* True when the broker would refuse a new handle too. */
static bool is_hopeless(rd_kafka_resp_err_t error)
{
	return error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
	       error == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
}

static void send_again(struct kafka_producer *p, bool hopeless)
{
	struct kafka_record record;
	uint64_t tag, serial;
	rd_kafka_resp_err_t error;

	kafka_resend_sort(p->resend);
	while (kafka_resend_next(p->resend, &record, &tag, &serial)) {
		error = hopeless ? RD_KAFKA_RESP_ERR__FATAL
		                 : send_tagged(p, &record, tag, serial);
		if (error)
			kafka_resend_settle(
				p->resend,
				&(struct kafka_report){
					.tag = tag,
					.status = kafka_status(error),
					.error = rd_kafka_err2str(error),
					.topic = producer_handle_topic_name(
						&p->h, record.topic),
				});
	}
	kafka_resend_sent(p->resend);
}

static void rebuild(struct kafka_producer *p)
{
	char why[256] = "records were refused for their size together";
	rd_kafka_resp_err_t error =
		rd_kafka_fatal_error(p->h.handle, why, sizeof(why));

	kafka_sink_log(&p->h.sink, LOG_WARNING, "REBUILD", why);
	p->rebuilding = true;
	empty_handle(p);
	give_up_inflight(p);
	producer_handle_close(&p->h);
	p->rebuilding = false;
	p->rebuilt++;
	p->alone = p->too_large ? ALONE_RECORDS : 0;
	p->too_large = false;
	p->must_rebuild = false;
	/* The same settings were valid before. */
	if (producer_handle_open(&p->h, p->alone > 0) != ST_OK)
		abort();
	send_again(p, is_hopeless(error));
}

/*
 * Records share requests again once many in a row were accepted alone: the
 * limit of the topic may have been raised.
 */
static void count_alone(struct kafka_producer *p, enum status status)
{
	if (!p->alone)
		return;
	if (status == ST_TOO_LARGE)
		p->alone = ALONE_RECORDS;
	else if (--p->alone == 0)
		p->must_rebuild = true;
}

/* --- interface ----------------------------------------------------------- */
enum status kafka_producer_create(const struct kafka_producer_options *options,
                                  struct kafka_producer **ret_producer)
{
	struct kafka_producer *p CLEANUP(kafka_producer_destroy) =
		mem_new(sizeof(*p));
	const struct kafka_options *common = &options->common;

	assert(options->delivered && options->queue_max_kib);
	p->h.sink = (struct kafka_sink){common->log, common->log_context};
	p->h.brokers = mem_text(common->brokers, strlen(common->brokers));
	p->h.client_id = mem_text(common->client_id, strlen(common->client_id));
	p->h.queue_max_kib = options->queue_max_kib;
	p->h.timeout_ms = options->timeout_ms;
	p->delivered = options->delivered;
	p->context = options->context;
	p->resend = kafka_resend_create();
	p->h.wake_fd = kafka_wake_create();
	if (p->h.wake_fd < 0 ||
	    producer_handle_open(&p->h, p->alone > 0) != ST_OK)
		return ST_BROKEN;
	*ret_producer = MOVE(p);
	return ST_OK;
}

void kafka_producer_destroy(struct kafka_producer **producer)
{
	struct kafka_producer *p = *producer;

	if (!p)
		return;
	producer_handle_free(&p->h);
	kafka_resend_destroy(&p->resend);
	kafka_inflight_free(&p->inflight);
	mem_free(producer);
}

enum status kafka_produce(struct kafka_producer *p,
                          const struct kafka_record *record, uint64_t tag)
{
	rd_kafka_resp_err_t error = send_tagged(p, record, tag, ++p->serial);
	enum status status;

	if (error == RD_KAFKA_RESP_ERR__FATAL) {
		rebuild(p);
		error = send_tagged(p, record, tag, p->serial);
	}
	status = kafka_status(error);
	if (status == ST_OK)
		p->pending++;
	if (kafka_verdict(status) == KAFKA_TOPIC_REFUSED) {
		p->refusal = status;
		p->refusal_topic =
			producer_handle_topic_name(&p->h, record->topic);
	}
	return status;
}

static void deliver(struct kafka_producer *p, const struct kafka_report *report)
{
	count_alone(p, report->status);
	p->pending--;
	p->delivered(p->context, report);
}

/*
 * Handles one delivery report, or one outcome that a rebuild left. False when
 * there is neither.
 */
static bool serve(struct kafka_producer *p, unsigned wait_ms, unsigned *done)
{
	const rd_kafka_message_t *report;
	struct kafka_report settled;

	if (!kafka_resend_settled(p->resend, &settled)) {
		report = producer_handle_next_report(&p->h, wait_ms);
		if (!report)
			return false;
		if (is_to_resend(p, report)) {
			keep_for_resend(p, report);
			return true;
		}
		settled = settle(p, report);
	}
	deliver(p, &settled);
	(*done)++;
	return true;
}

static void rebuild_if_due(struct kafka_producer *p)
{
	if (p->must_rebuild || producer_handle_is_fatal(&p->h))
		rebuild(p);
}

unsigned kafka_producer_poll(struct kafka_producer *p, unsigned budget)
{
	unsigned done = 0;

	kafka_wake_clear(p->h.wake_fd);
	while (done < budget && serve(p, 0, &done))
		;
	if (p->h.reports_left == 0)
		producer_handle_drop_reports(&p->h);
	rebuild_if_due(p);
	return done;
}

void kafka_producer_flush(struct kafka_producer *p, unsigned wait_ms)
{
	uint64_t until_ms = clock_mono_ms() + wait_ms;
	uint64_t now_ms = clock_mono_ms();
	unsigned done = 0;

	while (p->pending && now_ms < until_ms) {
		(void)serve(p, (unsigned)(until_ms - now_ms), &done);
		rebuild_if_due(p);
		now_ms = clock_mono_ms();
	}
	if (p->h.reports_left == 0)
		producer_handle_drop_reports(&p->h);
}

enum status kafka_producer_load_metadata(struct kafka_producer *p,
                                         const char *topic, unsigned wait_ms)
{
	struct kafka_topic_size size;

	if (!producer_handle_topic(&p->h, topic))
		return ST_BROKEN;
	return kafka_topic_size(p->h.handle, topic, wait_ms, &size);
}

enum status kafka_producer_take_refusal(struct kafka_producer *p,
                                        const char **ret_topic)
{
	enum status refusal = p->refusal;

	*ret_topic = p->refusal_topic;
	p->refusal = ST_OK;
	return refusal;
}

int kafka_producer_fd(const struct kafka_producer *p)
{
	return p->h.wake_fd;
}

unsigned kafka_producer_pending(const struct kafka_producer *p)
{
	return p->pending;
}

unsigned kafka_producer_rebuilt(const struct kafka_producer *p)
{
	return p->rebuilt;
}

void kafka_producer_fail(struct kafka_producer *p)
{
	rd_kafka_test_fatal_error(
		p->h.handle, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
		"asked for by a test");
}
