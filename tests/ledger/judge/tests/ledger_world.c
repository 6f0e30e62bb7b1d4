#include "tests/ledger/judge/tests/ledger_world.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/ledger_state.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/rooms.h"
#include "tests/ledger/judge/sessions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const struct ledger_device_id alice = {ALICE, 0}, alice_too = {ALICE, 1},
			      bob = {BOB, 0}, bob_too = {BOB, 1},
			      carol = {CAROL, 0};

struct world *world_create(unsigned users, unsigned text_bytes,
                           const struct ledger_room_config *room)
{
	const struct ledger_config plan = {
		.users = users, .devices = DEVICES, .text_bytes = text_bytes};
	struct world *world = mem_new(sizeof(*world));

	world->ledger = ledger_create(&plan);
	if (room)
		(void)rooms_add(world->ledger, room);
	for (unsigned user = 0; user < users; user++) {
		ledger_set_user_id(world->ledger, user, FIRST_ID + user);
		for (unsigned device = 0; device < DEVICES; device++)
			sessions_welcome(
				world->ledger,
				(struct ledger_device_id){user, device},
				tick(world));
	}
	return world;
}

void world_judge_cuts(struct world *world)
{
	world->ledger->config.judge_cuts = true;
}

int world_destroy(void **state)
{
	struct world *world = *state;

	while (world->frame_count)
		json_destroy(&world->frames[--world->frame_count]);
	ledger_destroy(&world->ledger);
	mem_free(&world);
	return 0;
}

uint64_t tick(struct world *world)
{
	return world->now_us += 1000;
}

static struct json *keep(struct world *world, struct span frame)
{
	struct json **json = &world->frames[world->frame_count++];

	assert_true(world->frame_count <= FRAMES_MAX);
	assert_int_equal(message_parse(frame, json), ST_OK);
	return *json;
}

struct message parse(struct world *world, struct span frame)
{
	struct message message;

	assert_true(message_read(keep(world, frame), &message));
	return message;
}

struct message direct_message(struct world *world, uint32_t number,
                              uint64_t seq)
{
	struct buf frame CLEANUP(buf_free) = BUF(4096);
	struct ledger_message_state line = messages_get(world->ledger, number);
	struct message message = {.conversation = ROOM, .seq = seq};
	const struct json *json;
	struct span uuid;

	messages_frame(world->ledger, number, &frame);
	json = keep(world, buf_span(&frame));
	assert_true(json_get_text(json, "uuid", &uuid));
	assert_true(uuid_parse(uuid, &message.uuid));
	assert_true(json_get_text(json, "message", &message.text));
	message.user_from = FIRST_ID + line.from.user;
	message.user_to = FIRST_ID + line.to;
	return message;
}

void assert_faults(struct world *world, enum fault fault, uint64_t count)
{
	const struct ledger_totals *totals = ledger_totals(world->ledger);

	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		if (totals->fault[i] != (i == fault ? count : 0))
			fail_msg("%llu %s: %s",
			         (unsigned long long)totals->fault[i],
			         fault_names[i],
			         ledger_example(world->ledger, 0));
	}
	assert_true(count == 0 || ledger_example(world->ledger, 0));
}

void assert_clean(struct world *world)
{
	assert_faults(world, FAULT_lost, 0);
}
