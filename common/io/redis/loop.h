/*
 * redis_loop - hiredis on a libuv loop: one write for all commands of a turn.
 *
 * hiredis' own adapter changes what the loop watches with every command, which
 * is a system call each. Here commands gather until the loop is about to wait;
 * writing is watched for only while the socket is full or connecting.
 *
 * Threads    the loop's.
 */
#ifndef PARLEY_IO_REDIS_LOOP_H
#define PARLEY_IO_REDIS_LOOP_H

struct redisAsyncContext;
struct uv_loop_s;

/*
 * Once, before the connect callback is set. What it makes goes away with the
 * connection, after one more turn of the loop.
 */
void redis_loop_attach(struct redisAsyncContext *connection,
                       struct uv_loop_s *loop);

#endif
