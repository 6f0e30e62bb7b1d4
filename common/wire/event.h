/*
 * event - one record of the topic message_events: a frame on its way to the
 * sockets of some users. docs/protocol/message_events.md
 *
 * Key        whom it is for: users by their decimal ids with commas, "17,23",
 *            or a room, "c:17": all who are in that conversation.
 * Value      the frame, byte for byte as a socket gets it; empty when there is
 *            nothing to hand on but what the header says.
 * Partition  event_partition() of the user; one record for each partition that
 *            holds a recipient, so that each user's frames keep their order.
 *            What is for a room goes to every partition.
 * Header     one as a rule, so that a gateway needs to read no JSON:
 *            "origin"  on a message: the socket and the send that it comes
 *                      from; leave that socket out
 *            "settles" on a state: that send is settled; beside "rooms": that
 *                      question of that gateway is answered
 *            "room"    who is in a conversation has changed: event_room
 *            "rooms"   which rooms some users are in, and who blocks them:
 *                      event_answer_next(); only the gateway that asked takes
 *                      it, in whichever partition it lies
 *            "seq"     beside "origin" and "room" of what is for a room: which
 *                      entry it is or changes; who does not see that entry
 *                      does not get it
 *            "blocker" a user blocks the one of the key ("+3"), or does so no
 *                      more ("-3")
 *            "roster"  who is in a conversation: event_roster
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
#define EVENT_ROSTER_HEADER  "roster"
#define EVENT_BLOCKER_HEADER "blocker"

/* The partition of topic message_events that has this user's frames. */
uint32_t event_partition(uint64_t user, uint32_t partitions);

/* Appends a user to a key. */
void event_key_add(struct buf *key, uint64_t user);
/*
 * Takes the next user from the front of *key. False at the end, and at the
 * first thing that is no id (then *key is left non-empty).
 */
bool event_key_next(struct span *key, uint64_t *ret_user);

/* The key of a room; appended. */
void event_key_room(struct buf *key, uint64_t conversation);
/* False when it is none. */
bool event_key_is_room(struct span key, uint64_t *ret_conversation);

/*
 * A change of who is in a conversation, "17:43:+5,6.42": in conversation 17, by
 * its entry 43, 5 and 6 came in, and 6 sees the entries behind 42 ('-': went,
 * '=': neither; then without users). Of two about one user and room that with
 * the higher seq is true.
 */
struct event_room {
	uint64_t conversation;
	uint64_t seq;
	char sign;         /* '+', '-', '=' */
	struct span users; /* for event_room_next() */
};

/* Appends a user who sees the entries behind `from`; 0: all. */
void event_room_add(struct buf *users, uint64_t user, uint64_t from);
bool event_room_next(struct span *users, uint64_t *ret_user,
                     uint64_t *ret_from);
void event_room_format(struct buf *out, const struct event_room *room);
bool event_room_parse(struct span text, struct event_room *ret_room);

/*
 * What is known of some users, "5=17:43.42,19:7;3,4/6=": 5 is in the rooms of
 * conversation 17, as of its entry 43, where they see the entries behind 42,
 * and 19, and blocked by 3 and 4 (for event_key_next()); 6 is in none, and
 * blocked by nobody. Adds one of them.
 */
void event_answer_add(struct buf *out, uint64_t user, struct span rooms,
                      struct span blockers);
/*
 * Takes the next from the front. False at the end, and at the first that is
 * none (then *answer is left non-empty).
 */
bool event_answer_next(struct span *answer, uint64_t *ret_user,
                       struct span *ret_rooms, struct span *ret_blockers);
/* The rooms of one; add or take one. */
void event_rooms_add(struct buf *out, uint64_t conversation, uint64_t seq,
                     uint64_t from);
bool event_rooms_next(struct span *rooms, uint64_t *ret_conversation,
                      uint64_t *ret_seq, uint64_t *ret_from);

bool event_blocker_parse(struct span text, bool *ret_blocks,
                         uint64_t *ret_user);

/*
 * Whom a user's typing in a conversation is for, "17:2,3"; "17:" for nobody,
 * for who asked is not in it, or it is a room.
 */
struct event_roster {
	uint64_t conversation;
	struct span users; /* for event_key_next() */
};

bool event_roster_parse(struct span text, struct event_roster *ret_roster);

struct event_origin {
	uint64_t gateway;    /* random, of one gateway process's life */
	uint64_t connection; /* its serial there, from 1 */
	uint64_t send;       /* the serial of the message there, from 1 */
};

enum { EVENT_ORIGIN_LEN = 3 * 16 + 2 };

/* Hexadecimal, "gggggggggggggggg-cccccccccccccccc-ssssssssssssssss". */
void event_origin_format(const struct event_origin *origin, char *text);
bool event_origin_parse(struct span text, struct event_origin *ret_origin);

#endif
