#include "identity-service/sms/sms_sender.h"
#include "common/base/mem.h"
#include "common/base/pipe_queue.h"
#include "common/base/thread.h"
#include "common/service/log.h"
#include "identity-service/identity_metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { THREADS = 4, QUEUE_BYTES = 64 * 1024 };

struct message {
	struct phone phone;
	struct code code;
};

struct sms_sender {
	const struct sms_provider *provider;
	pthread_t threads[THREADS];
	struct pipe_queue *queue;
	atomic_bool stopping;
};

static void *send_all(void *context)
{
	struct sms_sender *sender = context;
	struct sms_client *client = sms_client_create(sender->provider);
	struct message message;
	uint64_t dropped = 0;

	while (pipe_queue_take(sender->queue, &message, 1)) {
		if (atomic_load(&sender->stopping))
			dropped++;
		else if (sms_send(client, &message.phone, &message.code) ==
		         ST_OK)
			log_event(LOG_INFO, "sms.sent",
			          F_TEXT("provider", sender->provider->name),
			          F_SPAN("country",
			                 phone_country(&message.phone)));
		mem_wipe(&message, sizeof(message));
	}
	if (dropped)
		log_event(LOG_WARN, "sms.dropped", F_NUMBER("count", dropped));
	sms_client_destroy(&client);
	return NULL;
}

struct sms_sender *sms_sender_start(const struct sms_provider *provider)
{
	struct sms_sender *sender = mem_new(sizeof(*sender));

	sender->provider = provider;
	sender->queue =
		pipe_queue_create(sizeof(struct message),
	                          QUEUE_BYTES / sizeof(struct message), true);
	if (!sender->queue)
		abort();
	for (unsigned i = 0; i < THREADS; i++)
		thread_start("sms", send_all, sender, &sender->threads[i]);
	return sender;
}

void sms_sender_stop(struct sms_sender **sender)
{
	struct sms_sender *s = MOVE(*sender);

	if (!s)
		return;
	atomic_store(&s->stopping, true);
	pipe_queue_close(s->queue);
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(s->threads[i], NULL);
	pipe_queue_destroy(&s->queue);
	mem_free(&s);
}

enum status sms_sender_hand_over(struct sms_sender *sender,
                                 const struct phone *phone,
                                 const struct code *code)
{
	struct message message = {.phone = *phone, .code = *code};
	bool queued = pipe_queue_put(sender->queue, &message);

	mem_wipe(&message, sizeof(message));
	return queued ? ST_OK : ST_BUSY;
}
