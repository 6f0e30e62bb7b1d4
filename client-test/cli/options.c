#include "client-test/cli/options.h"

#include <stdlib.h>
#include <string.h>

static bool is_text(const struct option_row *row)
{
	return row->value && row->min == 0 && row->max == 0;
}

/* The field of a row in the command's options. */
static void *field_of(void *options, const struct option_row *row)
{
	return (char *)options + row->offset;
}

static bool set(void *options, const struct option_row *row, const char *value,
                struct buf *fault)
{
	uint64_t number;

	if (is_text(row)) {
		*(const char **)field_of(options, row) = value;
		return true;
	}
	if (!span_to_u64(span_of(value), row->max, &number) ||
	    number < row->min) {
		buf_format(fault,
		           "%s must be a number from %llu to %llu, not '%s'",
		           row->name, (unsigned long long)row->min,
		           (unsigned long long)row->max, value);
		return false;
	}
	*(uint64_t *)field_of(options, row) = number;
	return true;
}

const char *options_environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static bool set_presets(const struct command *command, void *options,
                        struct buf *fault)
{
	for (unsigned i = 0; i < command->row_count; i++) {
		const struct option_row *row = &command->rows[i];
		const char *value = NULL;

		if (row->environment)
			value = options_environment(row->environment);
		if (!value)
			value = row->preset;
		if (value && !set(options, row, value, fault))
			return false;
	}
	return true;
}

static const struct option_row *row_of(const struct command *command,
                                       const char *argument)
{
	size_t len = strcspn(argument, "=");

	for (unsigned i = 0; i < command->row_count; i++) {
		const struct option_row *row = &command->rows[i];

		if (strlen(row->name) == len &&
		    !strncmp(row->name, argument, len))
			return row;
	}
	return NULL;
}

/* Reads the option at argv[*at] and moves *at past it. */
static bool read_option(const struct command *command, int argc, char **argv,
                        int *at, void *options, struct buf *fault)
{
	const char *argument = argv[(*at)++];
	const struct option_row *row = row_of(command, argument);
	const char *equals = strchr(argument, '=');

	if (!row) {
		buf_format(fault, "there is no option '%s'", argument);
		return false;
	}
	if (!row->value && equals) {
		buf_format(fault, "%s takes no value", row->name);
		return false;
	}
	if (!row->value) {
		*(bool *)field_of(options, row) = true;
		return true;
	}
	if (equals)
		return set(options, row, equals + 1, fault);
	if (*at == argc) {
		buf_format(fault, "%s needs a value", row->name);
		return false;
	}
	return set(options, row, argv[(*at)++], fault);
}

static bool check_required(const struct command *command, void *options,
                           struct buf *fault)
{
	const struct options *head = options;

	for (unsigned i = 0; i < command->row_count; i++) {
		const struct option_row *row = &command->rows[i];

		if (is_text(row) && !*(const char **)field_of(options, row)) {
			buf_format(fault, "%s is needed", row->name);
			return false;
		}
	}
	if (head->word_count > command->words_max) {
		buf_format(fault, "'%s' is too much", head->words[0]);
		return false;
	}
	return true;
}

static bool read_all(const struct command *command, int argc, char **argv,
                     struct buf *fault, bool *help, void *options)
{
	struct options *head = options;
	bool only_words = false;
	int at = 0;

	head->words = argv;
	while (at < argc) {
		const char *argument = argv[at];

		if (only_words || strncmp(argument, "--", 2) != 0) {
			argv[head->word_count++] = argv[at++];
		} else if (!strcmp(argument, "--")) {
			only_words = true;
			at++;
		} else if (!strcmp(argument, "--help")) {
			*help = true;
			return true;
		} else if (!read_option(command, argc, argv, &at, options,
		                        fault)) {
			return false;
		}
	}
	return check_required(command, options, fault);
}

enum status options_read(const struct command *command, int argc, char **argv,
                         struct buf *fault, bool *ret_help, void *ret_options)
{
	memset(ret_options, 0, command->options_size);
	*ret_help = false;
	if (!set_presets(command, ret_options, fault) ||
	    !read_all(command, argc, argv, fault, ret_help, ret_options))
		return ST_INVALID;
	return ST_OK;
}

void options_help(const struct command *command, const char *called,
                  struct buf *ret_text)
{
	buf_format(ret_text, "%s [options]%s%s - %s\n\n", called,
	           *command->words ? " " : "", command->words,
	           command->purpose);
	for (unsigned i = 0; i < command->row_count; i++) {
		const struct option_row *row = &command->rows[i];

		buf_format(ret_text, "  %-13s %-5s %s", row->name,
		           row->value ? row->value : "", row->meaning);
		if (row->max)
			buf_format(ret_text, " (%llu to %llu)",
			           (unsigned long long)row->min,
			           (unsigned long long)row->max);
		if (row->environment)
			buf_format(ret_text, "; also %s", row->environment);
		if (row->preset && *row->preset)
			buf_format(ret_text, "; default %s", row->preset);
		buf_byte(ret_text, '\n');
	}
	if (command->exits)
		buf_format(ret_text, "\nExit code: %s\n", command->exits);
}
