/*
 * ledger_book - every message of a ledger run: who wrote it, what was answered,
 * who was told. Judges what it is told as it comes, and all of it at the end.
 *
 * A message is to a user, or to a room: a group or channel. Who is in a room
 * says the room itself, by its `member` entries: what has a seq concerns those
 * who were in it by the entries below that seq, and nobody else.
 *
 * No I/O. A message is a number, from 0; its uuid and its text follow from the
 * run and that number, so what comes back can be held against what was sent.
 *
 * A user has some devices, each a socket at a time. A session of a device
 * begins with its welcome: what is first sent after that must arrive on it.
 *
 * Ownership  what it is given is only read.
 * Units      _us is monotonic microseconds.
 * Source     the checks are those of Jepsen's kafka and set-full workloads,
 *            https://github.com/jepsen-io/jepsen
 */
#ifndef PARLEY_TESTS_LEDGER_LEDGER_BOOK_H
#define PARLEY_TESTS_LEDGER_LEDGER_BOOK_H

#include "client-test/client/message.h"
#include "common/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	LEDGER_DEVICES_MAX = 8,
	LEDGER_EXAMPLES_MAX = 20,
	LEDGER_SEATS_MAX = 64,
};

/*	name            what was seen */
#define LEDGER_FAULTS(X) \
	X(lost, "answered, and not in the history of its members") \
	X(undelivered, "in the history, and never at a device") \
	X(unheard, "sent after a welcome, and not on that live socket") \
	X(duplicates, "twice in a history, or one seq for two messages") \
	X(misordered, "below a message that came or was sent later") \
	X(gaps, "a seq that is missing, or is no seq") \
	X(misrouted, "at somebody whom it does not concern") \
	X(phantom, "never sent") \
	X(corrupt, "with another text than was sent") \
	X(split, "of which two were told differently") \
	X(refused, "refused for good, though nothing was wrong with it") \
	X(receipts, "of which a receipt is ahead, goes back or is missing")

enum ledger_fault {
#define LEDGER_FAULT_ENUM(name, text) LEDGER_##name,
	LEDGER_FAULTS(LEDGER_FAULT_ENUM)
#undef LEDGER_FAULT_ENUM
		LEDGER_FAULT_COUNT
};

extern const char *const ledger_fault_names[LEDGER_FAULT_COUNT];
extern const char *const ledger_fault_texts[LEDGER_FAULT_COUNT];

struct ledger_book;

struct ledger_plan {
	unsigned users;
	unsigned devices; /* of each */
	unsigned text_bytes;
	/* The server's FANOUT_LIST_MAX; 0: rooms never grow past it. In one
	   that may, others are not told who has read what. */
	unsigned list_max;
};

/* A socket's place: user from 0, device from 0. */
struct ledger_place {
	unsigned user;
	unsigned device;
};

/* One message as it stands now; times are 0 until they are known. */
struct ledger_line {
	struct ledger_place from;
	unsigned to; /* a user, or a room */
	bool to_room;
	uint64_t due_us;
	uint64_t sent_us;  /* first put on the wire */
	uint64_t acked_us; /* first `accepted` or `saved` */
	uint64_t saved_us; /* first `saved` */
	bool accepted;
	bool refused;
	bool known; /* its sender knows by some way that it is saved */
};

struct ledger_totals {
	uint64_t fault[LEDGER_FAULT_COUNT];
	uint64_t sent, accepted, saved, stored;
	uint64_t unknown;         /* never answered and not stored: allowed */
	uint64_t unanswered_kept; /* never answered and stored: allowed */
	uint64_t wire_duplicates; /* frames that came again: allowed, counted */
	uint64_t received;        /* first receipts by devices */
	uint64_t to_rooms;        /* of those sent */
	uint64_t changes;         /* of rooms, that were heard of */
	uint64_t receipts;        /* said by devices */
	uint64_t receipts_told;   /* frames */
	uint64_t old_receipts;    /* behind what was told before: allowed */
	uint64_t turned_away; /* sent by who perhaps was no member: allowed */
};

struct ledger_book *ledger_book_create(const struct ledger_plan *plan);
void ledger_book_destroy(struct ledger_book **book);
/* A user's id, once signed in; before anything else about that user. */
void ledger_book_user(struct ledger_book *book, unsigned user, uint64_t id);
uint64_t ledger_book_id(const struct ledger_book *book, unsigned user);

/* --- rooms --------------------------------------------------------------- */
struct ledger_room_plan {
	const char *name;      /* no other room's */
	bool all;              /* who comes in sees all that was before */
	const unsigned *users; /* who may ever be in it; the owner first */
	unsigned count;        /* up to LEDGER_SEATS_MAX */
	unsigned members;      /* the first so many are in it at the start */
};

/* Rooms are numbered from 0. */
unsigned ledger_book_room(struct ledger_book *book,
                          const struct ledger_room_plan *plan);
/* It was made, is told: all who are in it at the start surely are. */
void ledger_book_room_made(struct ledger_book *book, unsigned room,
                           uint64_t conversation, uint64_t now_us);
