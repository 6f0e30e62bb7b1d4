/*
 * channels - the public conversations that there are, by what their names have.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_CHANNELS_H
#define PARLEY_CLIENT_TEST_CLI_CHANNELS_H

#include "client-test/cli/rest_session.h"

struct channel {
	uint64_t id;
	char *name;
	uint64_t members;
	bool joined; /* I am in it */
};

struct channels {
	struct channel *all;
	unsigned count;
};

/* At least `at_most` of them, if there are so many; then channels_free(). */
bool channels_read(struct caller *caller, const char *search, uint64_t at_most,
                   struct channels *ret_channels);
void channels_free(struct channels *channels);

#endif
