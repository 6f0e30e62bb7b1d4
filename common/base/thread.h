/*
 * thread - starts a thread of a service.
 *
 * Signals are for the main thread: the new thread blocks all of them.
 */
#ifndef PARLEY_BASE_THREAD_H
#define PARLEY_BASE_THREAD_H

#include <pthread.h>

enum { THREAD_NAME_MAX = 15 }; /* the longest name that the kernel accepts */

/* Without a thread the service cannot work: a failure ends the process. */
void thread_start(const char *name, void *(*work)(void *context), void *context,
                  pthread_t *ret_thread);

#endif
