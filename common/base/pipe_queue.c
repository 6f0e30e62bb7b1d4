#define _GNU_SOURCE /* pipe2, F_SETPIPE_SZ */
#include "common/base/pipe_queue.h"
#include "common/base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

struct pipe_queue {
	size_t record_size;
	int in, out; /* the ends of the pipe; in < 0: closed */
};

struct pipe_queue *pipe_queue_create(size_t record_size, unsigned records,
                                     bool waits)
{
	struct pipe_queue *queue;
	int ends[2];

	assert(record_size > 0 && record_size <= PIPE_BUF);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return NULL;
	if (waits)
		(void)fcntl(ends[0], F_SETFL, 0);
	(void)fcntl(ends[1], F_SETPIPE_SZ, (int)(record_size * records));
	queue = mem_new(sizeof(*queue));
	queue->record_size = record_size;
	queue->out = ends[0];
	queue->in = ends[1];
	return queue;
}

void pipe_queue_destroy(struct pipe_queue **queue_at)
{
	struct pipe_queue *queue = MOVE(*queue_at);

	if (!queue)
		return;
	pipe_queue_close(queue);
	(void)close(queue->out);
	mem_free(&queue);
}

bool pipe_queue_put(struct pipe_queue *queue, const void *record)
{
	return write(queue->in, record, queue->record_size) ==
	       (ssize_t)queue->record_size;
}

unsigned pipe_queue_take(struct pipe_queue *queue, void *ret_records,
                         unsigned max)
{
	ssize_t got;

	if (!max)
		return 0;
	do
		got = read(queue->out, ret_records, max * queue->record_size);
	while (got < 0 && errno == EINTR);
	return got > 0 ? (unsigned)((size_t)got / queue->record_size) : 0;
}

void pipe_queue_close(struct pipe_queue *queue)
{
	if (queue->in >= 0)
		(void)close(queue->in);
	queue->in = -1;
}

int pipe_queue_fd(const struct pipe_queue *queue)
{
	return queue->out;
}
