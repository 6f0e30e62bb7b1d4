/*
 * roster - who is in a conversation, and how far each has come.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_ROSTER_H
#define PARLEY_CLIENT_TEST_CLI_ROSTER_H

#include "client-test/cli/rest_session.h"

struct roster_member {
	uint64_t user;
	char role[16];
	uint64_t delivered_seq;
	uint64_t read_seq;
};

struct roster {
	struct roster_member *members;
	unsigned count;
};

/* One of a list of members; false when it is none. */
bool roster_member_read(const struct json *json, struct roster_member *ret);
/* All of them; false: that was said. Then roster_free(). */
bool roster_read(struct caller *caller, uint64_t conversation,
                 struct roster *ret_roster);
void roster_free(struct roster *roster);

#endif
