/*
 * channels - a search for channels by a part of their names.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_CHANNELS_H
#define PARLEY_CLIENT_TEST_CLI_CHANNELS_H

#include "client-test/cli/rest_session.h"

struct channel {
	uint64_t id;
	char *name;
	uint64_t members;
	bool joined; /* the user is a member */
};

struct channels {
	struct channel *all;
	unsigned count;
};

/*
 * Reads whole pages until `at_most` channels are found or all are read. The
 * caller calls channels_free(), also after false.
 */
bool channels_read(struct rest_session *session, const char *search,
                   uint64_t at_most, struct channels *ret_channels);
void channels_free(struct channels *channels);

#endif
