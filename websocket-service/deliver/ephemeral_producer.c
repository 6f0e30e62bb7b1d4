#include "websocket-service/deliver/ephemeral_producer.h"
#include "common/base/mem.h"
#include "common/io/kafka/kafka.h"
#include "common/service/log.h"
#include "websocket-service/gateway_metrics.h"

#include <uv.h>

enum {
	QUEUE_KIB = 1024,
	TIMEOUT_MS = 1000,
	WARM_UP_MS = 500,
	REPORTS_PER_TURN = 1000,
};

struct ephemeral_producer {
	const struct gateway_settings *settings;
	uv_poll_t reports;
	struct kafka_producer *kafka;
};

static void on_delivered(void *context, const struct kafka_report *report)
{
	(void)context;
	if (report->status != ST_OK)
		metric_count(&gateway_metrics.typing_dropped, 1);
}

static void on_reports(uv_poll_t *poll, int status, int events)
{
	struct ephemeral_producer *producer = poll->data;

	(void)status;
	(void)events;
	while (kafka_producer_poll(producer->kafka, REPORTS_PER_TURN) ==
	       REPORTS_PER_TURN)
		;
}

enum status ephemeral_producer_create(struct uv_loop_s *loop,
                                      const struct gateway_settings *settings,
                                      struct ephemeral_producer **ret_producer)
{
	struct ephemeral_producer *producer = mem_new(sizeof(*producer));
	struct kafka_producer_options options = {
		.common = {.brokers = settings->kafka_brokers,
	                   .client_id = "websocket-service-ephemeral",
	                   .log = log_kafka},
		.queue_max_kib = QUEUE_KIB,
		.timeout_ms = TIMEOUT_MS,
		.delivered = on_delivered,
	};
	enum status st = kafka_producer_create(&options, &producer->kafka);

	if (st != ST_OK) {
		mem_free(&producer);
		return st;
	}
	producer->settings = settings;
	(void)uv_poll_init(loop, &producer->reports,
	                   kafka_producer_fd(producer->kafka));
	producer->reports.data = producer;
	(void)uv_poll_start(&producer->reports, UV_READABLE, on_reports);
	*ret_producer = producer;
	return ST_OK;
}

void ephemeral_producer_close(struct ephemeral_producer *producer)
{
	uv_close((uv_handle_t *)&producer->reports, NULL);
}

void ephemeral_producer_destroy(struct ephemeral_producer **producer)
{
	if (!*producer)
		return;
	kafka_producer_destroy(&(*producer)->kafka);
	mem_free(producer);
}

void ephemeral_producer_warm_up(struct ephemeral_producer *producer)
{
	if (kafka_producer_load_metadata(producer->kafka,
	                                 producer->settings->topic_events,
	                                 WARM_UP_MS) != ST_OK)
		/* The first records are dropped. */
		log_event(LOG_WARN, "typing.topic_unknown");
}

void ephemeral_producer_send(struct ephemeral_producer *producer,
                             uint32_t partition, struct span key,
                             struct span frame)
{
	if (kafka_produce(producer->kafka,
	                  &(struct kafka_record){
				  .topic = producer->settings->topic_events,
				  .partition = (int32_t)partition,
				  .key = key,
				  .value = frame,
			  },
	                  0) != ST_OK)
		metric_count(&gateway_metrics.typing_dropped, 1);
}