unsigned ledger_book_rooms(const struct ledger_book *book);
/* 0: not made yet. */
uint64_t ledger_book_room_id(const struct ledger_book *book, unsigned room);
/*
 * Somebody is about to go, or to come; again for another try. Somebody has
 * come, is told.
 */
void ledger_book_moving(struct ledger_book *book, unsigned room, unsigned user);
void ledger_book_came(struct ledger_book *book, unsigned room, unsigned user,
                      uint64_t now_us);
/* It is a room, and that user made it. */
bool ledger_book_owns(struct ledger_book *book, unsigned user,
                      uint64_t conversation);
/* Surely in it. */
bool ledger_book_in(const struct ledger_book *book, unsigned room,
                    unsigned user);

/* --- what is sent -------------------------------------------------------- */
uint32_t ledger_book_write(struct ledger_book *book, struct ledger_place from,
                           unsigned to, uint64_t due_us);
uint32_t ledger_book_write_room(struct ledger_book *book,
                                struct ledger_place from, unsigned room,
                                uint64_t due_us);
/* One more from where that one is to where it goes. */
uint32_t ledger_book_write_behind(struct ledger_book *book, uint32_t number,
                                  uint64_t due_us);
uint32_t ledger_book_count(const struct ledger_book *book);
struct ledger_line ledger_book_line(const struct ledger_book *book,
                                    uint32_t number);
/* The frame that sends it. */
void ledger_book_frame(const struct ledger_book *book, uint32_t number,
                       struct buf *out);
void ledger_book_sent(struct ledger_book *book, uint32_t number,
                      uint64_t now_us);

/* --- what comes back ----------------------------------------------------- */
void ledger_book_welcome(struct ledger_book *book, struct ledger_place place,
                         uint64_t now_us);
void ledger_book_ended(struct ledger_book *book, struct ledger_place place);
/* The number of a uuid of this run; false and a phantom otherwise. */
bool ledger_book_find(struct ledger_book *book, struct ledger_place place,
                      const struct uuid *uuid, uint32_t *ret_number);
/* The same, without a word about what is none of ours. */
bool ledger_book_number(const struct ledger_book *book, const struct uuid *uuid,
                        uint32_t *ret_number);
void ledger_book_accepted(struct ledger_book *book, struct ledger_place place,
                          uint32_t number, uint64_t now_us);
void ledger_book_saved(struct ledger_book *book, struct ledger_place place,
                       uint32_t number, uint64_t conversation, uint64_t seq,
                       uint64_t now_us);
void ledger_book_refused(struct ledger_book *book, struct ledger_place place,
                         uint32_t number, struct span code);
/* A `message` or `member`: live on the socket, or read over REST. */
void ledger_book_message(struct ledger_book *book, struct ledger_place place,
                         const struct message *message, bool live);
/* A device says how far it has come; `last`: it must have arrived at the end.
 */
void ledger_book_reached(struct ledger_book *book, struct ledger_place place,
                         uint64_t conversation, uint64_t delivered,
                         uint64_t read, bool last, uint64_t now_us);
/* A `receipt` frame about a user, by the user's id. */
void ledger_book_receipt(struct ledger_book *book, struct ledger_place place,
                         uint64_t conversation, uint64_t user,
                         uint64_t delivered, uint64_t read);
/* A receipt was refused: allowed to who came and went. */
void ledger_book_receipt_refused(struct ledger_book *book,
                                 struct ledger_place place, struct span code);
/*
 * All that was written so far has had its time. A socket that lived on and
 * still gets some of it over REST, because of what is sent from now on, had
 * missed it.
 */
void ledger_book_close(struct ledger_book *book, uint64_t now_us);
/* A frame or an answer that can't be read. */
void ledger_book_garbled(struct ledger_book *book, struct ledger_place place,
                         struct span text);

/* --- the end ------------------------------------------------------------- */
/* One message of a user's whole history, read behind `before_seq` or 0. */
void ledger_book_history(struct ledger_book *book, unsigned user,
                         const struct message *message, uint64_t before_seq);
/* It was read up to `read_seq`; the list of conversations said last_seq. */
void ledger_book_history_end(struct ledger_book *book, unsigned user,
                             uint64_t conversation, uint64_t read_seq,
                             uint64_t last_seq);
/* How far a member is, by a list of members or the member's own list. */
void ledger_book_reach(struct ledger_book *book, uint64_t conversation,
                       uint64_t user, uint64_t delivered, uint64_t read);
/* What a user's list of conversations says is not read. */
void ledger_book_unread(struct ledger_book *book, unsigned user,
                        uint64_t conversation, uint64_t read, uint64_t last_seq,
                        uint64_t unread);
/* Somebody reads what is not in their list of conversations. */
void ledger_book_intruded(struct ledger_book *book, unsigned user,
                          uint64_t conversation);
/* Once, when all histories were read. */
void ledger_book_judge(struct ledger_book *book);
const struct ledger_totals *ledger_book_totals(const struct ledger_book *book);
/* The first faults in words; NULL past the last. */
const char *ledger_book_example(const struct ledger_book *book, unsigned index);

#endif
