/*
 * options - a command's `--name value` pairs, read after a table of rows.
 *
 * A command declares a struct for its options. Its first member is `struct
 * options`, which holds the words. Rows are written with OPTION_TEXT,
 * OPTION_NUMBER and OPTION_FLAG (an option without a value); --help is made
 * from them. Both `--name value` and `--name=value` are accepted. `--` ends the
 * options. Every other argument is a word.
 *
 * Ownership  texts point into argv, the environment or the table.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_OPTIONS_H
#define PARLEY_CLIENT_TEST_CLI_OPTIONS_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first member of every command's options. */
struct options {
	char **words;
	unsigned word_count;
};

struct session_file;

/*
 * The first member of the options of a command that signs in a user. Without a
 * password it uses the saved session: command_run() fills `session`, and url
 * and name from the file; account_choice.h.
 */
struct account_options {
	struct options options;
	const char *url;
	const char *name;
	const char *password;
	struct session_file *session; /* NULL: sign in with the password */
};

struct option_row {
	const char *name;   /* "--url" */
	const char *value;  /* "URL", for --help; NULL: a flag */
	const char *preset; /* NULL: none, so that a text option is required */
	const char *environment; /* a variable that is read too, or NULL */
	uint64_t min, max;       /* of a number; both 0: a text */
	size_t offset;           /* of the field in the command's options */
	const char *meaning;
};

/* `type` is the command's options struct. The field is a const char *. */
#define OPTION_TEXT(type, field, name_, value_, preset_, environment_, \
                    meaning_) \
	{ \
		name_, value_, preset_, environment_, 0, 0, \
			offsetof(type, field), meaning_ \
	}
/* The field is a bool: whether the option is given. */
#define OPTION_FLAG(type, field, name_, meaning_) \
	{ \
		name_, NULL, NULL, NULL, 0, 0, offsetof(type, field), meaning_ \
	}
/* The field is a uint64_t. */
#define OPTION_NUMBER(type, field, name_, preset_, min_, max_, meaning_) \
	{ \
		name_, "N", preset_, NULL, min_, max_, offsetof(type, field), \
			meaning_ \
	}
#define OPTION_URL_PRESET "http://127.0.0.1:8080"
#define OPTION_URL(type) \
	OPTION_TEXT(type, url, "--url", "URL", OPTION_URL_PRESET, \
	            "PARLEY_URL", "where Parley is")
/* The rows of struct account_options. */
#define OPTIONS_ACCOUNT(meaning_) \
	OPTION_URL(struct account_options), \
		OPTION_TEXT(struct account_options, name, "--name", "NAME", \
	                    "", NULL, \
	                    meaning_ "; without --password: the user who has " \
	                             "signed in with the login command"), \
		OPTION_TEXT(struct account_options, password, "--password", \
	                    "TEXT", "", "PARLEY_PASSWORD", "8 to 256 bytes")

struct command {
	const char *name;
	const char *words; /* for --help: the words it takes, or "" */
	const char *purpose;
	const char *exits; /* for --help: what the exit code says */
	const struct option_row *rows;
	unsigned row_count;
	unsigned words_max;
	size_t options_size; /* of the command's options struct */
	bool signs_in; /* its options struct begins with account_options */
	/* Gets the command's options struct; returns the exit code. */
	int (*run)(const void *options);
};

/*
 * Reads the arguments that follow the command's name; moves words to the front
 * of argv. `ret_options` has room for command->options_size bytes, aligned for
 * any type. ST_INVALID: `fault` says what is wrong. `*ret_help`: --help was
 * given.
 */
MUST_CHECK enum status options_read(const struct command *command, int argc,
                                    char **argv, struct buf *fault,
                                    bool *ret_help, void *ret_options);
/* A variable of the environment; NULL: it is not set, or empty. */
const char *options_environment(const char *name);
/* `called`: what the user types to call the command. */
void options_help(const struct command *command, const char *called,
                  struct buf *ret_text);

#endif
