#include "client-test/chat/typed.h"
#include "common/base/scope.h"

const char *const typed_help =
	"/reply N TEXT  /edit N TEXT  /delete N  /react N 👍  /unreact N 👍  "
	"/who  /quit";

static const struct {
	const char *name;
	enum typed_kind kind;
	bool seq, text;
	const char *usage;
} commands[] = {
	{"reply", TYPED_REPLY, true, true, "it is /reply N TEXT"},
	{"edit", TYPED_EDIT, true, true, "it is /edit N TEXT"},
	{"delete", TYPED_DELETE, true, false, "it is /delete N"},
	{"react", TYPED_REACT, true, true, "it is /react N and a reaction"},
	{"unreact", TYPED_UNREACT, true, true,
         "it is /unreact N and a reaction"},
	{"who", TYPED_WHO, false, false, "it is /who alone"},
	{"help", TYPED_HELP, false, false, "it is /help alone"},
	{"quit", TYPED_QUIT, false, false, "it is /quit alone"},
};

static struct span cut_word(struct span *rest)
{
	struct span word = span_cut(span_trim(*rest), ' ', rest);

	*rest = span_trim(*rest);
	return word;
}

/* "#42" is what the screen says, so it is taken, too. */
static bool read_seq(struct span word, uint64_t *ret_seq)
{
	if (span_starts(word, SPAN("#")))
		word = span_make(word.data + 1, word.len - 1);
	return span_to_u64(word, UINT32_MAX, ret_seq) && *ret_seq > 0;
}

const char *typed_read(struct span line, struct typed *ret_typed)
{
	struct typed typed = {.kind = TYPED_TEXT, .text = line};
	struct span name, rest;

	*ret_typed = (struct typed){
		.kind = line.len ? TYPED_TEXT : TYPED_NOTHING, .text = line};
	if (!span_starts(line, SPAN("/")))
		return NULL;
	rest = span_make(line.data + 1, line.len - 1);
	if (span_starts(rest, SPAN("/"))) {
		ret_typed->text = rest;
		return NULL;
	}
	name = cut_word(&rest);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!span_equal(name, span_of(commands[i].name)))
			continue;
		typed.kind = commands[i].kind;
		if (commands[i].seq && !read_seq(cut_word(&rest), &typed.seq))
			return commands[i].usage;
		if (commands[i].text != (rest.len > 0))
			return commands[i].usage;
		typed.text = rest;
		*ret_typed = typed;
		return NULL;
	}
	return "there is no such command; /help lists them";
}
