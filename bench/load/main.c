/*
 * load - makes load on a running Parley and measures it: one measurement a run,
 * JSON on stdout. bench/run starts the servers and collects the figures.
 */
#include "bench/load/floor.h"
#include "bench/load/idle.h"
#include "bench/load/lookup.h"
#include "bench/load/pairs.h"
#include "bench/load/room.h"
#include "bench/load/storm.h"
#include "bench/load/users.h"
#include "client-test/cli/command.h"

#include <stdio.h>

static const struct {
	const char *name;
	int (*run)(const struct load_options *options);
} modes[] = {
	{"users", users_run},     {"pairs", pairs_run},
	{"idle", idle_run},       {"connect", connect_run},
	{"storm", storm_run},     {"room", room_run},
	{"floor", floor_run},     {"lookup", lookup_run},
	{"refresh", refresh_run},
};

#define MODE_WORDS "users|pairs|idle|lookup|refresh|connect|storm|room|floor"

static int run_mode(const void *context)
{
	const struct load_options *options = context;
	const struct options *head = &options->options;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (head->word_count == 1 &&
		    !strcmp(modes[i].name, head->words[0]))
			return modes[i].run(options);
	}
	(void)fprintf(stderr, "load %s\n", MODE_WORDS);
	return EXIT_USAGE;
}

#define TEXT(...)   OPTION_TEXT(struct load_options, __VA_ARGS__)
#define NUMBER(...) OPTION_NUMBER(struct load_options, __VA_ARGS__)

static const struct option_row rows[] = {
	OPTION_URL(struct load_options),
	TEXT(tokens, "--tokens", "FILE", NULL, NULL,
             "ids and tokens of users; users writes it, the others read it"),
	NUMBER(users, "--users", "200", 1, 100000,
               "users: how many users to register"),
	NUMBER(pairs, "--pairs", "100", 1, 10000,
               "pairs: one user of each pair sends to the other"),
	NUMBER(peers, "--peers", "1", 1, 19999,
               "pairs: users that each sender writes to in turn"),
	NUMBER(in_flight, "--in-flight", "16", 1, 1024,
               "pairs: unsaved messages of each pair, if --rate is 0"),
	NUMBER(rate, "--rate", "0", 0, 1000000,
               "pairs: messages a second, independent of answers; 0: off"),
	NUMBER(size, "--size", "200", 1, 16384, "pairs: bytes of a text"),
	NUMBER(warm_up_s, "--warm-up", "2", 0, 60,
               "pairs, lookup, refresh: seconds before the measurement"),
	NUMBER(seconds, "--seconds", "15", 1, 3600,
               "pairs, lookup, refresh: seconds of the measurement"),
	NUMBER(sockets, "--sockets", "10000", 1, 1000000,
               "idle, connect, storm, room: how many sockets"),
	NUMBER(from, "--from", "0", 0, 10000000,
               "idle, connect, storm, room: users of the file to skip"),
	NUMBER(at_once, "--at-once", "64", 1, 10000,
               "idle, connect, storm, room: handshakes at a time"),
	NUMBER(connections, "--connections", "32", 1, 1000,
               "lookup, refresh: kept-alive connections"),
};

static const struct command load_command = {
	.name = "load",
	.words = MODE_WORDS,
	.purpose = "makes load on Parley and prints measurements as JSON",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = 1,
	.options_size = sizeof(struct load_options),
	.run = run_mode,
};

int main(int argc, char **argv)
{
	return command_run(&load_command, "load", argc - 1, argv + 1);
}
