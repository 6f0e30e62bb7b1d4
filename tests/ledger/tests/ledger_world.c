#include "tests/ledger/tests/ledger_world.h"

#include "common/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const struct ledger_place alice = {ALICE, 0}, alice_too = {ALICE, 1},
			  bob = {BOB, 0}, bob_too = {BOB, 1},
			  carol = {CAROL, 0};

struct world *world_create(unsigned people, unsigned text_bytes,
                           const struct ledger_room_plan *room)
{
	const struct ledger_plan plan = {
		.users = people, .devices = DEVICES, .text_bytes = text_bytes};
	struct world *world = mem_new(sizeof(*world));

	world->book = ledger_book_create(&plan);
	if (room)
		(void)ledger_book_room(world->book, room);
	for (unsigned user = 0; user < people; user++) {
		ledger_book_user(world->book, user, FIRST_ID + user);
		for (unsigned device = 0; device < DEVICES; device++)
			ledger_book_welcome(world->book,
			                    (struct ledger_place){user, device},
			                    tick(world));
	}
	return world;
}

int world_destroy(void **state)
{
	struct world *world = *state;

	while (world->frame_count)
		json_destroy(&world->frames[--world->frame_count]);
	ledger_book_destroy(&world->book);
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

struct message told_to_one(struct world *world, uint32_t number, uint64_t seq)
{
	struct buf frame CLEANUP(buf_free) = BUF(4096);
	struct ledger_line line = ledger_book_line(world->book, number);
	struct message message = {.conversation = ROOM, .seq = seq};
	const struct json *json;
	struct span uuid;

	ledger_book_frame(world->book, number, &frame);
	json = keep(world, buf_span(&frame));
	assert_true(json_get_text(json, "uuid", &uuid));
	assert_true(uuid_parse(uuid, &message.uuid));
	assert_true(json_get_text(json, "message", &message.text));
	message.user_from = FIRST_ID + line.from.user;
	message.user_to = FIRST_ID + line.to;
	return message;
}
