#include "common/wire/event.h"

#include <assert.h>

#define ID_MAX ((UINT64_C(1) << 53) - 1)

/*
 * The finaliser of MurmurHash3 spreads neighbouring ids over all partitions. It
 * must never change, like the number of partitions.
 */
uint32_t event_partition(uint64_t user, uint32_t partitions)
{
	assert(partitions > 0);
	user ^= user >> 33;
	user *= UINT64_C(0xff51afd7ed558ccd);
	user ^= user >> 33;
	user *= UINT64_C(0xc4ceb9fe1a85ec53);
	user ^= user >> 33;
	return (uint32_t)(user % partitions);
}

static bool read_id(struct span text, uint64_t *ret_id)
{
	return span_to_u64(text, ID_MAX, ret_id) && *ret_id != 0;
}

void event_key_add(struct buf *key, uint64_t user)
{
	if (key->len)
		buf_byte(key, ',');
	buf_number(key, user);
}

bool event_key_next(struct span *key, uint64_t *ret_user)
{
	uint64_t user;
	struct span rest;
	struct span id = span_cut(*key, ',', &rest);
	bool comma_at_end = id.len < key->len && rest.len == 0;

	if (key->len == 0 || comma_at_end || !read_id(id, &user))
		return false;
	*key = rest;
	*ret_user = user;
	return true;
}

void event_key_room(struct buf *key, uint64_t conversation)
{
	buf_append(key, SPAN("c:"));
	buf_number(key, conversation);
}

bool event_key_is_room(struct span key, uint64_t *ret_conversation)
{
	return key.len > 2 && key.data[0] == 'c' && key.data[1] == ':' &&
	       read_id(span_make(key.data + 2, key.len - 2), ret_conversation);
}

void event_room_format(struct buf *out, const struct event_room *room)
{
	buf_number(out, room->conversation);
	buf_byte(out, ':');
	buf_number(out, room->seq);
	buf_byte(out, ':');
	buf_byte(out, room->sign);
	buf_append(out, room->users);
}

bool event_room_parse(struct span text, struct event_room *ret_room)
{
	struct span rest, change;
	struct span conversation = span_cut(text, ':', &rest);
	struct span seq = span_cut(rest, ':', &change);
	struct event_room room;

	if (!read_id(conversation, &room.conversation) ||
	    !read_id(seq, &room.seq) || change.len == 0)
		return false;
	room.sign = *change.data;
	room.users = span_make(change.data + 1, change.len - 1);
	if (room.sign == '=' ? room.users.len != 0
	                     : (room.sign != '+' && room.sign != '-') ||
	                               room.users.len == 0)
		return false;
	*ret_room = room;
	return true;
}

/* "42" or "42.41"; the second number defaults to 0. */
static bool read_two(struct span text, uint64_t *ret_first,
                     uint64_t *ret_second)
{
	struct span second;
	struct span first = span_cut(text, '.', &second);

	*ret_second = 0;
	return read_id(first, ret_first) &&
	       (first.len == text.len || read_id(second, ret_second));
}

static void write_two(struct buf *out, uint64_t first, uint64_t second)
{
	buf_number(out, first);
	if (!second)
		return;
	buf_byte(out, '.');
	buf_number(out, second);
}

void event_room_add(struct buf *users, uint64_t user, uint64_t from)
{
	if (users->len)
		buf_byte(users, ',');
	write_two(users, user, from);
}

bool event_room_next(struct span *users, uint64_t *ret_user, uint64_t *ret_from)
{
	struct span rest;
	struct span user = span_cut(*users, ',', &rest);
	bool comma_at_end = user.len < users->len && rest.len == 0;

	if (comma_at_end || !read_two(user, ret_user, ret_from))
		return false;
	*users = rest;
	return true;
}

void event_rooms_add(struct buf *out, uint64_t conversation, uint64_t seq,
                     uint64_t from)
{
	if (out->len)
		buf_byte(out, ',');
	buf_number(out, conversation);
	buf_byte(out, ':');
	write_two(out, seq, from);
}

bool event_rooms_next(struct span *rooms, uint64_t *ret_conversation,
                      uint64_t *ret_seq, uint64_t *ret_from)
{
	struct span rest, seq;
	struct span room = span_cut(*rooms, ',', &rest);
	struct span conversation = span_cut(room, ':', &seq);
	bool comma_at_end = room.len < rooms->len && rest.len == 0;

	if (comma_at_end || !read_id(conversation, ret_conversation) ||
	    !read_two(seq, ret_seq, ret_from))
		return false;
	*rooms = rest;
	return true;
}

