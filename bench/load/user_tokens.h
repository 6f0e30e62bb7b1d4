/*
 * user_tokens - the file of users' ids and tokens that mode `users` writes and
 * the other modes read: one "ID TOKEN" a line.
 */
#ifndef PARLEY_BENCH_LOAD_USER_TOKENS_H
#define PARLEY_BENCH_LOAD_USER_TOKENS_H

#include "common/base/scope.h"
#include "common/base/status.h"

#include <stdint.h>

struct user_token {
	uint64_t id;
	char *token;
};

struct user_tokens {
	struct user_token *users;
	unsigned count;
};

/*
 * Reads the file. ST_INVALID, with the reason on stderr, if it has fewer than
 * `least` users or none.
 */
MUST_CHECK enum status user_tokens_read(const char *path, unsigned least,
                                        struct user_tokens *ret_users);
void user_tokens_free(struct user_tokens *users);

#endif
