/*
 * What `make bench` is made of: one measurement a run, one JSON object on
 * stdout. bench/run starts the servers and puts the figures together.
 */
#include "bench/load/bench_floor.h"
#include "bench/load/bench_idle.h"
#include "bench/load/bench_lookup.h"
#include "bench/load/bench_pairs.h"
#include "bench/load/bench_room.h"
#include "bench/load/bench_storm.h"
#include "bench/load/bench_users.h"
#include "client-test/cli/command.h"

#include <stdio.h>

static const struct {
	const char *name;
	int (*run)(const struct options *options);
} modes[] = {
	{"users", bench_users_make}, {"pairs", bench_pairs},
	{"idle", bench_idle},        {"connect", bench_connect},
	{"storm", bench_storm},      {"room", bench_room},
	{"floor", bench_floor},      {"lookup", bench_lookup},
};

#define MODE_WORDS "users|pairs|idle|lookup|connect|storm|room|floor"

static int run_mode(const struct options *options)
{
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (options->word_count == 1 &&
		    !strcmp(modes[i].name, options->words[0]))
			return modes[i].run(options);
	}
	(void)fprintf(stderr, "load %s\n", MODE_WORDS);
	return EXIT_USAGE;
}

static const struct option_row rows[] = {
	OPTION_URL,
	OPTION_TEXT(tokens, "--tokens", "FILE", NULL, NULL,
                    "users' ids and tokens: written by users, read by others"),
	OPTION_NUMBER(users, "--users", "200", 1, 100000,
                      "users: how many are registered"),
	OPTION_NUMBER(pairs, "--pairs", "100", 1, 10000,
                      "pairs: one user of each sends to the other"),
	OPTION_NUMBER(peers, "--peers", "1", 1, 19999,
                      "pairs: people to whom each sender writes in turn"),
	OPTION_NUMBER(in_flight, "--in-flight", "16", 1, 1024,
                      "pairs: unsaved messages of each"),
	OPTION_NUMBER(rate, "--rate", "0", 0, 1000000,
                      "pairs: messages a second, whatever comes back; 0: off"),
	OPTION_NUMBER(size, "--size", "200", 1, 16384,
                      "pairs: bytes of a text"),
	OPTION_NUMBER(warm_up_s, "--warm-up", "2", 0, 60,
                      "seconds that are not measured"),
	OPTION_NUMBER(seconds, "--seconds", "15", 1, 3600, "seconds that are"),
	OPTION_NUMBER(sockets, "--sockets", "10000", 1, 1000000,
                      "idle, connect, storm, room: how many"),
	OPTION_NUMBER(from, "--from", "0", 0, 10000000,
                      "the same: users of the file that are passed over"),
	OPTION_NUMBER(at_once, "--at-once", "64", 1, 10000,
                      "the same: handshakes at a time"),
	OPTION_NUMBER(connections, "--connections", "32", 1, 1000,
                      "lookup: kept-alive connections"),
};

static const struct command load_command = {
	.name = "load",
	.words = MODE_WORDS,
	.purpose = "one measurement, one JSON object",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = 1,
	.run = run_mode,
};

int main(int argc, char **argv)
{
	return command_run(&load_command, "load", argc - 1, argv + 1);
}
