#include "bench/load/frame_scan.h"

struct cursor {
	const char *at, *end;
};

struct found {
	struct span type, state;
};

static char peek(const struct cursor *c)
{
	return c->at < c->end ? *c->at : '\0';
}

static bool take(struct cursor *c, char wanted)
{
	while (peek(c) == ' ')
		c->at++;
	if (peek(c) != wanted)
		return false;
	c->at++;
	return true;
}

/* The bytes of a string, with its escape sequences. */
static bool take_text(struct cursor *c, struct span *ret_text)
{
	const char *from, *quote;

	if (!take(c, '"'))
		return false;
	for (from = c->at;; c->at = quote + 1) {
		const char *back;

		quote = memchr(c->at, '"', (size_t)(c->end - c->at));
		if (!quote)
			return false;
		for (back = quote; back > from && back[-1] == '\\';)
			back--;
		if ((quote - back) % 2 == 0)
			break;
	}
	*ret_text = span_make(from, (size_t)(quote - from));
	c->at = quote + 1;
	return true;
}

/* A number or a literal; no nested value. */
static bool take_plain(struct cursor *c, struct span *ret_text)
{
	const char *from;

	while (peek(c) == ' ')
		c->at++;
	for (from = c->at; c->at < c->end; c->at++) {
		if (*c->at == ',' || *c->at == '}' || *c->at == ' ')
			break;
		if (*c->at == '{' || *c->at == '[' || *c->at == '"')
			return false;
	}
	*ret_text = span_make(from, (size_t)(c->at - from));
	return ret_text->len > 0;
}

static void note(struct span name, struct span value, struct found *found,
                 struct scanned_frame *frame)
{
	if (span_equal(name, SPAN("type")))
		found->type = value;
	else if (span_equal(name, SPAN("state")))
		found->state = value;
	else if (span_equal(name, SPAN("uuid")))
		frame->uuid = value;
	else if (span_equal(name, SPAN("code")))
		frame->code = value;
	else if (span_equal(name, SPAN("message")))
		frame->message = value;
	else if (span_equal(name, SPAN("seq")))
		(void)span_to_u64(value, UINT64_MAX, &frame->seq);
}

static enum frame_kind kind_of(const struct found *found)
{
	if (span_equal(found->type, SPAN("message")))
		return FRAME_MESSAGE;
	if (span_equal(found->type, SPAN("welcome")))
		return FRAME_WELCOME;
	if (span_equal(found->type, SPAN("error")))
		return FRAME_REFUSED;
	if (!span_equal(found->type, SPAN("state")))
		return FRAME_OTHER;
	if (span_equal(found->state, SPAN("saved")))
		return FRAME_SAVED;
	if (span_equal(found->state, SPAN("accepted")))
		return FRAME_ACCEPTED;
	return span_equal(found->state, SPAN("error")) ? FRAME_REFUSED
	                                               : FRAME_OTHER;
}

bool frame_scan(struct span text, struct scanned_frame *ret_frame)
{
	struct cursor c = {text.data, text.data + text.len};
	struct found found = {SPAN_NONE, SPAN_NONE};

	*ret_frame = (struct scanned_frame){.kind = FRAME_OTHER};
	if (!take(&c, '{'))
		return false;
	do {
		struct span name, value;

		if (!take_text(&c, &name) || !take(&c, ':'))
			return false;
		while (peek(&c) == ' ')
			c.at++;
		if (!(peek(&c) == '"' ? take_text(&c, &value)
		                      : take_plain(&c, &value)))
			return false;
		note(name, value, &found, ret_frame);
	} while (take(&c, ','));
	ret_frame->kind = kind_of(&found);
	return take(&c, '}');
}
