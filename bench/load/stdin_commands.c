#include "bench/load/stdin_commands.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static bool readable(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&in, 1, 0) > 0;
}

/* Byte by byte: what follows the line stays for the next call. */
enum stdin_commands_result stdin_commands_next(char command[STDIN_COMMAND_MAX])
{
	size_t len = 0;
	char byte;

	if (!readable())
		return STDIN_COMMANDS_NONE;
	for (;;) {
		if (read(STDIN_FILENO, &byte, 1) <= 0)
			return STDIN_COMMANDS_ENDED;
		if (byte == '\n')
			break;
		if (len < STDIN_COMMAND_MAX - 1)
			command[len++] = byte;
	}
	command[len] = '\0';
	return STDIN_COMMANDS_ONE;
}
