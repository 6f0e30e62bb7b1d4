#include "common/service/log_output.h"
#include "common/base/buf.h"
#include "common/base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct buf waiting = {.max = LOG_OUTPUT_MAX};
static size_t written; /* so many bytes of `waiting`, at its front */
static uint64_t dropped;

static bool writable(unsigned wait_ms)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, (int)wait_ms) > 0;
}

/*
 * A pipe that is writable has room for PIPE_BUF bytes, so that the write does
 * not block. A reader that is gone is no reason to keep anything.
 */
static bool write_some(unsigned wait_ms)
{
	size_t len = waiting.len - written;
	ssize_t wrote;

	if (!len || !writable(wait_ms))
		return false;
	wrote = write(STDOUT_FILENO, waiting.data + written,
	              len < PIPE_BUF ? len : PIPE_BUF);
	if (wrote < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	written += wrote <= 0 ? len : (size_t)wrote;
	return true;
}

static void write_all(unsigned wait_ms)
{
	uint64_t until_ms = wait_ms ? clock_mono_ms() + wait_ms : 0;
	uint64_t now_ms;

	while (write_some(0))
		;
	while (until_ms && written < waiting.len &&
	       (now_ms = clock_mono_ms()) < until_ms)
		(void)write_some((unsigned)(until_ms - now_ms));
	if (written < waiting.len && written < LOG_OUTPUT_MAX / 2)
		return; /* no need to move the rest */
	buf_consume(&waiting, written);
	written = 0;
}

void log_output_line(struct span line)
{
	(void)pthread_mutex_lock(&lock);
	write_all(0);
	if (line.len <= LOG_OUTPUT_MAX - waiting.len)
		buf_append(&waiting, line);
	else
		dropped++;
	write_all(0);
	(void)pthread_mutex_unlock(&lock);
}

void log_output_flush(unsigned wait_ms)
{
	(void)pthread_mutex_lock(&lock);
	write_all(wait_ms);
	(void)pthread_mutex_unlock(&lock);
}

uint64_t log_output_take_dropped(void)
{
	uint64_t count = 0;

	(void)pthread_mutex_lock(&lock);
	if (waiting.len < LOG_OUTPUT_MAX / 2) {
		count = dropped;
		dropped = 0;
	}
	(void)pthread_mutex_unlock(&lock);
	return count;
}
