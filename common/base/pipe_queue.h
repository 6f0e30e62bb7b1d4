/*
 * pipe_queue - a bounded queue of records of one size between threads.
 *
 * It is a pipe: a thread that waits for other descriptors as well polls
 * pipe_queue_fd() beside them. The kernel writes and reads whole records,
 * because they are not longer than PIPE_BUF.
 *
 * Bounds     at least as many records as asked for, and at most twice as many
 *            or 64 KiB. If the kernel grants no more, 64 KiB.
 * Threads    any may put, any may take. pipe_queue_close() once, when no thread
 *            puts any more; pipe_queue_destroy() when no thread takes any more.
 */
#ifndef PARLEY_BASE_PIPE_QUEUE_H
#define PARLEY_BASE_PIPE_QUEUE_H

#include "common/base/scope.h"

#include <stdbool.h>
#include <stddef.h>

struct pipe_queue;

/*
 * `waits`: pipe_queue_take() waits for a record. NULL: the process has no
 * descriptors left.
 */
MUST_CHECK struct pipe_queue *pipe_queue_create(size_t record_size,
                                                unsigned records, bool waits);
void pipe_queue_destroy(struct pipe_queue **queue);

/* Copies the record. Never waits; false: the queue is full. */
MUST_CHECK bool pipe_queue_put(struct pipe_queue *queue, const void *record);
/*
 * Takes the oldest records, at most `max`. Returns how many; 0: there is none,
 * or, if the queue waits, it is closed and empty.
 */
unsigned pipe_queue_take(struct pipe_queue *queue, void *ret_records,
                         unsigned max);
/* Nothing is put any more: the threads that wait go on. */
void pipe_queue_close(struct pipe_queue *queue);
/* Readable when there is a record; POLLHUP when the queue is closed. */
int pipe_queue_fd(const struct pipe_queue *queue);

#endif
