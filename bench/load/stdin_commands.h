/*
 * stdin_commands - lines on stdin by which the caller controls a measurement,
 * read between two polls of the sockets.
 */
#ifndef PARLEY_BENCH_LOAD_STDIN_COMMANDS_H
#define PARLEY_BENCH_LOAD_STDIN_COMMANDS_H

enum { STDIN_COMMAND_MAX = 32 };

enum stdin_commands_result {
	STDIN_COMMANDS_NONE,
	STDIN_COMMANDS_ONE, /* a line without its end, truncated if too long */
	STDIN_COMMANDS_ENDED,
};

/* Never waits. */
enum stdin_commands_result stdin_commands_next(char command[STDIN_COMMAND_MAX]);

#endif
