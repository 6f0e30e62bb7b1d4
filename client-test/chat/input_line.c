#include "client-test/chat/input_line.h"
#include "common/base/scope.h"

const char *const input_line_help =
	"/reply N TEXT  /edit N TEXT  /delete N  /react N 👍  /unreact N 👍  "
	"/who  /quit";

static const struct {
	const char *name;
	enum input_line_kind kind;
	bool seq, text;
	const char *usage;
} commands[] = {
	{"reply", INPUT_LINE_REPLY, true, true, "it is /reply N TEXT"},
	{"edit", INPUT_LINE_EDIT, true, true, "it is /edit N TEXT"},
	{"delete", INPUT_LINE_DELETE, true, false, "it is /delete N"},
	{"react", INPUT_LINE_REACT, true, true,
         "it is /react N and a reaction"},
	{"unreact", INPUT_LINE_UNREACT, true, true,
         "it is /unreact N and a reaction"},
	{"who", INPUT_LINE_WHO, false, false, "it is /who alone"},
	{"help", INPUT_LINE_HELP, false, false, "it is /help alone"},
	{"quit", INPUT_LINE_QUIT, false, false, "it is /quit alone"},
};

static struct span cut_word(struct span *rest)
{
	struct span word = span_cut(span_trim(*rest), ' ', rest);

	*rest = span_trim(*rest);
	return word;
}

/* Accepts "42" and "#42", the form on the screen. */
static bool read_seq(struct span word, uint64_t *ret_seq)
{
	if (span_starts(word, SPAN("#")))
		word = span_make(word.data + 1, word.len - 1);
	return span_to_u64(word, UINT32_MAX, ret_seq) && *ret_seq > 0;
}

const char *input_line_parse(struct span line, struct input_line *ret_input)
{
	struct input_line input = {.kind = INPUT_LINE_TEXT, .text = line};
	struct span name, rest;

	*ret_input = (struct input_line){.kind = line.len ? INPUT_LINE_TEXT
	                                                  : INPUT_LINE_NOTHING,
	                                 .text = line};
	if (!span_starts(line, SPAN("/")))
		return NULL;
	rest = span_make(line.data + 1, line.len - 1);
	if (span_starts(rest, SPAN("/"))) {
		ret_input->text = rest;
		return NULL;
	}
	name = cut_word(&rest);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!span_equal(name, span_of(commands[i].name)))
			continue;
		input.kind = commands[i].kind;
		if (commands[i].seq && !read_seq(cut_word(&rest), &input.seq))
			return commands[i].usage;
		if (commands[i].text != (rest.len > 0))
			return commands[i].usage;
		input.text = rest;
		*ret_input = input;
		return NULL;
	}
	return "there is no such command; /help lists them";
}
