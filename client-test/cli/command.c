#include "client-test/cli/command.h"
#include "client-test/cli/account_choice.h"
#include "client-test/cli/standard_files.h"
#include "common/base/mem.h"

#include <signal.h>
#include <stdio.h>

enum { TEXT_MAX = 16 * 1024 };

/* The options struct of such a command begins with its account. */
static int run_signed_in(const struct command *command, const char *called,
                         void *options)
{
	struct buf fault CLEANUP(buf_free) = BUF(TEXT_MAX);
	int code;

	if (account_choice_make(options, &fault) != ST_OK) {
		(void)fprintf(stderr, "%s: %s\n", called, buf_text(&fault));
		return EXIT_USAGE;
	}
	code = command->run(options);
	account_choice_free(options);
	return code;
}

static int run(const struct command *command, const char *called, int argc,
               char **argv)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);
	void *options CLEANUP(mem_free) = mem_new(command->options_size);
	bool help;

	if (options_read(command, argc, argv, &text, &help, options) != ST_OK) {
		(void)fprintf(stderr, "%s: %s; see %s --help\n", called,
		              buf_text(&text), called);
		return EXIT_USAGE;
	}
	if (!help)
		return command->signs_in
		               ? run_signed_in(command, called, options)
		               : command->run(options);
	options_help(command, called, &text);
	(void)fputs(buf_text(&text), stdout);
	return EXIT_DONE;
}

int command_run(const struct command *command, const char *called, int argc,
                char **argv)
{
	int code;

	standard_files_open();
	/*
	 * Writing to a closed connection fails instead of ending the process.
	 */
	(void)signal(SIGPIPE, SIG_IGN);
	code = run(command, called, argc, argv);
	if (standard_files_flush())
		return code;
	(void)fprintf(stderr, "%s: stdout cannot be written\n", called);
	return code == EXIT_DONE ? EXIT_FAILED : code;
}
