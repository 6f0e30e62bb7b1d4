/*
 * line_splitter - cuts the pieces of an input into lines.
 *
 * A line ends with LF or CR LF; the last line of the input may end without
 * either. Every other byte belongs to the line, a NUL too.
 *
 * Bounds     of a line over `line_max` bytes only the first ones are kept.
 * Ownership  the bytes of a piece must stay valid until line_splitter_next()
 *            returns false; a line is valid until the next call.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_LINE_SPLITTER_H
#define PARLEY_CLIENT_TEST_CLI_LINE_SPLITTER_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_splitter;

struct split_line {
	struct span text; /* without its line break */
	uint64_t number;  /* 1 is the first line of the input */
	bool too_long;    /* `text` is only its beginning */
};

struct line_splitter *line_splitter_create(size_t line_max);
void line_splitter_destroy(struct line_splitter **splitter);

/* The next piece, after line_splitter_next() has returned false. */
void line_splitter_feed(struct line_splitter *splitter, struct span piece);
/* False if the piece holds no further whole line. */
bool line_splitter_next(struct line_splitter *splitter,
                        struct split_line *ret_line);
/* At the end of the input: the line without a line break, if there is one. */
bool line_splitter_last(struct line_splitter *splitter,
                        struct split_line *ret_line);
/* How many lines were returned. */
uint64_t line_splitter_count(const struct line_splitter *splitter);

#endif
