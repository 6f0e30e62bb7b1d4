#define _GNU_SOURCE /* F_SETPIPE_SZ */
#include "identity-service/sms/sms_sender.h"
#include "common/base/mem.h"
#include "common/base/thread.h"
#include "common/service/log.h"
#include "identity-service/identity_metrics.h"

#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, QUEUE_BYTES = 64 * 1024 };

/* Of one size: the kernel reads and writes such records as a whole. */
struct message {
	struct phone phone;
	struct code code;
};
_Static_assert(sizeof(struct message) <= PIPE_BUF, "writes are atomic");

struct sms_sender {
	const struct sms_provider *provider;
	pthread_t threads[THREADS];
	int in, out;
	atomic_bool stopping;
};

static void *send_all(void *context)
{
	struct sms_sender *sender = context;
	struct sms_client *client = sms_client_create(sender->provider);
	struct message message;
	uint64_t dropped = 0;

	/* The write end is closed at the end. */
	while (read(sender->out, &message, sizeof(message)) ==
	       (ssize_t)sizeof(message)) {
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

/* Only one end blocks: the readers wait, the writers do not. */
static void open_queue(struct sms_sender *sender)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0 ||
	    fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0)
		abort();
	/* Without it the queue is shorter. */
	(void)fcntl(ends[1], F_SETPIPE_SZ, QUEUE_BYTES);
	sender->out = ends[0];
	sender->in = ends[1];
}

struct sms_sender *sms_sender_start(const struct sms_provider *provider)
{
	struct sms_sender *sender = mem_new(sizeof(*sender));

	sender->provider = provider;
	open_queue(sender);
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
	(void)close(s->in);
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(s->threads[i], NULL);
	(void)close(s->out);
	mem_free(&s);
}

enum status sms_sender_hand_over(struct sms_sender *sender,
                                 const struct phone *phone,
                                 const struct code *code)
{
	struct message message = {.phone = *phone, .code = *code};
	ssize_t written = write(sender->in, &message, sizeof(message));

	mem_wipe(&message, sizeof(message));
	return written == (ssize_t)sizeof(message) ? ST_OK : ST_BUSY;
}
