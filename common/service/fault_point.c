#include "common/service/fault_point.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_LONGEST = 4096, NAME_MAX_ = 64 };

static const char *file_path(void)
{
	static char path[PATH_LONGEST];
	static const char suffix[] = ".fault";
	ssize_t len;

	if (*path)
		return path;
	len = readlink("/proc/self/exe", path, sizeof(path) - sizeof(suffix));
	if (len < 0)
		len = 0;
	memcpy(path + len, suffix, sizeof(suffix));
	return path;
}

void fault_point(const char *name)
{
	char wanted[NAME_MAX_];
	ssize_t len;
	int fd = open(file_path(), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	len = read(fd, wanted, sizeof(wanted));
	(void)close(fd);
	if (len != (ssize_t)strlen(name) || memcmp(wanted, name, (size_t)len))
		return;
	/* When two processes pass, one dies. */
	if (unlink(file_path()) == 0)
		(void)kill(getpid(), SIGKILL);
}
