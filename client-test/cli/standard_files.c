#include "client-test/cli/standard_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void standard_files_open(void)
{
	/* Each is opened in the direction in which it is not used. */
	static const int flags[] = {
		[STDIN_FILENO] = O_WRONLY,
		[STDOUT_FILENO] = O_RDONLY,
		[STDERR_FILENO] = O_RDONLY,
	};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* open() returns the lowest free number, which is `fd`. */
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", flags[fd]) != fd)
			abort();
	}
}

bool standard_files_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}
