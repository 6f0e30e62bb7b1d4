/*
 * host_cache - getaddrinfo() for threads that may block for a second, but not
 * for as long as name servers do not answer.
 *
 * A look-up goes on when its caller has given up, and its result stays: the
 * next call has it, whoever makes it. Addresses that were found once serve
 * until there are others, so a call that has some hardly waits.
 *
 * Threads    any. A thread for each host name makes the look-ups.
 * Bounds     HOST_CACHE_HOSTS_MAX names; further ones are EAI_AGAIN. A call
 * waits for at most HOST_CACHE_WAIT_MS.
 */
#ifndef PARLEY_IO_HOST_CACHE_H
#define PARLEY_IO_HOST_CACHE_H

struct addrinfo;

enum {
	HOST_CACHE_HOSTS_MAX = 1024,
	HOST_CACHE_WAIT_MS = 1000,
	HOST_CACHE_KNOWN_WAIT_MS = 100, /* when there are addresses */
	HOST_CACHE_FRESH_MS = 1000,     /* no new look-up within that time */
};

/*
 * As getaddrinfo() with SOCK_STREAM; the address family and flags of the hints
 * hold. `service` is a port number or NULL. EAI_AGAIN: there is no answer yet.
 */
int host_cache_get(const char *host, const char *service,
                   const struct addrinfo *hints, struct addrinfo **ret_found);
/* Frees the result of host_cache_get(); accepts NULL. */
void host_cache_free(struct addrinfo *found);

#endif
