/*
 * roster - the members of a conversation, and how far each has read.
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

/* Decodes an item of a list of members; false if it is malformed. */
bool roster_member_read(const struct json *json, struct roster_member *ret);
/*
 * Reads all members; false: the failure is printed. The caller calls
 * roster_free(), also after false.
 */
bool roster_read(struct rest_session *session, uint64_t conversation,
                 struct roster *ret_roster);
void roster_free(struct roster *roster);

#endif
