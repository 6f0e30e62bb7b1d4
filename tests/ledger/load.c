#include "tests/ledger/load.h"
#include "tests/ledger/clients/seeded_random.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/rooms.h"

enum {
	ROOM_SHARE = 4,   /* one message of this many goes to a room */
	BURST_SHARE = 16, /* one of this many to a user is a burst */
	BURST = 5,
	RECENT = 200, /* messages that edits choose from */
	TARGET_TRIES = 8,
};

/* Half of the edits are reactions. */
static const enum ledger_edit_kind kinds[] = {
	LEDGER_REACT, LEDGER_REACT, LEDGER_REACT, LEDGER_REACT,
	LEDGER_EDIT,  LEDGER_EDIT,  LEDGER_EDIT,  LEDGER_DELETE,
};

static uint64_t draw(struct run *run, uint64_t below)
{
	return seeded_random_below(&run->random, below);
}

static void write_to_room(struct run *run, uint64_t due_us)
{
	unsigned room = (unsigned)draw(run, run->options->groups);
	struct ledger_device_id from = {
		room_churn_member(run->rooms, room, draw(run, UINT32_MAX)),
		(unsigned)draw(run, run->config.devices),
	};
	uint32_t number =
		messages_write_to_room(run->ledger, from, room, due_us);

	user_send(run->users[from.user], from.device, number);
}

/*
 * Users form a circle and write to their neighbours on both sides; sometimes to
 * themselves. Some write a burst: the messages must be saved in the order sent,
 * although every second one names the conversation instead of the user.
 */
static unsigned write_to_user(struct run *run, uint64_t due_us)
{
	struct ledger_device_id from = {
		(unsigned)draw(run, run->config.users),
		(unsigned)draw(run, run->config.devices),
	};
	uint64_t side = run->options->peers / 2;
	uint64_t step = draw(run, 2 * side + 1);
	unsigned to = (unsigned)((from.user + run->config.users + step - side) %
	                         run->config.users);
	unsigned count = draw(run, BURST_SHARE) == 0 ? BURST : 1;

	for (unsigned i = 0; i < count; i++)
		user_send(run->users[from.user], from.device,
		          messages_write(run->ledger, from, to, due_us));
	return count;
}

/* --- edits --------------------------------------------------------------- */
/* A late message that is known to be saved; false: none was found. */
static bool draw_target(struct run *run, uint32_t *ret_number)
{
	uint32_t count = messages_count(run->ledger);
	uint32_t recent = count < RECENT ? count : RECENT;

	for (unsigned tries = 0; tries < TARGET_TRIES && count; tries++) {
		uint32_t number = count - 1 - (uint32_t)draw(run, recent);
		struct ledger_message_state line =
			messages_get(run->ledger, number);

		*ret_number = number;
		if (line.saved_us && !line.refused)
			return true;
	}
	return false;
}

/* Anybody of the conversation reacts; the author edits and deletes. */
static void write_edit(struct run *run)
{
	struct ledger_edit edit = {
		.kind = kinds[draw(run, ARRAY_LEN(kinds))],
		.reaction = (unsigned)draw(run, LEDGER_REACTIONS),
		.remove = draw(run, 3) == 0,
		.from.device = (unsigned)draw(run, run->config.devices),
	};
	uint64_t any = draw(run, UINT32_MAX);
	struct ledger_message_state line;

	if (!draw_target(run, &edit.target))
		return;
	line = messages_get(run->ledger, edit.target);
	edit.from.user = line.from.user;
	if (edit.kind == LEDGER_REACT && line.to_room)
		edit.from.user = room_churn_member(run->rooms, line.to, any);
	else if (edit.kind == LEDGER_REACT && any % 2)
		edit.from.user = line.to;
	user_send_edit(run->users[edit.from.user], edit.from.device,
	               edits_write(run->ledger, &edit));
}

/* --- typing -------------------------------------------------------------- */
/* In a room, with a neighbour, or in a pair while one of them blocks the other.
 */
static void type(struct run *run)
{
	uint64_t conversation = 0, any = draw(run, UINT32_MAX);
	unsigned device = (unsigned)draw(run, run->config.devices);
	unsigned user = (unsigned)draw(run, run->config.users);
	unsigned other = (user + 1) % run->config.users;

	if (run->options->groups && any % 3 == 0) {
		unsigned room = (unsigned)(any / 3 % run->options->groups);

		user = room_churn_member(run->rooms, room, any);
		conversation = rooms_conversation(run->ledger, room);
	} else if (any % 3 == 1 ? block_churn_typist(run->blocks, any / 3,
	                                             &user, &other)
	                        : !block_churn_has(run->blocks, user, other)) {
		conversation = messages_conversation(run->ledger, user, other);
	}
	if (conversation)
		user_type(run->users[user], device, conversation);
}

/* --- all ----------------------------------------------------------------- */
void load_send_due(struct run *run, uint64_t now_us)
{
	uint64_t rate = run->options->rate;

	for (;;) {
		uint64_t due_us = run->start_us + run->due * 1000000 / rate;

		if (due_us > now_us || due_us >= run->stop_us)
			return;
		if (run->options->groups && draw(run, ROOM_SHARE) == 0)
			write_to_room(run, due_us);
		else
			run->due += write_to_user(run, due_us) - 1;
		if (draw(run, 100) < run->options->edits)
			write_edit(run);
		if (draw(run, 100) < run->options->typing)
			type(run);
		run->due++;
	}
}
