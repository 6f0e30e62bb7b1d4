#define _GNU_SOURCE /* pthread_setname_np */
#include "common/base/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

void thread_start(const char *name, void *(*work)(void *context), void *context,
                  pthread_t *ret_thread)
{
	sigset_t all, before;

	assert(strlen(name) <= THREAD_NAME_MAX);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(ret_thread, NULL, work, context))
		abort();
	(void)pthread_setname_np(*ret_thread, name);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}
