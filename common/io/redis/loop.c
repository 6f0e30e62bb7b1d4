#include "common/io/redis/loop.h"
#include "common/base/mem.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <uv.h>

struct redis_loop {
	redisAsyncContext *connection; /* NULL: it has ended */
	uv_poll_t poll;
	uv_prepare_t before_wait;
	int wanted;
	bool flushing;
	void (*too_long)(void *context);
	unsigned open_handles;
};

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct redis_loop *l = poll->data;

	/* A refused connection is an error here; reading finds the reason. */
	if (status || events & UV_READABLE)
		redisAsyncHandleRead(l->connection);
	if (l->connection &&
	    l->connection->c.reader->len > REDIS_LOOP_REPLY_MAX)
		l->too_long(l->connection->data);
	if (l->connection && events & UV_WRITABLE)
		redisAsyncHandleWrite(l->connection);
}

static void want(struct redis_loop *l, int wanted)
{
	if (wanted == l->wanted)
		return;
	l->wanted = wanted;
	if (wanted)
		(void)uv_poll_start(&l->poll, wanted, on_ready);
	else
		(void)uv_poll_stop(&l->poll);
}

static void on_before_wait(uv_prepare_t *prepare)
{
	struct redis_loop *l = prepare->data;

	(void)uv_prepare_stop(prepare);
	l->flushing = true;
	redisAsyncHandleWrite(l->connection);
	l->flushing = false;
}

static void add_read(void *data)
{
	struct redis_loop *l = data;

	want(l, l->wanted | UV_READABLE);
}

static void delete_read(void *data)
{
	struct redis_loop *l = data;

	want(l, l->wanted & ~UV_READABLE);
}

static void add_write(void *data)
{
	struct redis_loop *l = data;

	if (l->flushing || !(l->connection->c.flags & REDIS_CONNECTED))
		want(l, l->wanted | UV_WRITABLE);
	else if (!(l->wanted & UV_WRITABLE))
		(void)uv_prepare_start(&l->before_wait, on_before_wait);
}

static void delete_write(void *data)
{
	struct redis_loop *l = data;

	want(l, l->wanted & ~UV_WRITABLE);
}

static void on_closed(uv_handle_t *handle)
{
	struct redis_loop *l = handle->data;

	if (--l->open_handles == 0)
		mem_free(&l);
}

static void clean_up(void *data)
{
	struct redis_loop *l = data;

	l->connection = NULL;
	uv_close((uv_handle_t *)&l->poll, on_closed);
	uv_close((uv_handle_t *)&l->before_wait, on_closed);
}

void redis_loop_attach(struct redisAsyncContext *connection,
                       struct uv_loop_s *loop, void (*too_long)(void *context))
{
	struct redis_loop *l = mem_new(sizeof(*l));

	l->connection = connection;
	l->too_long = too_long;
	l->open_handles = 2;
	(void)uv_poll_init(loop, &l->poll, connection->c.fd);
	(void)uv_prepare_init(loop, &l->before_wait);
	l->poll.data = l;
	l->before_wait.data = l;
	connection->ev.data = l;
	connection->ev.addRead = add_read;
	connection->ev.delRead = delete_read;
	connection->ev.addWrite = add_write;
	connection->ev.delWrite = delete_write;
	connection->ev.cleanup = clean_up;
}
