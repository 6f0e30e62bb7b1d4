/*
 * client-test - talks to Parley the way any client would.
 */
#include "client-test/commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
	&accept_command,  &listen_command, &send_command,
	&chat_command,    &group_command,  &channel_command,
	&history_command, &bench_command,  &ledger_command,
};

enum { TEXT_MAX = 16 * 1024 };

static void print_all(FILE *to)
{
	(void)fputs("client-test COMMAND [options] - talks to Parley the way "
	            "any client would\n\n",
	            to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)fprintf(to, "  %-8s %s\n", commands[i]->name,
		              commands[i]->purpose);
	(void)fputs("\nclient-test COMMAND --help says more.\n", to);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);
	struct options options;
	bool help;

	if (options_read(command, argc, argv, &text, &help, &options) !=
	    ST_OK) {
		(void)fprintf(stderr,
		              "client-test %s: %s; see client-test %s --help\n",
		              command->name, buf_text(&text), command->name);
		return EXIT_USAGE;
	}
	if (!help)
		return command->run(&options);
	options_help(command, &text);
	(void)fputs(buf_text(&text), stdout);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find(argv[1]) : NULL;

	(void)signal(SIGPIPE, SIG_IGN);
	if (command)
		return run(command, argc - 2, argv + 2);
	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		print_all(stdout);
		return EXIT_DONE;
	}
	print_all(stderr);
	return EXIT_USAGE;
}
