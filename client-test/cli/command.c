#include "client-test/cli/command.h"

#include <signal.h>
#include <stdio.h>

enum { TEXT_MAX = 16 * 1024 };

int command_run(const struct command *command, const char *called, int argc,
                char **argv)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);
	struct options options;
	bool help;

	/* A closed connection is an error of write(), not the end. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (options_read(command, argc, argv, &text, &help, &options) !=
	    ST_OK) {
		(void)fprintf(stderr, "%s: %s; see %s --help\n", called,
		              buf_text(&text), called);
		return EXIT_USAGE;
	}
	if (!help)
		return command->run(&options);
	options_help(command, called, &text);
	(void)fputs(buf_text(&text), stdout);
	return EXIT_DONE;
}
