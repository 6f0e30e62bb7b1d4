/*
 * input - what comes on stdin, piece by piece, whatever it is: a terminal, a
 * pipe or a file.
 *
 * A thread of its own reads, because a file can't be polled and a terminal
 * must not be made non-blocking for the shell that shares it. It reads the
 * next piece only when it is asked to.
 */
#ifndef PARLEY_CLIENT_TEST_CHAT_INPUT_H
#define PARLEY_CLIENT_TEST_CHAT_INPUT_H

#include "common/base/span.h"

struct input;
struct uv_loop_s;

/* On the loop. An empty piece is the end. */
typedef void input_piece(void *context, struct span piece);

struct input *input_create(struct uv_loop_s *loop, input_piece *piece,
                           void *context);
/* No piece comes any more; the loop must turn once more. */
void input_destroy(struct input **input);
/* Asks for the next piece. */
void input_next(struct input *input);

#endif
