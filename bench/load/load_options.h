/*
 * load_options - the options of `load`, for all modes; main.c has the table.
 */
#ifndef PARLEY_BENCH_LOAD_LOAD_OPTIONS_H
#define PARLEY_BENCH_LOAD_LOAD_OPTIONS_H

#include "client-test/cli/options.h"

struct load_options {
	struct options options;
	const char *url;
	const char *tokens; /* the file of ids and tokens */
	uint64_t users;
	uint64_t pairs;
	uint64_t peers;
	uint64_t in_flight;
	uint64_t rate;
	uint64_t size;
	uint64_t warm_up_s;
	uint64_t seconds;
	uint64_t sockets;
	uint64_t from;
	uint64_t at_once;
	uint64_t connections;
};

#endif
