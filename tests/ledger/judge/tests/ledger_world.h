/*
 * ledger_world - a ledger of some people with two devices each, who are all
 * connected, and a clock of its own.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_TESTS_LEDGER_WORLD_H
#define PARLEY_TESTS_LEDGER_JUDGE_TESTS_LEDGER_WORLD_H

#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/rooms.h"

enum {
	ALICE,
	BOB,
	CAROL,
	DAVE,
	DEVICES = 2,
	ROOM = 17,
	FIRST_ID = 100, /* ALICE's at the servers; then one after the other */
	FRAMES_MAX = 512
};

extern const struct ledger_device_id alice, alice_too, bob, bob_too, carol;

struct world {
	struct ledger *ledger;
	uint64_t now_us;
	struct json *frames[FRAMES_MAX]; /* the messages' texts live in them */
	unsigned frame_count;
	uint32_t seq; /* the last entry; the test's */
};

/* As many people, and the room if there is one; a test's *state. */
struct world *world_create(unsigned people, unsigned text_bytes,
                           const struct ledger_room_config *room);
int world_destroy(void **state);

uint64_t tick(struct world *world);
/* A frame, which lives as long as the world. */
struct message parse(struct world *world, struct span frame);
/* A message of one to another in ROOM, as a server tells it. */
struct message told_to_one(struct world *world, uint32_t number, uint64_t seq);

#endif
