#include "common/service/settings.h"
#include "common/base/mem.h"
#include "common/base/span.h"
#include "common/service/setting_form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_FILE_MAX = 4096 };

static void fault(struct buf *faults, const struct setting *row,
                  const char *what)
{
	buf_format(faults, "%s %s\n", row->environment, what);
}

static bool load_number(const struct setting *row, const char *text,
                        uint64_t *field, struct buf *faults)
{
	uint64_t number;

	if (span_to_u64(span_of(text), UINT64_MAX, &number) &&
	    number >= row->min && number <= row->max) {
		*field = number;
		return true;
	}
	buf_format(faults,
	           "%s is '%s', must be a number from %llu to %llu (%s)\n",
	           row->environment, text, (unsigned long long)row->min,
	           (unsigned long long)row->max, row->unit);
	return false;
}

static bool has_form(const struct setting *row, const char *text,
                     struct buf *faults)
{
	struct buf why CLEANUP(buf_free) = BUF(256);

	if (setting_form_fits(row->unit, span_of(text), &why))
		return true;
	buf_format(faults, "%s is '", row->environment);
	/* A fault is one line, whatever the text has. */
	for (const char *c = text; *c; c++)
		buf_byte(faults, (unsigned char)*c < ' ' ? '?' : *c);
	buf_format(faults, "', %s\n", buf_text(&why));
	return false;
}

static bool load_text(const struct setting *row, const char *text,
                      const char **field, struct buf *faults)
{
	size_t len = strlen(text);

	if (len >= row->min && len <= row->max) {
		if (row->kind == SETTING_TEXT && !has_form(row, text, faults))
			return false;
		*field = mem_text(text, len);
		return true;
	}
	buf_format(faults, "%s has %zu characters, must have %llu to %llu\n",
	           row->environment, len, (unsigned long long)row->min,
	           (unsigned long long)row->max);
	return false;
}

/* An empty variable counts as unset: a compose file cannot unset one. */
static char *from_environment(const char *name)
{
	char *text = getenv(name);

	return text && *text ? text : NULL;
}

/* NULL, or the reason why the file cannot be used. */
static const char *read_secret(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	const char *why = NULL;
	size_t len;

	if (!file)
		return strerror(errno);
	len = fread(text, 1, size - 1, file);
	if (ferror(file))
		why = strerror(errno);
	else if (!feof(file))
		why = "too long";
	else if (memchr(text, '\0', len))
		why = "it has a NUL byte";
	(void)fclose(file);
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	if (!why && len == 0)
		why = "it is empty";
	else if (!why && text[len - 1] == '\r')
		why = "its last line ends with CR LF";
	return why;
}

/* Wipes the value: /proc/PID/environ shows the initial environment. */
static bool load_direct(const struct setting *row, char *direct,
                        const char **field, struct buf *faults)
{
	bool loaded = load_text(row, direct, field, faults);

	mem_wipe(direct, strlen(direct));
	return loaded;
}

static bool load_secret(const struct setting *row, const char **field,
                        struct buf *faults)
{
	char name[128];
	char text[SECRET_FILE_MAX];
	char *direct = from_environment(row->environment);
	const char *path;
	const char *why;
	bool loaded;

	(void)snprintf(name, sizeof(name), "%s_FILE", row->environment);
	path = from_environment(name);
	if (path && direct) {
		buf_format(faults, "%s and %s are both set, set one\n",
		           row->environment, name);
		return false;
	}
	if (!path) {
		if (direct)
			return load_direct(row, direct, field, faults);
		if (row->preset)
			return load_text(row, row->preset, field, faults);
		buf_format(faults, "%s is not set (nor %s): %s\n",
		           row->environment, name, row->meaning);
		return false;
	}
	why = read_secret(path, text, sizeof(text));
	if (why)
		buf_format(faults, "%s names '%s', which cannot be used: %s\n",
		           name, path, why);
	loaded = !why && load_text(row, text, field, faults);
	mem_wipe(text, sizeof(text));
	return loaded;
}

static bool load_row(const struct setting *row, char *values,
                     struct buf *faults)
{
	void *field = values + row->offset;
	const char *text;

	if (row->kind == SETTING_SECRET)
		return load_secret(row, field, faults);
	text = from_environment(row->environment);
	if (!text)
		text = row->preset;
	if (!text) {
		fault(faults, row, "is not set");
		return false;
	}
	if (row->kind == SETTING_NUMBER)
		return load_number(row, text, field, faults);
	return load_text(row, text, field, faults);
}

/* Sets the default, so that checks over several values can run. */
static void fall_back(const struct setting *row, char *values)
{
	void *field = values + row->offset;
	const char *text = row->preset ? row->preset : "";

	if (row->kind != SETTING_NUMBER)
		*(const char **)field = text;
	else if (!span_to_u64(span_of(text), UINT64_MAX, field))
		*(uint64_t *)field = row->min;
}

/* A service listens on each of its ports, and each of its topics is another. */
static bool must_differ(const struct setting *row)
{
	return !strcmp(row->unit, "port") || !strcmp(row->unit, "topic");
}

static bool same_value(const struct setting *a, const struct setting *b,
                       const char *values)
{
	const void *at_a = values + a->offset, *at_b = values + b->offset;

	if (a->kind == SETTING_NUMBER)
		return *(const uint64_t *)at_a == *(const uint64_t *)at_b;
	return !strcmp(*(const char *const *)at_a, *(const char *const *)at_b);
}

static bool check_differences(const struct settings_table *table,
                              const char *values, struct buf *faults)
{
	bool good = true;

	for (unsigned i = 0; i < table->count; i++) {
		for (unsigned j = 0; j < i; j++) {
			const struct setting *a = &table->rows[j];
			const struct setting *b = &table->rows[i];

			if (!must_differ(a) || strcmp(a->unit, b->unit) != 0 ||
			    !same_value(a, b, values))
				continue;
			buf_format(faults, "%s and %s are the same %s\n",
			           a->environment, b->environment, a->unit);
			good = false;
		}
	}
	return good;
}

enum status settings_load(const struct settings_table *table, void *values,
                          struct buf *faults)
{
	bool good = true;

	for (unsigned i = 0; i < table->count; i++) {
		if (load_row(&table->rows[i], values, faults))
			continue;
		fall_back(&table->rows[i], values);
		good = false;
	}
	if (!check_differences(table, values, faults))
		good = false;
	return good ? ST_OK : ST_INVALID;
}

static void help_preset(const struct setting *row, struct buf *text)
{
	if (!row->preset)
		buf_append(text, SPAN("required"));
	else if (row->kind == SETTING_SECRET)
		buf_append(text, SPAN("default: none"));
	else
		buf_format(text, "default: %s",
		           *row->preset ? row->preset : "none");
}

void settings_help(const struct settings_table *table, struct buf *ret_text)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct setting *row = &table->rows[i];

		buf_format(ret_text, "  %s%s\n      %s\n      ",
		           row->environment,
		           row->kind == SETTING_SECRET ? " (or _FILE)" : "",
		           row->meaning);
		help_preset(row, ret_text);
		if (row->kind == SETTING_NUMBER)
			buf_format(ret_text, "; %llu to %llu, %s\n",
			           (unsigned long long)row->min,
			           (unsigned long long)row->max, row->unit);
		else
			buf_format(ret_text, "; %llu to %llu characters, %s\n",
			           (unsigned long long)row->min,
			           (unsigned long long)row->max, row->unit);
	}
}
