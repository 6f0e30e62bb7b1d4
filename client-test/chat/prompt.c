#include "client-test/chat/prompt.h"
#include "client-test/cli/line_splitter.h"
#include "client-test/cli/stdin_reader.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/wire/save_record.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum {
	/* A text, and the command before it. */
	LINE_MAX_ = MESSAGE_TEXT_MAX + 64,
	CTRL_D = 4,
	BACKSPACE = 8,
	CTRL_U = 21,
	CTRL_W = 23,
	ESCAPE = 27,
	DELETE = 127,
};

enum escape { NO_ESCAPE, AFTER_ESCAPE, IN_SEQUENCE };

struct prompt {
	struct stdin_reader *reader;
	const struct prompt_events *events;
	void *context;
	struct buf line;
	bool terminal;
	/* An input that is not a terminal. */
	struct line_splitter *lines;
	bool held;
	bool piece_asked; /* the reader reads the next piece */
	struct termios before;
	enum escape escape;
};

/* --- drawing ------------------------------------------------------------- */
static void put(struct span bytes)
{
	(void)fwrite(bytes.data ? bytes.data : "", 1, bytes.len, stdout);
}

static size_t columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

/* The end of the line, as much as fits; one column for each code point. */
static struct span visible(const struct prompt *prompt)
{
	struct span line = buf_span(&prompt->line);
	size_t room = columns() - 4;
	size_t points = 0;

	for (size_t i = line.len; i > 0; i--) {
		if (((unsigned char)line.data[i - 1] & 0xc0) == 0x80)
			continue;
		if (++points == room)
			return span_make(line.data + i - 1, line.len - i + 1);
	}
	return line;
}

static void draw(const struct prompt *prompt)
{
	if (!prompt->terminal)
		return;
	put(SPAN("\r\x1b[K> "));
	put(visible(prompt));
	(void)fflush(stdout);
}

void prompt_print(struct prompt *prompt, struct span line)
{
	if (prompt->terminal)
		put(SPAN("\r\x1b[K"));
	put(line);
	put(SPAN("\n"));
	draw(prompt);
	(void)fflush(stdout);
}

/* --- typing -------------------------------------------------------------- */
static void delete_character(struct buf *line)
{
	while (line->len) {
		unsigned char last = (unsigned char)line->data[--line->len];

		if ((last & 0xc0) != 0x80)
			return;
	}
}

static void delete_word(struct buf *line)
{
	while (line->len && line->data[line->len - 1] == ' ')
		delete_character(line);
	while (line->len && line->data[line->len - 1] != ' ')
		delete_character(line);
}

static void finish_line(struct prompt *prompt)
{
	struct buf line CLEANUP(buf_free) = prompt->line;

	prompt->line = BUF(LINE_MAX_);
	draw(prompt);
	prompt->events->line(prompt->context, buf_span(&line),
	                     buf_overflowed(&line));
}

/* Ignores the escape sequences of arrow keys and others: ESC [ … letter. */
static bool skip_escape(struct prompt *prompt, unsigned char c)
{
	switch (prompt->escape) {
	case AFTER_ESCAPE:
		prompt->escape = c == '[' || c == 'O' ? IN_SEQUENCE : NO_ESCAPE;
		return true;
	case IN_SEQUENCE:
		if (c >= 0x40 && c <= 0x7e)
			prompt->escape = NO_ESCAPE;
		return true;
	case NO_ESCAPE:
		break;
	}
	if (c != ESCAPE)
		return false;
	prompt->escape = AFTER_ESCAPE;
	return true;
}

/* False if the user typed the end of input. */
static bool take_key(struct prompt *prompt, unsigned char c)
{
	if (skip_escape(prompt, c))
		return true;
	switch (c) {
	case CTRL_D:
		return prompt->line.len != 0;
	case BACKSPACE:
	case DELETE:
		delete_character(&prompt->line);
		break;
	case CTRL_U:
		buf_clear(&prompt->line);
		break;
	case CTRL_W:
		delete_word(&prompt->line);
		break;
	case '\r':
	case '\n':
		finish_line(prompt);
		break;
	default:
		if (c >= ' ')
			buf_byte(&prompt->line, (char)c);
	}
	return true;
}

static void take_keys(struct prompt *prompt, struct span piece, int error)
{
	for (size_t i = 0; i < piece.len; i++) {
		if (!take_key(prompt, (unsigned char)piece.data[i])) {
			prompt->events->end(prompt->context, 0);
			return;
		}
	}
	if (piece.len == 0) {
		prompt->events->end(prompt->context, error);
		return;
	}
	draw(prompt);
	if (prompt->line.len && prompt->events->typing)
		prompt->events->typing(prompt->context);
	stdin_reader_next(prompt->reader);
}

/* --- an input that is not a terminal -------------------------------------- */
static void take_lines(struct prompt *prompt)
{
	struct split_line line;

	while (!prompt->held && !prompt->piece_asked) {
		if (line_splitter_next(prompt->lines, &line)) {
			prompt->events->line(prompt->context, line.text,
			                     line.too_long);
		} else {
			prompt->piece_asked = true;
			stdin_reader_next(prompt->reader);
		}
	}
}

static void take_plain(struct prompt *prompt, struct span piece, int error)
{
	struct split_line line;

	if (piece.len) {
		prompt->piece_asked = false;
		line_splitter_feed(prompt->lines, piece);
		take_lines(prompt);
		return;
	}
	if (line_splitter_last(prompt->lines, &line))
		prompt->events->line(prompt->context, line.text, line.too_long);
	prompt->events->end(prompt->context, error);
}

void prompt_hold(struct prompt *prompt, bool hold)
{
	prompt->held = hold;
	if (!prompt->terminal)
		take_lines(prompt);
}

static void take_input(void *context, struct span piece, int error)
{
	struct prompt *prompt = context;

	if (prompt->terminal)
		take_keys(prompt, piece, error);
	else
		take_plain(prompt, piece, error);
}

/* --- the prompt ---------------------------------------------------------- */
static void enter_raw_mode(struct prompt *prompt)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &prompt->before))
		return;
	raw = prompt->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
	raw.c_iflag |= ICRNL;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	prompt->terminal = !tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

struct prompt *prompt_create(struct uv_loop_s *loop,
                             const struct prompt_events *events, void *context)
{
	struct prompt *prompt = mem_new(sizeof(*prompt));

	prompt->events = events;
	prompt->context = context;
	prompt->line = BUF(LINE_MAX_);
	prompt->lines = line_splitter_create(LINE_MAX_);
	prompt->piece_asked = true;
	enter_raw_mode(prompt);
	prompt->reader = stdin_reader_create(loop, take_input, prompt);
	draw(prompt);
	return prompt;
}

void prompt_destroy(struct prompt **prompt)
{
	if (!*prompt)
		return;
	if ((*prompt)->terminal) {
		put(SPAN("\r\x1b[K"));
		(void)fflush(stdout);
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &(*prompt)->before);
	}
	stdin_reader_destroy(&(*prompt)->reader);
	buf_free(&(*prompt)->line);
	line_splitter_destroy(&(*prompt)->lines);
	mem_free(prompt);
}

bool prompt_is_terminal(const struct prompt *prompt)
{
	return prompt->terminal;
}
