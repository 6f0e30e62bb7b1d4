/*
 * lookup - modes `lookup` and `refresh`: looks up access tokens at the identity
 * service, or exchanges refresh tokens, over options->connections kept-alive
 * connections with one request in flight each. For `refresh` the file of tokens
 * has a refresh token for each connection; they are used up.
 */
#ifndef PARLEY_BENCH_LOAD_LOOKUP_H
#define PARLEY_BENCH_LOAD_LOOKUP_H

#include "bench/load/load_options.h"

int lookup_run(const struct load_options *options);
int refresh_run(const struct load_options *options);

#endif
