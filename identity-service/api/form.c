#include "identity-service/api/form.h"
#include "common/base/mem.h"
#include "common/base/percent.h"
#include "common/base/utf8.h"

enum { MEMBERS_MAX = 64 };

struct form {
	char *text; /* decoded in place: decoding only shortens it */
	size_t len;
	struct span names[MEMBERS_MAX];
	struct span values[MEMBERS_MAX];
	unsigned count;
};

/* NULL, or the fault. */
static const char *decode(struct span raw, char *out, struct span *ret_decoded)
{
	size_t len;

	if (!percent_decode(raw, true, out, &len))
		return "the form has a malformed percent escape";
	if (len && memchr(out, '\0', len))
		return "the form has a NUL byte";
	*ret_decoded = span_make(out, len);
	return utf8_valid(*ret_decoded) ? NULL : "the form is not UTF-8";
}

static bool has(const struct form *form, struct span name)
{
	for (unsigned i = 0; i < form->count; i++) {
		if (span_equal(form->names[i], name))
			return true;
	}
	return false;
}

static const char *add(struct form *form, struct span pair)
{
	struct span value;
	struct span name = span_cut(pair, '=', &value);
	char *name_at = form->text + (name.data - form->text);
	char *value_at = form->text + (value.data - form->text);
	const char *why;

	if (form->count == MEMBERS_MAX)
		return "the form has too many members";
	why = decode(name, name_at, &name);
	if (!why)
		why = decode(value, value_at, &value);
	if (!why && has(form, name))
		why = "the form has a repeated member";
	if (why)
		return why;
	form->names[form->count] = name;
	form->values[form->count++] = value;
	return NULL;
}

enum status form_parse(struct span text, struct form **ret_form,
                       const char **ret_why)
{
	CLEANUP(form_destroy) struct form *form = mem_new(sizeof(*form));
	struct span rest;

	form->text = mem_text(text.data, text.len);
	form->len = text.len;
	rest = span_make(form->text, form->len);
	while (rest.len) {
		struct span pair = span_cut(rest, '&', &rest);

		*ret_why = pair.len ? add(form, pair) : NULL;
		if (*ret_why)
			return ST_INVALID;
	}
	*ret_form = MOVE(form);
	return ST_OK;
}

void form_destroy(struct form **form)
{
	struct form *f = MOVE(*form);

	if (!f)
		return;
	mem_wipe(f->text, f->len);
	mem_free(&f->text);
	mem_free(&f);
}

bool form_get(const struct form *form, const char *name, struct span *ret_value)
{
	for (unsigned i = 0; i < form->count; i++) {
		if (!span_equal(form->names[i], span_of(name)))
			continue;
		*ret_value = form->values[i];
		return true;
	}
	return false;
}
