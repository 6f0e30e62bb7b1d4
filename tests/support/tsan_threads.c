/*
 * C11 threads on top of POSIX threads, linked into programs of VARIANT=tsan.
 *
 * ThreadSanitizer intercepts pthread_create() and its locks, but not
 * thrd_create() and mtx_lock(), which librdkafka uses: a thread that it did not
 * see start has no state, and its first allocation crashes. These functions
 * make the threads and locks visible. The types of glibc have the same layout.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "mtx_t");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "cnd_t");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "thrd_t");

struct start {
	thrd_start_t run;
	void *argument;
};

static int result_of(int error)
{
	switch (error) {
	case 0:
		return thrd_success;
	case ETIMEDOUT:
		return thrd_timedout;
	case EBUSY:
		return thrd_busy;
	case ENOMEM:
		return thrd_nomem;
	default:
		return thrd_error;
	}
}

static pthread_mutex_t *mutex(mtx_t *mtx)
{
	return (pthread_mutex_t *)(void *)mtx;
}

static pthread_cond_t *condition(cnd_t *cnd)
{
	return (pthread_cond_t *)(void *)cnd;
}

static void *run(void *argument)
{
	struct start start = *(struct start *)argument;

	free(argument);
	return (void *)(intptr_t)start.run(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
	struct start *start = malloc(sizeof(*start));
	int error;

	if (!start)
		return thrd_nomem;
	*start = (struct start){function, argument};
	error = pthread_create(thread, NULL, run, start);
	if (error)
		free(start);
	return result_of(error);
}

int thrd_join(thrd_t thread, int *result)
{
	void *value = NULL;
	int error = pthread_join(thread, &value);

	if (result)
		*result = (int)(intptr_t)value;
	return result_of(error);
}

int mtx_init(mtx_t *mtx, int type)
{
	pthread_mutexattr_t attributes;
	int error;

	(void)pthread_mutexattr_init(&attributes);
	(void)pthread_mutexattr_settype(
		&attributes, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE
						  : PTHREAD_MUTEX_NORMAL);
	error = pthread_mutex_init(mutex(mtx), &attributes);
	(void)pthread_mutexattr_destroy(&attributes);
	return result_of(error);
}

int mtx_lock(mtx_t *mtx)
{
	return result_of(pthread_mutex_lock(mutex(mtx)));
}

int mtx_trylock(mtx_t *mtx)
{
	return result_of(pthread_mutex_trylock(mutex(mtx)));
}

int mtx_unlock(mtx_t *mtx)
{
	return result_of(pthread_mutex_unlock(mutex(mtx)));
}

void mtx_destroy(mtx_t *mtx)
{
	(void)pthread_mutex_destroy(mutex(mtx));
}

int cnd_init(cnd_t *cnd)
{
	return result_of(pthread_cond_init(condition(cnd), NULL));
}

int cnd_signal(cnd_t *cnd)
{
	return result_of(pthread_cond_signal(condition(cnd)));
}

int cnd_broadcast(cnd_t *cnd)
{
	return result_of(pthread_cond_broadcast(condition(cnd)));
}

int cnd_wait(cnd_t *cnd, mtx_t *mtx)
{
	return result_of(pthread_cond_wait(condition(cnd), mutex(mtx)));
}

int cnd_timedwait(cnd_t *restrict cnd, mtx_t *restrict mtx,
                  const struct timespec *restrict until)
{
	return result_of(
		pthread_cond_timedwait(condition(cnd), mutex(mtx), until));
}

void cnd_destroy(cnd_t *cnd)
{
	(void)pthread_cond_destroy(condition(cnd));
}
