/*
 * bench_users - people for a measurement: registered once, their ids and tokens
 * kept in a file, one "ID TOKEN" a line.
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_USERS_H
#define PARLEY_BENCH_LOAD_BENCH_USERS_H

#include "client-test/cli/options.h"

struct bench_user {
	uint64_t id;
	char *token;
};

struct bench_users {
	struct bench_user *users;
	unsigned count;
};

/* Registers options->users and writes options->tokens. An exit code. */
int bench_users_make(const struct options *options);
/* Reads the file, `least` users or more; says on stderr why it can't. */
MUST_CHECK enum status bench_users_read(const char *path, unsigned least,
                                        struct bench_users *ret_users);
void bench_users_free(struct bench_users *users);

#endif
