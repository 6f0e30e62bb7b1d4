#include "client-test/chat/input.h"
#include "common/base/mem.h"
#include "common/base/scope.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

enum { PIECE_MAX = 4096 };

/* Shared with the thread, which may sit in read() for ever: freed by the last.
 */
struct input {
	uv_async_t async; /* first: closing it is the loop's last use of us */
	pthread_mutex_t lock;
	pthread_cond_t asked;
	bool wanted;
	bool gone;
	unsigned users;
	input_piece *piece;
	void *context;
	char bytes[PIECE_MAX];
	size_t len;
};

static void release(struct input *input)
{
	bool last;

	pthread_mutex_lock(&input->lock);
	last = --input->users == 0;
	pthread_mutex_unlock(&input->lock);
	if (last)
		mem_free(&input);
}

/* False when nobody listens any more. */
static bool wait_until_asked(struct input *input)
{
	bool go_on;

	pthread_mutex_lock(&input->lock);
	while (!input->wanted && !input->gone)
		pthread_cond_wait(&input->asked, &input->lock);
	input->wanted = false;
	go_on = !input->gone;
	pthread_mutex_unlock(&input->lock);
	return go_on;
}

static void *read_all(void *context)
{
	struct input *input = context;
	ssize_t got = 1;

	while (got > 0 && wait_until_asked(input)) {
		char bytes[PIECE_MAX];

		got = read(STDIN_FILENO, bytes, sizeof(bytes));
		pthread_mutex_lock(&input->lock);
		input->len = got > 0 ? (size_t)got : 0;
		memcpy(input->bytes, bytes, input->len);
		if (!input->gone)
			(void)uv_async_send(&input->async);
		pthread_mutex_unlock(&input->lock);
	}
	release(input);
	return NULL;
}

static void arrived(uv_async_t *async)
{
	struct input *input = (struct input *)async;

	/* The thread waits to be asked: the bytes are ours until then. */
	input->piece(input->context, span_make(input->bytes, input->len));
}

struct input *input_create(uv_loop_t *loop, input_piece *piece, void *context)
{
	struct input *input = mem_new(sizeof(*input));
	pthread_t thread;

	input->piece = piece;
	input->context = context;
	input->wanted = true;
	input->users = 2;
	if (pthread_mutex_init(&input->lock, NULL) ||
	    pthread_cond_init(&input->asked, NULL) ||
	    uv_async_init(loop, &input->async, arrived) ||
	    pthread_create(&thread, NULL, read_all, input) ||
	    pthread_detach(thread))
		abort();
	return input;
}

static void closed(uv_handle_t *handle)
{
	release((struct input *)handle);
}

void input_destroy(struct input **input_at)
{
	struct input *input = MOVE(*input_at);

	if (!input)
		return;
	pthread_mutex_lock(&input->lock);
	input->gone = true;
	pthread_cond_signal(&input->asked);
	uv_close((uv_handle_t *)&input->async, closed);
	pthread_mutex_unlock(&input->lock);
}

void input_next(struct input *input)
{
	pthread_mutex_lock(&input->lock);
	input->wanted = true;
	pthread_cond_signal(&input->asked);
	pthread_mutex_unlock(&input->lock);
}
