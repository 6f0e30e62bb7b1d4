#include "client-test/cli/stdin_reader.h"
#include "common/base/mem.h"
#include "common/base/scope.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

enum { PIECE_MAX = 4096 };

/*
 * Shared with the thread, which may block in read() forever. The last user
 * frees it.
 */
struct stdin_reader {
	uv_async_t async; /* first: the close callback releases the struct */
	pthread_mutex_t lock;
	pthread_cond_t asked;
	bool wanted;
	bool gone;
	unsigned users;
	stdin_reader_piece *piece;
	void *context;
	char bytes[PIECE_MAX];
	size_t len;
	int error;
};

static void release(struct stdin_reader *reader)
{
	bool last;

	pthread_mutex_lock(&reader->lock);
	last = --reader->users == 0;
	pthread_mutex_unlock(&reader->lock);
	if (last)
		mem_free(&reader);
}

/* False after stdin_reader_destroy(). */
static bool wait_until_asked(struct stdin_reader *reader)
{
	bool go_on;

	pthread_mutex_lock(&reader->lock);
	while (!reader->wanted && !reader->gone)
		pthread_cond_wait(&reader->asked, &reader->lock);
	reader->wanted = false;
	go_on = !reader->gone;
	pthread_mutex_unlock(&reader->lock);
	return go_on;
}

/* Another program that shares the terminal or pipe may have made it
 * nonblocking.
 */
static ssize_t read_piece(char *bytes, size_t size)
{
	struct pollfd readable = {.fd = STDIN_FILENO, .events = POLLIN};
	ssize_t got;

	while ((got = read(STDIN_FILENO, bytes, size)) < 0 &&
	       (errno == EINTR || errno == EAGAIN)) {
		if (errno == EAGAIN)
			(void)poll(&readable, 1, -1);
	}
	return got;
}

static void *read_all(void *context)
{
	struct stdin_reader *reader = context;
	ssize_t got = 1;

	while (got > 0 && wait_until_asked(reader)) {
		char bytes[PIECE_MAX];

		got = read_piece(bytes, sizeof(bytes));
		pthread_mutex_lock(&reader->lock);
		reader->error = got < 0 ? errno : 0;
		reader->len = got > 0 ? (size_t)got : 0;
		memcpy(reader->bytes, bytes, reader->len);
		if (!reader->gone)
			(void)uv_async_send(&reader->async);
		pthread_mutex_unlock(&reader->lock);
	}
	release(reader);
	return NULL;
}

static void arrived(uv_async_t *async)
{
	struct stdin_reader *reader = (struct stdin_reader *)async;

	/* The thread does not touch the bytes until the next request. */
	reader->piece(reader->context, span_make(reader->bytes, reader->len),
	              reader->error);
}

struct stdin_reader *
stdin_reader_create(uv_loop_t *loop, stdin_reader_piece *piece, void *context)
{
	struct stdin_reader *reader = mem_new(sizeof(*reader));
	pthread_t thread;

	reader->piece = piece;
	reader->context = context;
	reader->wanted = true;
	reader->users = 2;
	if (pthread_mutex_init(&reader->lock, NULL) ||
	    pthread_cond_init(&reader->asked, NULL) ||
	    uv_async_init(loop, &reader->async, arrived) ||
	    pthread_create(&thread, NULL, read_all, reader) ||
	    pthread_detach(thread))
		abort();
	return reader;
}

static void closed(uv_handle_t *handle)
{
	release((struct stdin_reader *)handle);
}

void stdin_reader_destroy(struct stdin_reader **input_at)
{
	struct stdin_reader *reader = MOVE(*input_at);

	if (!reader)
		return;
	pthread_mutex_lock(&reader->lock);
	reader->gone = true;
	pthread_cond_signal(&reader->asked);
	uv_close((uv_handle_t *)&reader->async, closed);
	pthread_mutex_unlock(&reader->lock);
}

void stdin_reader_next(struct stdin_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->wanted = true;
	pthread_cond_signal(&reader->asked);
	pthread_mutex_unlock(&reader->lock);
}
