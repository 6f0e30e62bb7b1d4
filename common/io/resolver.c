#include "common/io/resolver.h"
#include "common/base/mem.h"
#include "common/base/scope.h"
#include "common/base/thread.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { WHY_MAX = 400 };

/*
 * What the loop and the thread share. The last of the two frees it. The fields
 * of a look-up belong to the thread between a signal on `ask_fd` and one on
 * `done_fd`, and to the loop otherwise.
 */
struct lookup {
	atomic_uint owners;
	atomic_bool closing;
	int ask_fd, done_fd;
	char *host;
	int error;  /* of getaddrinfo(); 0: none */
	int number; /* errno, when the error is EAI_SYSTEM */
	struct resolver_addresses addresses;
};

struct resolver {
	struct lookup *lookup;
	uv_poll_t poll;
	resolver_done *done;
	void *context;
	bool asking;
	bool numeric; /* there is no thread */
};

static void release(struct lookup *lookup)
{
	if (atomic_fetch_sub(&lookup->owners, 1) > 1)
		return;
	(void)close(lookup->ask_fd);
	(void)close(lookup->done_fd);
	mem_free(&lookup->host);
	mem_free(&lookup);
}

static int event_create(int flags)
{
	int fd = eventfd(0, EFD_CLOEXEC | flags);

	if (fd < 0)
		abort();
	return fd;
}

/* An eventfd takes 2^64 - 2 signals before a write blocks. */
static void event_signal(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void event_take(int fd)
{
	uint64_t count;

	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

/* --- the look-up --------------------------------------------------------- */

static void add_address(struct resolver_addresses *addresses,
                        const struct addrinfo *info)
{
	if (addresses->count < RESOLVER_ADDRESSES_MAX &&
	    !getnameinfo(info->ai_addr, info->ai_addrlen,
	                 addresses->text[addresses->count], RESOLVER_TEXT_MAX,
	                 NULL, 0, NI_NUMERICHOST))
		addresses->count++;
}

static void look_up(struct lookup *lookup, int flags)
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
	                                .ai_flags = flags};
	struct addrinfo *found = NULL;

	lookup->addresses.count = 0;
	lookup->error = getaddrinfo(lookup->host, NULL, &wanted, &found);
	lookup->number = errno;
	if (lookup->error)
		return;
	for (const struct addrinfo *info = found; info; info = info->ai_next)
		add_address(&lookup->addresses, info);
	freeaddrinfo(found);
}

static void *work(void *context)
{
	struct lookup *lookup = context;

	event_take(lookup->ask_fd);
	while (!atomic_load(&lookup->closing)) {
		look_up(lookup, 0);
		event_signal(lookup->done_fd);
		event_take(lookup->ask_fd);
	}
	release(lookup);
	return NULL;
}

/* --- the loop ------------------------------------------------------------ */

static void report(struct resolver *resolver)
{
	const struct lookup *lookup = resolver->lookup;
	char why[WHY_MAX];

	if (!lookup->error && lookup->addresses.count) {
		resolver->done(resolver->context, &lookup->addresses, NULL);
		return;
	}
	(void)snprintf(why, sizeof(why), "%.255s cannot be resolved: %s",
	               lookup->host,
	               lookup->error == EAI_SYSTEM ? strerror(lookup->number)
	               : lookup->error             ? gai_strerror(lookup->error)
	                                           : "no address");
	resolver->done(resolver->context, NULL, why);
}

/* `done` may destroy the resolver: nothing of it is read after the call. */
static void on_done(uv_poll_t *poll, int status, int events)
{
	struct resolver *resolver = poll->data;

	(void)status;
	(void)events;
	event_take(resolver->lookup->done_fd);
	resolver->asking = false;
	report(resolver);
}

static bool is_numeric(struct lookup *lookup)
{
	look_up(lookup, AI_NUMERICHOST);
	return !lookup->error;
}

static void start_thread(struct resolver *resolver, struct uv_loop_s *loop)
{
	struct lookup *lookup = resolver->lookup;
	pthread_t thread;

	atomic_store(&lookup->owners, 2);
	if (uv_poll_init(loop, &resolver->poll, lookup->done_fd))
		abort();
	resolver->poll.data = resolver;
	(void)uv_poll_start(&resolver->poll, UV_READABLE, on_done);
	thread_start("resolver", work, lookup, &thread);
	(void)pthread_detach(thread);
}

struct resolver *resolver_create(struct uv_loop_s *loop, const char *host,
                                 resolver_done *done, void *context)
{
	struct resolver *resolver = mem_new(sizeof(*resolver));
	struct lookup *lookup = mem_new(sizeof(*lookup));

	lookup->host = mem_text(host, strlen(host));
	lookup->ask_fd = event_create(0);
	lookup->done_fd = event_create(EFD_NONBLOCK);
	atomic_init(&lookup->owners, 1);
	resolver->lookup = lookup;
	resolver->done = done;
	resolver->context = context;
	resolver->numeric = is_numeric(lookup);
	if (!resolver->numeric)
		start_thread(resolver, loop);
	return resolver;
}

static void on_closed(uv_handle_t *handle)
{
	struct resolver *resolver = handle->data;

	release(resolver->lookup);
	mem_free(&resolver);
}

void resolver_destroy(struct resolver **resolver)
{
	struct resolver *r = MOVE(*resolver);

	if (!r)
		return;
	if (r->numeric) {
		release(r->lookup);
		mem_free(&r);
		return;
	}
	atomic_store(&r->lookup->closing, true);
	event_signal(r->lookup->ask_fd);
	uv_close((uv_handle_t *)&r->poll, on_closed);
}

void resolver_ask(struct resolver *resolver)
{
	if (resolver->asking)
		return;
	if (resolver->numeric) {
		report(resolver);
		return;
	}
	resolver->asking = true;
	event_signal(resolver->lookup->ask_fd);
}
