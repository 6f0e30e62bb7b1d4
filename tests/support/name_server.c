#include "tests/support/name_server.h"

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static bool answers;
static const char *addresses[2];

int __real_getaddrinfo(const char *node, const char *service,
                       const struct addrinfo *hints, struct addrinfo **found);
int __wrap_getaddrinfo(const char *node, const char *service,
                       const struct addrinfo *hints, struct addrinfo **found);

void name_server_hangs(void)
{
	(void)pthread_mutex_lock(&lock);
	answers = false;
	(void)pthread_mutex_unlock(&lock);
}

void name_server_says(const char *first, const char *second)
{
	(void)pthread_mutex_lock(&lock);
	answers = true;
	addresses[0] = first;
	addresses[1] = second;
	(void)pthread_cond_broadcast(&answered);
	(void)pthread_mutex_unlock(&lock);
}

static void wait_for_answer(const char *ret_addresses[2])
{
	(void)pthread_mutex_lock(&lock);
	while (!answers)
		(void)pthread_cond_wait(&answered, &lock);
	memcpy(ret_addresses, addresses, sizeof(addresses));
	(void)pthread_mutex_unlock(&lock);
}

int __wrap_getaddrinfo(const char *node, const char *service,
                       const struct addrinfo *hints, struct addrinfo **found)
{
	const char *said[2];
	int error;

	if (!node || !strstr(node, ".test"))
		return __real_getaddrinfo(node, service, hints, found);
	if (hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	wait_for_answer(said);
	if (!said[0])
		return EAI_AGAIN;
	error = __real_getaddrinfo(said[0], service, hints, found);
	if (!error && said[1])
		error = __real_getaddrinfo(said[1], service, hints,
		                           &(*found)->ai_next);
	return error;
}
