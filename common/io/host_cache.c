#include "common/io/host_cache.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/scope.h"
#include "common/base/thread.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

enum { ADDRESSES_MAX = 16 };

struct address {
	int family;
	socklen_t len;
	struct sockaddr_storage at;
};

struct host {
	char *name;
	int flags;
	/* Under the lock. */
	bool wanted; /* a look-up is under way, or about to be */
	bool known;  /* `addresses` holds the result of an earlier one */
	int error;   /* of the latest look-up */
	uint64_t done_ms;
	unsigned count;
	struct address addresses[ADDRESSES_MAX];
	pthread_cond_t changed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct host *hosts[HOST_CACHE_HOSTS_MAX];
static unsigned host_count;

/* --- look-ups ------------------------------------------------------------ */

static unsigned copy_found(const struct addrinfo *found,
                           struct address addresses[ADDRESSES_MAX])
{
	unsigned count = 0;

	for (; found && count < ADDRESSES_MAX; found = found->ai_next) {
		struct address *address = &addresses[count];

		if (found->ai_addrlen > sizeof(address->at))
			continue;
		address->family = found->ai_family;
		address->len = found->ai_addrlen;
		memcpy(&address->at, found->ai_addr, found->ai_addrlen);
		count++;
	}
	return count;
}

/* Called and left under the lock. */
static void look_up(struct host *host)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                               .ai_flags = host->flags};
	struct addrinfo *found = NULL;
	int error;

	(void)pthread_mutex_unlock(&lock);
	error = getaddrinfo(host->name, NULL, &hints, &found);
	(void)pthread_mutex_lock(&lock);
	host->error = error;
	host->done_ms = clock_mono_ms();
	host->wanted = false;
	if (error)
		return;
	host->count = copy_found(found, host->addresses);
	host->known = true;
	freeaddrinfo(found);
}

static void *work(void *context)
{
	struct host *host = context;

	(void)pthread_mutex_lock(&lock);
	for (;;) {
		while (!host->wanted)
			(void)pthread_cond_wait(&host->changed, &lock);
		look_up(host);
		(void)pthread_cond_broadcast(&host->changed);
	}
	return NULL;
}

static struct host *host_create(const char *name, int flags)
{
	struct host *host = mem_new(sizeof(*host));
	pthread_condattr_t attributes;
	pthread_t thread;

	host->name = mem_text(name, strlen(name));
	host->flags = flags;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&host->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	thread_start("host-cache", work, host, &thread);
	(void)pthread_detach(thread);
	return host;
}

/* Under the lock. NULL: there are too many. */
static struct host *host_of(const char *name, int flags)
{
	for (unsigned i = 0; i < host_count; i++) {
		if (!strcasecmp(hosts[i]->name, name) &&
		    hosts[i]->flags == flags)
			return hosts[i];
	}
	if (host_count == HOST_CACHE_HOSTS_MAX)
		return NULL;
	hosts[host_count] = host_create(name, flags);
	return hosts[host_count++];
}

/* Under the lock: until the look-up ends, or for the time that a call waits. */
static void refresh(struct host *host)
{
	uint64_t now_ms = clock_mono_ms();
	uint64_t until_ms = now_ms + (host->known ? HOST_CACHE_KNOWN_WAIT_MS
	                                          : HOST_CACHE_WAIT_MS);
	const struct timespec until = {
		.tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000,
	};
	int error = 0;

	if (!host->wanted && host->done_ms && !host->error &&
	    now_ms < host->done_ms + HOST_CACHE_FRESH_MS)
		return;
	if (!host->wanted) {
		host->wanted = true;
		(void)pthread_cond_broadcast(&host->changed);
	}
	while (host->wanted && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&host->changed, &lock, &until);
}

/* --- results ------------------------------------------------------------- */

static void set_port(struct sockaddr_storage *at, uint16_t port)
{
	if (at->ss_family == AF_INET)
		((struct sockaddr_in *)at)->sin_port = htons(port);
	else if (at->ss_family == AF_INET6)
		((struct sockaddr_in6 *)at)->sin6_port = htons(port);
}

/* One allocation holds the entry and its address. */
static struct addrinfo *entry_create(const struct address *address,
                                     uint16_t port)
{
	struct {
		struct addrinfo info;
		struct sockaddr_storage at;
	} *entry = mem_new(sizeof(*entry));

	entry->at = address->at;
	set_port(&entry->at, port);
	entry->info.ai_family = address->family;
	entry->info.ai_socktype = SOCK_STREAM;
	entry->info.ai_protocol = IPPROTO_TCP;
	entry->info.ai_addrlen = address->len;
	entry->info.ai_addr = (struct sockaddr *)&entry->at;
	return &entry->info;
}

static int copy_addresses(const struct address *addresses, unsigned count,
                          int family, uint16_t port,
                          struct addrinfo **ret_found)
{
	struct addrinfo *first = NULL;
	struct addrinfo **last = &first;

	for (unsigned i = 0; i < count; i++) {
		if (family != AF_UNSPEC && addresses[i].family != family)
			continue;
		*last = entry_create(&addresses[i], port);
		last = &(*last)->ai_next;
	}
	if (!first)
		return EAI_NONAME;
	*ret_found = first;
	return 0;
}

/* Without a thread. EAI_NONAME: it is a name. */
static int read_numeric(const char *text, int family, uint16_t port,
                        struct addrinfo **ret_found)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                               .ai_flags = AI_NUMERICHOST};
	struct address addresses[ADDRESSES_MAX];
	struct addrinfo *found = NULL;
	unsigned count;

	if (getaddrinfo(text, NULL, &hints, &found))
		return EAI_NONAME;
	count = copy_found(found, addresses);
	freeaddrinfo(found);
	return copy_addresses(addresses, count, family, port, ret_found);
}

/* Under the lock. */
static int read_host(struct host *host, int family, uint16_t port,
                     struct addrinfo **ret_found)
{
	refresh(host);
	if (host->known)
		return copy_addresses(host->addresses, host->count, family,
		                      port, ret_found);
	return host->wanted ? EAI_AGAIN : host->error;
}

int host_cache_get(const char *name, const char *service,
                   const struct addrinfo *hints, struct addrinfo **ret_found)
{
	uint16_t port = (uint16_t)strtoul(service ? service : "0", NULL, 10);
	int family = hints ? hints->ai_family : AF_UNSPEC;
	int error = EAI_AGAIN;
	struct host *host;

	if (!read_numeric(name, family, port, ret_found))
		return 0;
	(void)pthread_mutex_lock(&lock);
	host = host_of(name, hints ? hints->ai_flags : 0);
	if (host)
		error = read_host(host, family, port, ret_found);
	(void)pthread_mutex_unlock(&lock);
	return error;
}

void host_cache_free(struct addrinfo *found)
{
	while (found) {
		struct addrinfo *next = found->ai_next;

		mem_free(&found);
		found = next;
	}
}
