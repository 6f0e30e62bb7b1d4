/*
 * stdout_fixture - captures the output of a test process on stdout.
 */
#ifndef PARLEY_STDOUT_FIXTURE_H
#define PARLEY_STDOUT_FIXTURE_H

#include "common/base/buf.h"

struct stdout_fixture {
	int saved;
	int file;
};

void stdout_fixture_start(struct stdout_fixture *fixture);
/* Puts stdout back; all that was written since start is appended. */
void stdout_fixture_stop(struct stdout_fixture *fixture, struct buf *ret_text);

#endif
