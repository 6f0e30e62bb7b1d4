#include "common/io/kafka/private.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/kafka/inflight.h"
#include "common/io/kafka/resend.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

enum { TOPICS_MAX = 8, PURGE_WAIT_MS = 3000 };

struct kafka_producer {
	struct kafka_sink sink;
	char *brokers;
	char *client_id;
	unsigned queue_max_kib;
	unsigned timeout_ms;
	kafka_delivered *delivered;
	void *context;

	rd_kafka_t *handle;
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *reports; /* the event being read */
	size_t reports_left;
	int wake_fd;

	char *topic_names[TOPICS_MAX];
	rd_kafka_topic_t *topics[TOPICS_MAX];

	struct kafka_inflight inflight;
	uint64_t serial;
	unsigned pending;
	unsigned rebuilt;
	struct kafka_resend *resend; /* records of a dead handle */
};

/* --- the handle ---------------------------------------------------------- */
/*
 * linger.ms 0: a record goes at once when no request is in flight; records
 * that arrive during a request share the next one. More than one request in
 * flight (the default is 5) costs broker and client more per record:
 * docs/adr/0008.
 */
static rd_kafka_conf_t *configure(struct kafka_producer *p)
{
	char kib[16], count[16], timeout[16];
	struct kafka_options options = {p->brokers, p->client_id, p->sink.log,
	                                p->sink.context};
	struct kafka_setting settings[] = {
		{"enable.idempotence", "true"},
		{"acks", "all"},
		{"linger.ms", "0"},
		{"max.in.flight.requests.per.connection", "1"},
		{"partitioner", "murmur2_random"},
		{"queue.buffering.max.kbytes", kib},
		{"queue.buffering.max.messages", count},
		{"message.timeout.ms", timeout},
		{NULL, NULL},
	};

	snprintf(kib, sizeof(kib), "%u", p->queue_max_kib);
	snprintf(count, sizeof(count), "%u", p->queue_max_kib * 16);
	snprintf(timeout, sizeof(timeout), "%u", p->timeout_ms);
	return kafka_conf_create(&options, &p->sink, settings);
}

static enum status open_handle(struct kafka_producer *p)
{
	rd_kafka_conf_t *conf = configure(p);

	if (!conf)
		return ST_BROKEN;
	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR |
	                                       RD_KAFKA_EVENT_ERROR |
	                                       RD_KAFKA_EVENT_LOG);
	p->handle = kafka_handle_create(RD_KAFKA_PRODUCER, conf, &p->sink);
	if (!p->handle)
		return ST_BROKEN;
	p->queue = rd_kafka_queue_get_main(p->handle);
	rd_kafka_set_log_queue(p->handle, p->queue);
	kafka_wake_watch(p->wake_fd, p->queue);
	return ST_OK;
}

/* Until then the records of the event count towards the queue's bound. */
static void drop_reports(struct kafka_producer *p)
{
	if (p->reports)
		rd_kafka_event_destroy(p->reports);
	p->reports = NULL;
	p->reports_left = 0;
}

