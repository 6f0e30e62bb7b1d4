/*
 * redis_loop - runs hiredis on a libuv loop: one write for all commands of a
 * turn.
 *
 * The adapter of hiredis changes the watched events with every command, which
 * is a system call each. This one collects commands until the loop is about to
 * wait, and watches for writability only while the socket is full or
 * connecting.
 *
 * Threads    the thread of the loop.
 */
#ifndef PARLEY_IO_REDIS_LOOP_H
#define PARLEY_IO_REDIS_LOOP_H

struct redisAsyncContext;
struct uv_loop_s;

enum { REDIS_LOOP_REPLY_MAX = 1024 * 1024 };

/*
 * Call it once, before the connect callback is set. It frees its memory after
 * the connection ends, when the loop has turned once more. `too_long` is called
 * with connection->data when a reply that is not complete yet has more than
 * REDIS_LOOP_REPLY_MAX bytes; it must free the connection.
 */
void redis_loop_attach(struct redisAsyncContext *connection,
                       struct uv_loop_s *loop, void (*too_long)(void *context));

#endif
