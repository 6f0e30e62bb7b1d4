#include "common/io/json_check.h"
#include "common/base/percent.h"
#include "common/base/utf8.h"

#include <stdbool.h>

struct check {
	const char *at;
	const char *end;
	const char *why;
	unsigned depth_left;
	unsigned members_left;
	struct json_numbers *numbers;
};

static bool value(struct check *c);

static bool wrong(struct check *c, const char *why)
{
	c->why = why;
	return false;
}

static int peek(const struct check *c)
{
	return c->at < c->end ? (unsigned char)*c->at : -1;
}

static bool take(struct check *c, char wanted)
{
	if (peek(c) != wanted)
		return false;
	c->at++;
	return true;
}

static void blanks(struct check *c)
{
	while (peek(c) == ' ' || peek(c) == '\t' || peek(c) == '\n' ||
	       peek(c) == '\r')
		c->at++;
}

/* The digits of a number, exactly. */
struct digits {
	bool nonzero;
	int last; /* place of the last nonzero digit; 1: tenths */
	int exponent;
};

enum { EXPONENT_MAX = 1000000 };

/*
 * `place` is the place of the first digit. number() corrects the places of the
 * integer digits when it knows their count.
 */
static bool digits(struct check *c, struct digits *d, int place, int *ret_count)
{
	int count = 0;

	for (; peek(c) >= '0' && peek(c) <= '9'; c->at++, count++) {
		if (*c->at == '0')
			continue;
		d->nonzero = true;
		d->last = place + count;
	}
	*ret_count = count;
	return count > 0;
}

static bool exponent(struct check *c, struct digits *d)
{
	bool negative = take(c, '-');
	bool any = false;

	if (!negative)
		(void)take(c, '+');
	for (; peek(c) >= '0' && peek(c) <= '9'; c->at++, any = true) {
		if (d->exponent < EXPONENT_MAX)
			d->exponent = d->exponent * 10 + (*c->at - '0');
	}
	if (negative)
		d->exponent = -d->exponent;
	return any;
}

static void note_number(struct check *c, const struct digits *d)
{
	struct json_numbers *numbers = c->numbers;

	if (numbers->count < numbers->max)
		numbers->whole[numbers->count++] =
			!d->nonzero || d->last <= d->exponent;
}

static bool number(struct check *c)
{
	struct digits d = {0};
	int count;

	(void)take(c, '-');
	if (!take(c, '0')) {
		if (!digits(c, &d, 0, &count))
			return wrong(c, "a number is malformed");
		d.last -= count - 1; /* the last integer digit has place 0 */
	}
	if (peek(c) >= '0' && peek(c) <= '9')
		return wrong(c, "a number has a leading zero");
	if (take(c, '.') && !digits(c, &d, 1, &count))
		return wrong(c, "a number is malformed");
	if ((take(c, 'e') || take(c, 'E')) && !exponent(c, &d))
		return wrong(c, "a number is malformed");
	note_number(c, &d);
	return true;
}

static bool hex4(struct check *c, unsigned *ret_unit)
{
	unsigned unit = 0;

	for (unsigned i = 0; i < 4; i++) {
		int digit = c->at < c->end ? hex_digit(*c->at) : -1;

		if (digit < 0)
			return wrong(c, "a \\u escape is malformed");
		unit = unit << 4 | (unsigned)digit;
		c->at++;
	}
	*ret_unit = unit;
	return true;
}

static bool unicode_escape(struct check *c)
{
	unsigned unit;

	if (!hex4(c, &unit))
		return false;
	if (unit == 0)
		return wrong(c, "\\u0000 is not accepted");
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return wrong(c, "a surrogate escape has no partner");
	if (unit < 0xd800 || unit > 0xdbff)
		return true;
	if (!take(c, '\\') || !take(c, 'u') || !hex4(c, &unit) ||
	    unit < 0xdc00 || unit > 0xdfff)
		return wrong(c, "a surrogate escape has no partner");
	return true;
}

static bool escape(struct check *c)
{
	int letter = peek(c);

	c->at++;
	switch (letter) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return true;
	case 'u':
		return unicode_escape(c);
	default:
		return wrong(c, "an escape is unknown");
	}
}

static bool string(struct check *c)
{
	if (!take(c, '"'))
		return wrong(c, "a string was expected");
	for (;;) {
		int byte = peek(c);

		if (byte < 0)
			return wrong(c, "a string has no end");
		if (byte < 0x20)
			return wrong(c, "a string has a raw control character");
		c->at++;
		if (byte == '"')
			return true;
		if (byte == '\\' && !escape(c))
			return false;
	}
}

static bool word(struct check *c, struct span text)
{
	if ((size_t)(c->end - c->at) < text.len ||
	    !span_equal(span_make(c->at, text.len), text))
		return wrong(c, "a value is malformed");
	c->at += text.len;
	return true;
}

static bool counted(struct check *c)
{
	if (c->members_left == 0)
		return wrong(c, "it has too many members");
	c->members_left--;
	return true;
}

static bool member(struct check *c)
{
	blanks(c);
	if (!counted(c) || !string(c))
		return false;
	blanks(c);
	if (!take(c, ':'))
		return wrong(c, "a colon is missing");
	return value(c);
}

static bool element(struct check *c)
{
	return counted(c) && value(c);
}

/* The items between an opening bracket and `close`. */
static bool list(struct check *c, char close, bool (*item)(struct check *))
{
	c->at++;
	if (c->depth_left == 0)
		return wrong(c, "it is nested too deeply");
	c->depth_left--;
	blanks(c);
	if (!take(c, close)) {
		do {
			if (!item(c))
				return false;
			blanks(c);
		} while (take(c, ','));
		if (!take(c, close))
			return wrong(c, "a comma or a bracket is missing");
	}
	c->depth_left++;
	return true;
}

static bool value(struct check *c)
{
	blanks(c);
	switch (peek(c)) {
	case '{':
		return list(c, '}', member);
	case '[':
		return list(c, ']', element);
	case '"':
		return string(c);
	case 't':
		return word(c, SPAN("true"));
	case 'f':
		return word(c, SPAN("false"));
	case 'n':
		return word(c, SPAN("null"));
	default:
		return number(c);
	}
}

const char *json_check(struct span text, unsigned depth_max,
                       unsigned members_max, struct json_numbers *ret_numbers)
{
	struct check c = {.depth_left = depth_max,
	                  .members_left = members_max,
	                  .numbers = ret_numbers};

	if (text.len == 0)
		return "it is empty";
	if (!utf8_valid(text))
		return "it is not UTF-8";
	c.at = text.data;
	c.end = text.data + text.len;
	blanks(&c);
	if (peek(&c) != '{')
		return "it is not a JSON object";
	if (!value(&c))
		return c.why;
	blanks(&c);
	return c.at == c.end ? NULL : "bytes follow the object";
}
