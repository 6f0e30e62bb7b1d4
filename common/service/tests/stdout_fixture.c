#define _GNU_SOURCE /* memfd_create */
#include "common/service/tests/stdout_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int checked(int result)
{
	if (result < 0) {
		perror("stdout fixture");
		abort();
	}
	return result;
}

void stdout_fixture_start(struct stdout_fixture *fixture)
{
	(void)fflush(stdout);
	fixture->saved = checked(dup(STDOUT_FILENO));
	fixture->file = checked(memfd_create("stdout", MFD_CLOEXEC));
	(void)checked(dup2(fixture->file, STDOUT_FILENO));
}

void stdout_fixture_stop(struct stdout_fixture *fixture, struct buf *ret_text)
{
	char bytes[4096];
	ssize_t got;
	off_t at = 0;

	(void)fflush(stdout);
	(void)checked(dup2(fixture->saved, STDOUT_FILENO));
	while ((got = pread(fixture->file, bytes, sizeof(bytes), at)) > 0) {
		buf_append(ret_text, span_make(bytes, (size_t)got));
		at += got;
	}
	(void)close(fixture->file);
	(void)close(fixture->saved);
}
