/*
 * clock - preloaded into one program, makes its wall clock jump.
 *
 * PARLEY_TEST_CLOCK names a file of one int64_t, the nanoseconds to add to the
 * wall clock; a write there sets the clock. The monotonic clock does not
 * change, as when the kernel's wall clock is set.
 *
 * A wait until a time of the wall clock ends when that clock reaches the time,
 * as with the kernel's clock: a jump forward ends the wait early, a jump back
 * makes it long. (libfaketime does not know cnd_timedwait(), with which
 * librdkafka waits: its deadlines would be wrong by an hour.) For that a waiter
 * looks again every LOOK_NS, which its caller may see as a spurious wake-up.
 */
#define _GNU_SOURCE /* pthread_cond_clockwait() */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000, LOOK_NS = NS_PER_S / 10 };

/* A second that no monotonic clock has reached: 2001. */
enum { WALL_CLOCK_FROM_S = 1000000000 };

static const volatile int64_t *added_ns;

__attribute__((constructor)) static void open_clock(void)
{
	const char *path = getenv("PARLEY_TEST_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page;

	if (fd < 0)
		return;
	page = mmap(NULL, sizeof(*added_ns), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (page != MAP_FAILED)
		added_ns = page;
}

static void add(struct timespec *time, int64_t ns)
{
	int64_t sum = time->tv_nsec + ns % NS_PER_S;

	time->tv_sec += ns / NS_PER_S + (sum < 0 ? -1 : sum / NS_PER_S);
	time->tv_nsec = sum < 0 ? sum + NS_PER_S : sum % NS_PER_S;
}

static int64_t between_ns(const struct timespec *from,
                          const struct timespec *until)
{
	return (until->tv_sec - from->tv_sec) * NS_PER_S + until->tv_nsec -
	       from->tv_nsec;
}

/* --- what time is it ----------------------------------------------------- */
int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	int failed = (int)syscall(SYS_clock_gettime, clock, ret_time);

	if (!failed && added_ns &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		add(ret_time, *added_ns);
	return failed;
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	ret_time->tv_sec = now.tv_sec;
	ret_time->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *ret_time)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_time)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}

int timespec_get(struct timespec *ret_time, int base)
{
	if (base != TIME_UTC)
		return 0;
	clock_gettime(CLOCK_REALTIME, ret_time);
	return base;
}

/* --- waiting for a time -------------------------------------------------- */
static int64_t left_ns(const struct timespec *deadline)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return between_ns(&now, deadline);
}

static int wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex,
                      const struct timespec *deadline)
{
	struct timespec look;
	int64_t wait_ns;
	int error;

	if (deadline->tv_sec < WALL_CLOCK_FROM_S)
		return pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC,
		                              deadline);
	wait_ns = left_ns(deadline);
	if (wait_ns <= 0)
		return ETIMEDOUT;
	clock_gettime(CLOCK_MONOTONIC, &look);
	add(&look, wait_ns < LOOK_NS ? wait_ns : LOOK_NS);
	error = pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC,
	                               &look);
	if (error != ETIMEDOUT)
		return error;
	return left_ns(deadline) > 0 ? 0 : ETIMEDOUT;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition,
                           pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict deadline)
{
	return wait_until(condition, mutex, deadline);
}

/* glibc's C11 threads are POSIX threads by another name. */
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict deadline)
{
	int error = wait_until((pthread_cond_t *)condition,
	                       (pthread_mutex_t *)mutex, deadline);

	if (error == ETIMEDOUT)
		return thrd_timedout;
	return error ? thrd_error : thrd_success;
}
