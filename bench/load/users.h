/*
 * users - mode `users`: registers options->users new users and writes their ids
 * and tokens to the file options->tokens (user_tokens.h).
 */
#ifndef PARLEY_BENCH_LOAD_USERS_H
#define PARLEY_BENCH_LOAD_USERS_H

#include "bench/load/load_options.h"

/* Prints one JSON object; returns the exit code. */
int users_run(const struct load_options *options);

#endif
