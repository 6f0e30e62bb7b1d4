/*
 * options - a subcommand's --name value pairs, from one table each.
 *
 * Rows are written with OPTION_TEXT and OPTION_NUMBER; --help is made of them.
 * OPTION_FLAG has no value. Both `--name value` and `--name=value` are taken,
 * `--` ends the options, what is no option is a word.
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

struct options {
	const char *url;
	const char *name;
	const char *password;
	const char *to;
	const char *in;
	const char *title;
	const char *role;
	const char *history_for; /* who comes in: "all" or "joined" */
	const char *with;
	uint64_t count;
	uint64_t history;
	uint64_t timeout_s;
	bool seen;
	/* bench */
	const char *tokens;
	uint64_t users;
	uint64_t pairs;
	uint64_t in_flight;
	uint64_t rate;
	uint64_t warm_up_s;
	uint64_t seconds;
	uint64_t size;
	uint64_t sockets;
	uint64_t from;
	uint64_t at_once;
	uint64_t connections;
	/* ledger */
	const char *gateways;
	const char *timeline;
	uint64_t peers;
	uint64_t groups;
	uint64_t group_size;
	uint64_t churn;
	uint64_t list_max;
	uint64_t receipts_ms;
	uint64_t seed;
	uint64_t drain_s;
	char **words;
	unsigned word_count;
};

struct option_row {
	const char *name;  /* "--url" */
	const char *value; /* "URL", for --help; NULL: a flag, without one */
	const char
		*preset; /* NULL: none; a text option without one is needed */
	const char *environment; /* where else it is looked for, or NULL */
	uint64_t min, max;       /* of a number; both 0: a text */
	size_t offset;
	const char *meaning;
};

#define OPTION_TEXT(field, name_, value_, preset_, environment_, meaning_) \
	{ \
		name_, value_, preset_, environment_, 0, 0, \
			offsetof(struct options, field), meaning_ \
	}
/* A bool that is there or not. */
#define OPTION_FLAG(field, name_, meaning_) \
	{ \
		name_, NULL, NULL, NULL, 0, 0, \
			offsetof(struct options, field), meaning_ \
	}
/* Who one is: the same for every command that signs somebody in. */
#define OPTIONS_WHO(meaning_) \
	OPTION_TEXT(name, "--name", "NAME", NULL, NULL, meaning_), \
		OPTION_TEXT(password, "--password", "TEXT", NULL, \
	                    "PARLEY_PASSWORD", "8 to 256 bytes")
#define OPTION_NUMBER(field, name_, preset_, min_, max_, meaning_) \
	{ \
		name_, "N", preset_, NULL, min_, max_, \
			offsetof(struct options, field), meaning_ \
	}
#define OPTION_URL \
	OPTION_TEXT(url, "--url", "URL", "http://127.0.0.1:8080", \
	            "PARLEY_URL", "where Parley is")

struct command {
	const char *name;
	const char *words; /* for --help: what may follow the options, or "" */
	const char *purpose;
	const struct option_row *rows;
	unsigned row_count;
	unsigned words_max;
	int (*run)(const struct options *options);
};

/*
 * Reads what stands behind the subcommand's name; moves words to the front of
 * argv. On ST_INVALID `fault` says what is wrong. `*ret_help`: --help was
 * there.
 */
MUST_CHECK enum status options_read(const struct command *command, int argc,
                                    char **argv, struct buf *fault,
                                    bool *ret_help,
                                    struct options *ret_options);
/* `called`: what the user types to call the command. */
void options_help(const struct command *command, const char *called,
                  struct buf *ret_text);

#endif
