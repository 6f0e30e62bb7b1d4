/*
 * presence - what the first device of each user knows of the user before and
 * the users after it: when everything is calm, who is connected is online and
 * who is not is offline. A user who blocks another looks offline to the other.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_PRESENCE_H
#define PARLEY_TESTS_LEDGER_JUDGE_PRESENCE_H

#include "tests/ledger/judge/ledger_types.h"

enum { PRESENCE_PEERS = 4 };

/* The users that a user subscribes to, by index; false past the last. */
bool presence_peer(const struct ledger *ledger, unsigned user, unsigned index,
                   unsigned *ret_peer);
/* The first device of a user subscribes: it knows nothing yet. */
void presence_subscribed(struct ledger *ledger, unsigned user);
/* A `presence` frame says this of a user, given by id. */
void presence_received(struct ledger *ledger, unsigned user, uint64_t id,
                       bool online);
/* From now on the user has no sockets; everyone else has. */
void presence_gone(struct ledger *ledger, unsigned user);
/* Every connected user knows what is true. */
bool presence_settled(const struct ledger *ledger);
/* Whatever is not true by now stays wrong. */
void presence_judge(struct ledger *ledger);

#endif
