#include "client-test/cli/line_splitter.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

#include <string.h>

struct line_splitter {
	struct span piece; /* what is left of it */
	struct buf line;   /* the beginning of a line, from earlier pieces */
	bool complete;     /* `line` was returned */
	uint64_t number;
	size_t line_max;
};

struct line_splitter *line_splitter_create(size_t line_max)
{
	struct line_splitter *splitter = mem_new(sizeof(*splitter));

	splitter->line_max = line_max;
	/* Room for the CR of a line break. */
	splitter->line = BUF(line_max + 1);
	return splitter;
}

void line_splitter_destroy(struct line_splitter **splitter)
{
	if (!*splitter)
		return;
	buf_free(&(*splitter)->line);
	mem_free(splitter);
}

void line_splitter_feed(struct line_splitter *splitter, struct span piece)
{
	splitter->piece = piece;
}

static void begin_line(struct line_splitter *splitter)
{
	if (splitter->complete)
		buf_clear(&splitter->line);
	splitter->complete = false;
}

/* Appends as much as fits: the rest makes the line too long. */
static void append(struct line_splitter *splitter, struct span bytes)
{
	size_t room = splitter->line.max - splitter->line.len;

	buf_append(&splitter->line,
	           span_make(bytes.data, bytes.len < room ? bytes.len : room));
	if (bytes.len > room)
		splitter->line.overflowed = true;
}

static void end_line(struct line_splitter *splitter, struct split_line *ret)
{
	struct span text = buf_span(&splitter->line);

	splitter->complete = true;
	*ret = (struct split_line){
		.number = ++splitter->number,
		.too_long = buf_overflowed(&splitter->line),
	};
	if (!ret->too_long && text.len && text.data[text.len - 1] == '\r')
		text.len--;
	if (text.len > splitter->line_max) {
		ret->too_long = true;
		text.len = splitter->line_max;
	}
	ret->text = text;
}

bool line_splitter_next(struct line_splitter *splitter,
                        struct split_line *ret_line)
{
	struct span piece = splitter->piece;
	const char *end =
		piece.len ? memchr(piece.data, '\n', piece.len) : NULL;
	size_t len = end ? (size_t)(end - piece.data) : piece.len;

	begin_line(splitter);
	append(splitter, span_make(piece.data, len));
	if (!end) {
		splitter->piece = SPAN_NONE;
		return false;
	}
	splitter->piece = span_make(end + 1, piece.len - len - 1);
	end_line(splitter, ret_line);
	return true;
}

bool line_splitter_last(struct line_splitter *splitter,
                        struct split_line *ret_line)
{
	begin_line(splitter);
	if (splitter->line.len == 0)
		return false;
	end_line(splitter, ret_line);
	return true;
}

uint64_t line_splitter_count(const struct line_splitter *splitter)
{
	return splitter->number;
}
