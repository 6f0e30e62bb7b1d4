/*
 * stdin_reader - reads stdin piece by piece: a terminal, a pipe or a file.
 *
 * A thread of its own reads, because a file cannot be polled and a terminal
 * must stay blocking for the shell that shares it. It reads the next piece only
 * after stdin_reader_next().
 */
#ifndef PARLEY_CLIENT_TEST_CLI_STDIN_READER_H
#define PARLEY_CLIENT_TEST_CLI_STDIN_READER_H

#include "common/base/span.h"

struct stdin_reader;
struct uv_loop_s;

/*
 * Called on the event loop. An empty piece is the end of the input, or a read
 * error if `error` is not 0 (an errno).
 */
typedef void stdin_reader_piece(void *context, struct span piece, int error);

struct stdin_reader *stdin_reader_create(struct uv_loop_s *loop,
                                         stdin_reader_piece *piece,
                                         void *context);
/* No piece follows. The loop must run once more. */
void stdin_reader_destroy(struct stdin_reader **reader);
/* Requests the next piece. */
void stdin_reader_next(struct stdin_reader *reader);

#endif
