/*
 * Key and headers of any record of message_events. Text that is accepted whole
 * must be written back unchanged.
 */
#include "common/base/buf.h"
#include "common/wire/event.h"
#include "common/wire/pair.h"
#include "tests/fuzz/fuzz.h"

static void check_key(struct span key)
{
	struct buf again CLEANUP(buf_free) = BUF(key.len);
	struct span rest = key;
	uint64_t user;

	while (event_key_next(&rest, &user)) {
		must(user >= 1 && user <= JSON_ID_MAX);
		must(event_partition(user, 12) < 12);
		must(event_partition(user, 1) == 0);
		event_key_add(&again, user);
	}
	must(!buf_overflowed(&again));
	if (rest.len == 0)
		must(span_equal(buf_span(&again), key));
}

static void check_origin(struct span text)
{
	struct event_origin origin;
	char again[EVENT_ORIGIN_LEN + 1] = {0};

	if (!event_origin_parse(text, &origin))
		return;
	event_origin_format(&origin, again);
	must(span_equal(span_make(again, EVENT_ORIGIN_LEN), text));
}

static void check_room_key(struct span key)
{
	struct buf again CLEANUP(buf_free) = BUF(key.len);
	uint64_t room;

	if (!event_key_is_room(key, &room))
		return;
	must(room >= 1 && room <= JSON_ID_MAX);
	event_key_room(&again, room);
	must(span_equal(buf_span(&again), key));
}

static void check_room_users(struct span users)
{
	struct buf again CLEANUP(buf_free) = BUF(users.len);
	struct span rest = users;
	uint64_t user, from;

	while (event_room_next(&rest, &user, &from)) {
		must(user >= 1 && user <= JSON_ID_MAX && from <= JSON_ID_MAX);
		event_room_add(&again, user, from);
	}
	if (rest.len == 0)
		must(span_equal(buf_span(&again), users));
}

static void check_room(struct span text)
{
	struct buf again CLEANUP(buf_free) = BUF(text.len);
	struct event_room room;

	if (!event_room_parse(text, &room))
		return;
	must(room.conversation >= 1 && room.seq >= 1);
	must(room.sign == '+' || room.sign == '-' || room.sign == '=');
	must((room.sign == '=') == (room.users.len == 0));
	event_room_format(&again, &room);
	must(span_equal(buf_span(&again), text));
	check_room_users(room.users);
}

static void check_rooms(struct span text)
{
	struct buf again CLEANUP(buf_free) = BUF(text.len);
	struct span rest = text;
	uint64_t room, seq, from;

	while (event_rooms_next(&rest, &room, &seq, &from)) {
		must(room >= 1 && seq >= 1 && seq <= JSON_ID_MAX);
		event_rooms_add(&again, room, seq, from);
	}
	must(!buf_overflowed(&again));
	if (rest.len == 0)
		must(span_equal(buf_span(&again), text));
}

static void check_answer(struct span text)
{
	struct buf again CLEANUP(buf_free) = BUF(text.len + 1);
	struct span rest = text, rooms, blockers;
	uint64_t user;
	bool bare = false; /* a ";" without blockers is not written */

	while (event_answer_next(&rest, &user, &rooms, &blockers)) {
		must(user >= 1 && user <= JSON_ID_MAX);
		check_rooms(rooms);
		check_key(blockers);
		event_answer_add(&again, user, rooms, blockers, false);
		(void)event_blockers_cut(blockers);
		bare |= blockers.len == 0;
	}
	while (event_departures_next(&rest, &user, &rooms)) {
		must(user >= 1 && user <= JSON_ID_MAX);
		check_rooms(rooms);
		event_departures_add(&again, user, rooms);
	}
	must(!buf_overflowed(&again));
	if (rest.len == 0 && !bare)
		must(span_equal(buf_span(&again), text));
}

static void check_keys(struct span text)
{
	struct buf again CLEANUP(buf_free) = BUF(text.len);
	struct span rest = text, record_key;
	struct pair pair;
	uint64_t conversation;

	while (event_keys_next(&rest, &conversation, &record_key)) {
		must(conversation >= 1 && conversation <= JSON_ID_MAX);
		if (pair_read(record_key, &pair))
			must(pair.low <= JSON_ID_MAX &&
			     pair.high <= JSON_ID_MAX);
		event_keys_add(&again, conversation, record_key);
	}
	must(!buf_overflowed(&again));
	if (rest.len == 0)
		must(span_equal(buf_span(&again), text));
}

static void check_roster(struct span text)
{
	struct buf again CLEANUP(buf_free) = BUF(text.len);
	struct event_roster roster;

	if (!event_roster_parse(text, &roster))
		return;
	must(roster.conversation >= 1);
	buf_number(&again, roster.conversation);
	buf_byte(&again, ':');
	buf_append(&again, roster.users);
	must(span_equal(buf_span(&again), text));
	check_key(roster.users);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_key(span_make(data, size));
	check_origin(span_make(data, size));
	check_room_key(span_make(data, size));
	check_room(span_make(data, size));
	check_rooms(span_make(data, size));
	check_answer(span_make(data, size));
	check_keys(span_make(data, size));
	check_roster(span_make(data, size));
	return 0;
}