static void close_handle(struct kafka_producer *p)
{
	if (!p->handle)
		return;
	drop_reports(p);
	rd_kafka_purge(p->handle,
	               RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	for (unsigned i = 0; i < TOPICS_MAX; i++) {
		if (p->topics[i])
			rd_kafka_topic_destroy(p->topics[i]);
		p->topics[i] = NULL;
	}
	rd_kafka_queue_io_event_enable(p->queue, -1, NULL, 0);
	rd_kafka_queue_destroy(p->queue);
	rd_kafka_destroy(p->handle);
	p->handle = NULL;
}

static rd_kafka_topic_t *topic_of(struct kafka_producer *p, const char *name)
{
	unsigned i = 0;

	while (i < TOPICS_MAX && p->topic_names[i] &&
	       strcmp(p->topic_names[i], name))
		i++;
	assert(i < TOPICS_MAX); /* topics are settings, not input */
	if (!p->topic_names[i])
		p->topic_names[i] = mem_text(name, strlen(name));
	if (!p->topics[i])
		p->topics[i] = rd_kafka_topic_new(p->handle, name, NULL);
	return p->topics[i];
}

/* --- sending ------------------------------------------------------------- */
static void add_header(rd_kafka_headers_t **headers,
                       const struct kafka_header *header)
{
	if (!header->name || !header->value.len)
		return;
	if (!*headers)
		*headers = rd_kafka_headers_new(2);
	rd_kafka_header_add(*headers, header->name, -1, header->value.data,
	                    (ssize_t)header->value.len);
}

static rd_kafka_resp_err_t send_record(struct kafka_producer *p,
                                       const struct kafka_record *record,
                                       uint32_t number)
{
	rd_kafka_topic_t *topic = topic_of(p, record->topic);
	rd_kafka_headers_t *headers = NULL;
	rd_kafka_resp_err_t error;

	if (!topic)
		return RD_KAFKA_RESP_ERR__INVALID_ARG;
	add_header(&headers, &record->header);
	add_header(&headers, &record->more);
	error = rd_kafka_producev(
		p->handle, RD_KAFKA_VTYPE_RKT, topic, RD_KAFKA_VTYPE_PARTITION,
		record->partition, RD_KAFKA_VTYPE_KEY, record->key.data,
		record->key.len, RD_KAFKA_VTYPE_VALUE, record->value.data,
		record->value.len, RD_KAFKA_VTYPE_HEADERS, headers,
		RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_MSG_F_COPY,
		RD_KAFKA_VTYPE_OPAQUE, (void *)(uintptr_t)number,
		RD_KAFKA_VTYPE_END);
	if (error && headers)
		rd_kafka_headers_destroy(headers);
	return error;
}

static rd_kafka_resp_err_t send_tagged(struct kafka_producer *p,
                                       const struct kafka_record *record,
                                       uint64_t tag, uint64_t serial)
{
	const struct kafka_inflight_record sent = {tag, serial,
	                                           record->partition};
	uint32_t number = kafka_inflight_add(&p->inflight, &sent);
	rd_kafka_resp_err_t error = send_record(p, record, number);

	if (error)
		(void)kafka_inflight_remove(&p->inflight, number);
	return error;
}

/* --- reports ------------------------------------------------------------- */
static bool is_fatal(const struct kafka_producer *p)
{
	return rd_kafka_fatal_error(p->handle, NULL, 0) !=
	       RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void log_event_of(struct kafka_producer *p, rd_kafka_event_t *event)
{
	const char *facility, *text;
	int level;

	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_LOG) {
		if (!rd_kafka_event_log(event, &facility, &text, &level))
			kafka_sink_log(&p->sink, level, facility, text);
		return;
	}
	kafka_sink_log(&p->sink, LOG_ERR, "ERROR",
	               rd_kafka_event_error_string(event));
}

/* NULL when no report arrived within wait_ms. */
static const rd_kafka_message_t *next_report(struct kafka_producer *p,
                                             unsigned wait_ms)
{
	rd_kafka_event_t *event;

	while (p->reports_left == 0) {
		drop_reports(p);
		event = rd_kafka_queue_poll(p->queue, (int)wait_ms);
		if (!event)
			return NULL;
		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
			p->reports = event;
			p->reports_left = rd_kafka_event_message_count(event);
			continue;
		}
		log_event_of(p, event);
		rd_kafka_event_destroy(event);
	}
	p->reports_left--;
	return rd_kafka_event_message_next(p->reports);
}

static enum status report_status(const rd_kafka_message_t *report)
{
	enum status status = kafka_status(report->err);

	if (status == ST_NOT_FOUND)
		return ST_BROKEN;
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

	kafka_resend_add(p->resend, report, &sent);
}

/* True when the record failed only because the handle is dead. */
static bool died_with_handle(const struct kafka_producer *p,
                             const rd_kafka_message_t *report)
{
	return report->err && report->err != RD_KAFKA_RESP_ERR__MSG_TIMED_OUT &&
	       is_fatal(p);
}

/* --- a fatal handle ------------------------------------------------------ */
/* Settles each record that the dead handle holds, or keeps it to resend. */
static void empty_handle(struct kafka_producer *p)
{
	uint64_t until_ms = clock_mono_ms() + PURGE_WAIT_MS;
	const rd_kafka_message_t *report;

	rd_kafka_purge(p->handle,
	               RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	while (p->pending > kafka_resend_count(p->resend)) {
		report = next_report(p, 50);
		if (!report && clock_mono_ms() > until_ms)
			return;
		if (!report)
			continue;
		if (died_with_handle(p, report))
			keep_for_resend(p, report);
		else
			kafka_resend_settle(p->resend,
			                    remove_inflight(p, report).tag,
			                    report_status(report));
	}
}

/* Records that librdkafka never reported may be in the log. */
static void give_up_inflight(struct kafka_producer *p)
{
	struct kafka_inflight_record sent;

	while (kafka_inflight_remove_any(&p->inflight, &sent))
		kafka_resend_settle(p->resend, sent.tag, ST_UNCERTAIN);
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
			kafka_resend_settle(p->resend, tag,
			                    kafka_status(error));
	}
	kafka_resend_sent(p->resend);
}