void event_answer_add(struct buf *out, uint64_t user, struct span rooms,
                      struct span blockers, bool cut)
{
	if (out->len)
		buf_byte(out, '/');
	buf_number(out, user);
	buf_byte(out, '=');
	buf_append(out, rooms);
	if (blockers.len == 0 && !cut)
		return;
	buf_byte(out, ';');
	buf_append(out, blockers);
	if (cut)
		buf_append(out, blockers.len ? SPAN(",+") : SPAN("+"));
}

bool event_blockers_cut(struct span rest)
{
	return span_equal(rest, SPAN("+"));
}

bool event_answer_next(struct span *answer, uint64_t *ret_user,
                       struct span *ret_rooms, struct span *ret_blockers)
{
	struct span rest, known;
	struct span one = span_cut(*answer, '/', &rest);
	struct span user = span_cut(one, '=', &known);
	bool slash_at_end = one.len < answer->len && rest.len == 0;

	if (slash_at_end || user.len == one.len || !read_id(user, ret_user))
		return false;
	*answer = rest;
	*ret_rooms = span_cut(known, ';', ret_blockers);
	return true;
}

void event_departures_add(struct buf *out, uint64_t user, struct span rooms)
{
	if (out->len)
		buf_byte(out, '/');
	buf_byte(out, '-');
	buf_number(out, user);
	buf_byte(out, '=');
	buf_append(out, rooms);
}

bool event_departures_next(struct span *answer, uint64_t *ret_user,
                           struct span *ret_rooms)
{
	struct span rest, rooms;
	struct span one = span_cut(*answer, '/', &rest);
	struct span user = span_cut(one, '=', &rooms);
	bool slash_at_end = one.len < answer->len && rest.len == 0;

	if (slash_at_end || user.len == one.len || user.len < 2 ||
	    *user.data != '-' ||
	    !read_id(span_make(user.data + 1, user.len - 1), ret_user))
		return false;
	*answer = rest;
	*ret_rooms = rooms;
	return true;
}

void event_keys_add(struct buf *out, uint64_t conversation, struct span key)
{
	if (out->len)
		buf_byte(out, ',');
	buf_number(out, conversation);
	buf_byte(out, '=');
	buf_append(out, key);
}

bool event_keys_next(struct span *keys, uint64_t *ret_conversation,
                     struct span *ret_key)
{
	struct span rest, key;
	struct span one = span_cut(*keys, ',', &rest);
	struct span conversation = span_cut(one, '=', &key);
	bool comma_at_end = one.len < keys->len && rest.len == 0;

	if (comma_at_end || conversation.len == one.len ||
	    !read_id(conversation, ret_conversation))
		return false;
	*keys = rest;
	*ret_key = key;
	return true;
}

bool event_block_parse(struct span text, bool *ret_blocks, uint64_t *ret_user)
{
	if (text.len < 2 || (*text.data != '+' && *text.data != '-') ||
	    !read_id(span_make(text.data + 1, text.len - 1), ret_user))
		return false;
	*ret_blocks = *text.data == '+';
	return true;
}

bool event_roster_parse(struct span text, struct event_roster *ret_roster)
{
	struct span users;
	struct span conversation = span_cut(text, ':', &users);
	uint64_t id;

	if (conversation.len == text.len || !read_id(conversation, &id))
		return false;
	*ret_roster = (struct event_roster){id, users};
	return true;
}

static char *hex_write(char *at, uint64_t number)
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++)
		*at++ = hex[number >> (60 - 4 * i) & 15];
	return at;
}

void event_origin_format(const struct event_origin *origin, char *text)
{
	text = hex_write(text, origin->gateway);
	*text++ = '-';
	text = hex_write(text, origin->connection);
	*text++ = '-';
	(void)hex_write(text, origin->send);
}

static bool hex_read(const char *at, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < 16; i++) {
		char c = at[i];

		if (c >= '0' && c <= '9')
			number = number << 4 | (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (unsigned)(c - 'a' + 10);
		else
			return false;
	}
	*ret_number = number;
	return true;
}

bool event_origin_parse(struct span text, struct event_origin *ret_origin)
{
	struct event_origin origin;

	if (text.len != EVENT_ORIGIN_LEN || text.data[16] != '-' ||
	    text.data[33] != '-' || !hex_read(text.data, &origin.gateway) ||
	    !hex_read(text.data + 17, &origin.connection) ||
	    !hex_read(text.data + 34, &origin.send))
		return false;
	*ret_origin = origin;
	return true;
}
