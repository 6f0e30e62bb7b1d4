/*
 * event - one record of the topic message_events: a frame for the sockets of
 * some users. docs/protocol/message_events.md
 *
 * A room is a conversation that is too large for a list of its members in each
 * key: gateways know the members instead.
 *
 * Key        the recipients: decimal user ids with commas, "17,23", or a room,
 *            "c:17": all members of that conversation.
 * Value      the frame, byte for byte as a socket gets it; empty when the
 *            header says all.
 * Partition  event_partition() of the user. Each partition with a recipient
 *            gets one record, so that the frames of a user keep their order.
 *            A record for a room goes to every partition.
 * Header     usually one, so that a gateway parses no JSON:
 *            "origin"  of a message: the socket and the send that it came
 *                      from; that socket does not get it
 *            "settles" of a state: the send that is settled; with "rooms" and
 *                      "keys": the query of a gateway that is answered
 *            "room"    a change of the members of a conversation: event_room
 *            "rooms"   the rooms of some users, and the users who block them:
 *                      event_answer_next(); only the gateway of the query reads
 *                      it, in any partition
 *            "keys"    the keys of some conversations: event_keys_next();
 *                      with "settles", like "rooms"
 *            "seq"     of a record for a room, with "origin" or "room": the
 *                      entry that it carries or changes; members who cannot see
 *                      that entry do not get the record
 *            "blocker" a user blocks ("+3") or unblocks ("-3") the user of the
 *                      key
 *            "blocked" the user of the key blocks ("+2") or unblocks ("-2")
 *                      that user
 *            "roster"  the other members of a conversation: event_roster
 */
#ifndef PARLEY_WIRE_EVENT_H
#define PARLEY_WIRE_EVENT_H

#include "common/base/buf.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

#define EVENT_ORIGIN_HEADER  "origin" /* also of a record of message_save */
#define EVENT_SETTLES_HEADER "settles"
#define EVENT_ROOM_HEADER    "room"
#define EVENT_SEQ_HEADER     "seq"
#define EVENT_ROOMS_HEADER   "rooms"
#define EVENT_KEYS_HEADER    "keys"
#define EVENT_ROSTER_HEADER  "roster"
#define EVENT_BLOCKER_HEADER "blocker"
#define EVENT_BLOCKED_HEADER "blocked"

/* The partition of message_events with the frames of this user. */
uint32_t event_partition(uint64_t user, uint32_t partitions);

/* Appends a user to a key. */
void event_key_add(struct buf *key, uint64_t user);
/*
 * Removes the next user from the front of *key. False at the end, and at text
 * that is not an id (then *key stays non-empty).
 */
bool event_key_next(struct span *key, uint64_t *ret_user);

/* Appends the key of a room. */
void event_key_room(struct buf *key, uint64_t conversation);
/* False when the key is not that of a room. */
bool event_key_is_room(struct span key, uint64_t *ret_conversation);

/*
 * A change of the members of a conversation. "17:43:+5,6.42": entry 43 of
 * conversation 17 added users 5 and 6, and 6 sees the entries after 42. '-':
 * removed; '=': no member changed, without users. Of two changes of one user in
 * one room, the change with the higher seq is valid.
 */
struct event_room {
	uint64_t conversation;
	uint64_t seq;
	char sign;         /* '+', '-', '=' */
	struct span users; /* for event_room_next() */
};

/* Appends a user who sees the entries after `from`; 0: all. */
void event_room_add(struct buf *users, uint64_t user, uint64_t from);
bool event_room_next(struct span *users, uint64_t *ret_user,
                     uint64_t *ret_from);
void event_room_format(struct buf *out, const struct event_room *room);
bool event_room_parse(struct span text, struct event_room *ret_room);

/*
 * The rooms and blockers of some users. "5=17:43.42,19:7;3,4/6=": user 5 is in
 * room 17, as of its entry 43, and sees the entries after 42; 5 is also in room
 * 19; users 3 and 4 block 5 (for event_key_next()). User 6 is in no room and no
 * user blocks 6. Appends one user.
 *
 * A list of blockers that is too long for an answer ends with "+": "5=;3,4,+".
 * Any user with a higher id than the last one listed may block 5, too.
 */
void event_answer_add(struct buf *out, uint64_t user, struct span rooms,
                      struct span blockers, bool cut);
/* Whether "+" is what event_key_next() left of a list of blockers. */
bool event_blockers_cut(struct span rest);
/*
 * Removes the next user from the front. False at the end, at departures, and at
 * malformed text (then *answer stays non-empty).
 */
bool event_answer_next(struct span *answer, uint64_t *ret_user,
                       struct span *ret_rooms, struct span *ret_blockers);
/*
 * The rooms that a user has left, behind all users of the answer: "-5=18:40":
 * user 5 is not in room 18 since its entry 40. Append those of one user, with
 * event_rooms_add(); or remove the next from the front, when
 * event_answer_next() has ended.
 */
void event_departures_add(struct buf *out, uint64_t user, struct span rooms);
bool event_departures_next(struct span *answer, uint64_t *ret_user,
                           struct span *ret_rooms);
/* The rooms of one user: append one, or remove the next. */
void event_rooms_add(struct buf *out, uint64_t conversation, uint64_t seq,
                     uint64_t from);
bool event_rooms_next(struct span *rooms, uint64_t *ret_conversation,
                      uint64_t *ret_seq, uint64_t *ret_from);

/*
 * The keys of conversations in message_save. "17=d:2:5,19=c:19,21=": 17 is the
 * conversation of users 2 and 5, 19 is a group or channel, 21 does not exist.
 * Append one, or remove the next from the front; false at the end, and at
 * malformed text (then *keys stays non-empty). The key may be any text.
 */
void event_keys_add(struct buf *out, uint64_t conversation, struct span key);
bool event_keys_next(struct span *keys, uint64_t *ret_conversation,
                     struct span *ret_key);

/* "blocker" and "blocked". */
bool event_block_parse(struct span text, bool *ret_blocks, uint64_t *ret_user);

/*
 * The recipients of a user's typing in a conversation, "17:2,3". "17:" without
 * recipients: the user is not a member, or the conversation is a room.
 */
struct event_roster {
	uint64_t conversation;
	struct span users; /* for event_key_next() */
};

bool event_roster_parse(struct span text, struct event_roster *ret_roster);

struct event_origin {
	uint64_t gateway;    /* random, of one gateway process */
	uint64_t connection; /* serial within the gateway, from 1 */
	uint64_t send;       /* serial within the connection, from 1 */
};

enum { EVENT_ORIGIN_LEN = 3 * 16 + 2 };

/*
 * Hexadecimal, "gggggggggggggggg-cccccccccccccccc-ssssssssssssssss"; `text` has
 * room for EVENT_ORIGIN_LEN and gets no NUL.
 */
void event_origin_format(const struct event_origin *origin, char *text);
bool event_origin_parse(struct span text, struct event_origin *ret_origin);

#endif