static void rebuild(struct kafka_producer *p)
{
	char why[256];
	rd_kafka_resp_err_t error =
		rd_kafka_fatal_error(p->handle, why, sizeof(why));

	kafka_sink_log(&p->sink, LOG_WARNING, "REBUILD", why);
	empty_handle(p);
	give_up_inflight(p);
	close_handle(p);
	p->rebuilt++;
	/* The same settings were valid before. */
	if (open_handle(p) != ST_OK)
		abort();
	send_again(p, is_hopeless(error));
}

/* --- interface ----------------------------------------------------------- */
enum status kafka_producer_create(const struct kafka_producer_options *options,
                                  struct kafka_producer **ret_producer)
{
	struct kafka_producer *p CLEANUP(kafka_producer_destroy) =
		mem_new(sizeof(*p));
	const struct kafka_options *common = &options->common;

	assert(options->delivered && options->queue_max_kib);
	p->sink = (struct kafka_sink){common->log, common->log_context};
	p->brokers = mem_text(common->brokers, strlen(common->brokers));
	p->client_id = mem_text(common->client_id, strlen(common->client_id));
	p->queue_max_kib = options->queue_max_kib;
	p->timeout_ms = options->timeout_ms;
	p->delivered = options->delivered;
	p->context = options->context;
	p->resend = kafka_resend_create();
	p->wake_fd = kafka_wake_create();
	if (p->wake_fd < 0 || open_handle(p) != ST_OK)
		return ST_BROKEN;
	*ret_producer = MOVE(p);
	return ST_OK;
}

void kafka_producer_destroy(struct kafka_producer **producer)
{
	struct kafka_producer *p = *producer;

	if (!p)
		return;
	close_handle(p);
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	for (unsigned i = 0; i < TOPICS_MAX; i++)
		mem_free(&p->topic_names[i]);
	kafka_resend_destroy(&p->resend);
	kafka_inflight_free(&p->inflight);
	mem_free(&p->brokers);
	mem_free(&p->client_id);
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
	return status == ST_NOT_FOUND ? ST_BROKEN : status;
}

static void deliver(struct kafka_producer *p, uint64_t tag, enum status status)
{
	p->pending--;
	p->delivered(p->context, tag, status);
}

/*
 * Handles one delivery report, or one outcome that a rebuild left. False when
 * there is neither.
 */
static bool serve(struct kafka_producer *p, unsigned wait_ms, unsigned *done)
{
	const rd_kafka_message_t *report;
	enum status status;
	uint64_t tag;

	if (kafka_resend_settled(p->resend, &tag, &status)) {
		deliver(p, tag, status);
		(*done)++;
		return true;
	}
	report = next_report(p, wait_ms);
	if (!report)
		return false;
	if (died_with_handle(p, report)) {
		keep_for_resend(p, report);
		return true;
	}
	status = report_status(report);
	deliver(p, remove_inflight(p, report).tag, status);
	(*done)++;
	return true;
}

unsigned kafka_producer_poll(struct kafka_producer *p, unsigned budget)
{
	unsigned done = 0;

	kafka_wake_clear(p->wake_fd);
	while (done < budget && serve(p, 0, &done))
		;
	if (p->reports_left == 0)
		drop_reports(p);
	if (is_fatal(p))
		rebuild(p);
	return done;
}

void kafka_producer_flush(struct kafka_producer *p, unsigned wait_ms)
{
	uint64_t until_ms = clock_mono_ms() + wait_ms;
	uint64_t now_ms = clock_mono_ms();
	unsigned done = 0;

	while (p->pending && now_ms < until_ms) {
		(void)serve(p, (unsigned)(until_ms - now_ms), &done);
		if (is_fatal(p))
			rebuild(p);
		now_ms = clock_mono_ms();
	}
	if (p->reports_left == 0)
		drop_reports(p);
}

enum status kafka_producer_load_metadata(struct kafka_producer *p,
                                         const char *topic, unsigned wait_ms)
{
	unsigned partitions;

	if (!topic_of(p, topic))
		return ST_BROKEN;
	return kafka_count_partitions(p->handle, topic, wait_ms, &partitions);
}

int kafka_producer_fd(const struct kafka_producer *p)
{
	return p->wake_fd;
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
		p->handle, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
		"asked for by a test");
}
