#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "common/io/http/listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_at(const struct addrinfo *address, int backlog)
{
	int yes = 1;
	int error;
	int fd = socket(address->ai_family,
	                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (!bind(fd, address->ai_addr, address->ai_addrlen) &&
	    !listen(fd, backlog))
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

int listener_open(const char *address, uint16_t port, int backlog)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                               .ai_flags = AI_PASSIVE | AI_NUMERICHOST |
	                                           AI_NUMERICSERV};
	struct addrinfo *found;
	char service[8];
	int fd;

	(void)snprintf(service, sizeof(service), "%u", (unsigned)port);
	if (getaddrinfo(address, service, &hints, &found)) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	fd = listen_at(found, backlog);
	freeaddrinfo(found);
	return fd;
}
