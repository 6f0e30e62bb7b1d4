/*
 * ledger_world - a ledger of some users with two connected devices each, and a
 * clock of its own.
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
	FIRST_ID = 100, /* ALICE's id; the others follow */
	FRAMES_MAX = 512
};

extern const struct ledger_device_id alice, alice_too, bob, bob_too, carol;

struct world {
	struct ledger *ledger;
	uint64_t now_us;
	struct json *frames[FRAMES_MAX]; /* texts of messages point into them */
	unsigned frame_count;
	uint32_t seq; /* of the last entry; kept by the test */
};

/* Creates users, and a room unless it is NULL; becomes a test's *state. */
struct world *world_create(unsigned users, unsigned text_bytes,
                           const struct ledger_room_config *room);
/* A socket that ends without a close code is a fault. */
void world_judge_cuts(struct world *world);
int world_destroy(void **state);

uint64_t tick(struct world *world);
/* Parses a frame, which stays valid as long as the world. */
struct message parse(struct world *world, struct span frame);
/* A message between two users in ROOM, as the server sends it. */
struct message direct_message(struct world *world, uint32_t number,
                              uint64_t seq);

/* Exactly `count` faults of this kind and no others were found. */
void assert_faults(struct world *world, enum fault fault, uint64_t count);
void assert_clean(struct world *world);

#endif
