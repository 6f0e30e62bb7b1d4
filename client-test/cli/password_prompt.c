#include "client-test/cli/password_prompt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

static void on_signal(int number)
{
	(void)number; /* it only interrupts read() */
}

/* Byte by byte: what follows the line belongs to others. */
static bool read_line(struct buf *ret_line)
{
	char byte = 0;
	ssize_t got;

	while ((got = read(STDIN_FILENO, &byte, 1)) == 1 && byte != '\n')
		buf_byte(ret_line, byte);
	return (got == 1 || (got == 0 && ret_line->len)) &&
	       !buf_overflowed(ret_line);
}

/* A signal must not leave a terminal that shows nothing. */
static bool read_hidden(const struct termios *shown, const char *prompt,
                        struct buf *ret_line)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction interrupt = {.sa_handler = on_signal};
	struct sigaction before[sizeof(ending) / sizeof(*ending)];
	struct termios hidden = *shown;
	bool good;

	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		(void)sigaction(ending[i], &interrupt, &before[i]);
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* Before the prompt, which invites to type. */
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	(void)fputs(prompt, stderr);
	(void)fflush(stderr);
	good = read_line(ret_line);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, shown);
	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		(void)sigaction(ending[i], &before[i], NULL);
	(void)fputs("\n", stderr);
	return good;
}

bool password_prompt(const char *prompt, struct buf *ret_password)
{
	struct termios shown;

	if (tcgetattr(STDIN_FILENO, &shown) != 0)
		return read_line(ret_password);
	return read_hidden(&shown, prompt, ret_password);
}
