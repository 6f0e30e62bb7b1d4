/*
 * client-test - uses Parley the way any client would.
 */
#include "client-test/chat/chat.h"
#include "client-test/commands.h"

#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
	&accept_command, &listen_command,  &send_command,    &chat_command,
	&group_command,  &channel_command, &history_command, &login_command,
	&logout_command, &devices_command, &profile_command, &phone_command,
};

enum { CALLED_MAX = 64 };

static void print_all(FILE *to)
{
	(void)fputs("client-test COMMAND [options] - uses Parley the way "
	            "any client would\n\n",
	            to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)fprintf(to, "  %-8s %s\n", commands[i]->name,
		              commands[i]->purpose);
	(void)fputs("\nclient-test COMMAND --help lists its options.\n", to);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find(argv[1]) : NULL;

	if (command) {
		char called[CALLED_MAX];

		(void)snprintf(called, sizeof(called), "client-test %s",
		               command->name);
		return command_run(command, called, argc - 2, argv + 2);
	}
	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		print_all(stdout);
		return EXIT_DONE;
	}
	print_all(stderr);
	return EXIT_USAGE;
}
