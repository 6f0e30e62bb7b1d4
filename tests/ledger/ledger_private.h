/*
 * ledger_private - what ledger_book.c keeps, ledger_came.c fills in,
 * ledger_room.c knows of groups, ledger_judge.c goes through and ledger_text.c
 * makes texts of.
 */
#ifndef PARLEY_TESTS_LEDGER_LEDGER_PRIVATE_H
#define PARLEY_TESTS_LEDGER_LEDGER_PRIVATE_H

#include "tests/ledger/ledger_book.h"

/*
 * Whom an entry may concern is its crowd, each of them at a position: the
 * sender and the other, or who may ever be in a room. A device there has a bit
 * in each of these sets.
 */
enum ledger_set {
	SET_HEARD,  /* live on its socket */
	SET_TOLD,   /* a live `saved` */
	SET_GOT,    /* in any way */
	SET_STORED, /* in the history of that user: the bit of device 0 */
	SET_COUNT
};

/* The sets of an entry or a change, one behind the other. */
struct marks {
	size_t at;      /* in book->marks */
	uint16_t bytes; /* of one set */
};

struct entry {
	uint64_t due_us, sent_us, acked_us, saved_us;
	uint64_t conversation; /* 0: nobody said yet */
	struct marks marks;
	uint32_t seq;
	uint32_t made_s;   /* in the uuid */
	uint16_t from, to; /* a user, or a room */
	uint8_t device;
	bool to_room;
	bool accepted, refused;
	bool turned_away; /* refused to who perhaps was no member */
};

/* How far a device has heard a conversation in one session. */
struct live_top {
	uint64_t session;
	uint32_t seq;
};

/* How far somebody's devices said that they are. */
struct said {
	uint64_t seq;      /* the highest */
	uint64_t first_us; /* when that was said first */
	uint64_t sure;     /* the highest that must have arrived */
};

/* How far somebody has come in a conversation. */
struct reach {
	struct said delivered, read;
	uint64_t told_delivered, told_read; /* the highest, to anybody */
	uint64_t kept_delivered, kept_read; /* at the end */
	bool kept;                          /* these two were read */
};

/* What one socket was told of one member, in one session. */
struct heard_reach {
	uint64_t session;
	uint64_t delivered, read;
};

/* A conversation, as far as anybody said something of it. */
struct talk {
	uint64_t id;
	struct room *room; /* NULL: between two */
	unsigned one, two; /* users, rising */
	uint32_t *by_seq;  /* number + 1; 0: nobody said; or CHANGE_BIT */
	uint32_t capacity;
	uint32_t top;
	struct live_top *live;           /* by position and device */
	struct reach *reach;             /* by position */
	struct heard_reach *heard_reach; /* by position, device, position */
};

/* In by_seq: not a message, but changes[the rest] of the room. */
#define CHANGE_BIT UINT32_C(0x80000000)

/* What happened to a room. */
struct change {
	enum message_change what;
	bool all; /* history: the new one */
	struct uuid uuid;
	uint64_t user_from;
	uint64_t users; /* a bit for each position that it names */
	uint32_t seq;
	struct marks marks;
};

/* A time that somebody was in a room, told by the changes. */
struct stay {
	uint32_t from, to; /* seqs of coming and going; to UINT32_MAX: is in */
	uint32_t visible;  /* sees what has this seq and what is behind it */
};

struct seat {
	unsigned user;
	struct stay *stays;
	unsigned stay_count;
	bool moved;           /* has come or gone */
	uint64_t in_since_us; /* surely in it since then; 0: perhaps not */
	uint64_t first_seq;   /* its history begins there; 0: was not read */
};

struct room {
	uint64_t conversation; /* 0: nobody said yet */
	char *name;
	bool all; /* who comes in sees all */
	struct seat *seats;
	unsigned count, members;
	struct change *changes;
	unsigned change_count;
};

struct device {
	uint64_t session; /* 0: not welcomed; else a number of its own */
	uint64_t welcome_us;
};

struct talk_slot;

struct ledger_book {
	struct ledger_plan plan;
	uint64_t *ids;
	struct device *devices;
	uint64_t sessions;
	uint32_t run; /* in the uuids: what another run sent is a phantom */
	uint32_t started_s;
	struct entry *entries;
	uint32_t count, capacity;
	uint32_t closed; /* below it all has had its time, at closed_us */
	uint64_t closed_us;
	uint8_t *marks;
	size_t marks_len, marks_capacity;
	struct room **rooms;
	unsigned room_count;
	uint32_t moves;          /* changes of members asked for, at most */
	struct talk_slot *talks; /* by id */
	struct ledger_totals totals;
	char *examples[LEDGER_EXAMPLES_MAX];
	unsigned example_count;
};

void ledger_fault(struct ledger_book *book, enum ledger_fault fault,
                  const char *format, ...) PRINTF(3, 4);
struct uuid ledger_uuid(const struct ledger_book *book, uint32_t number);
/* The number that a uuid would have if it were ours. */
uint32_t ledger_uuid_number(const struct uuid *uuid);
void ledger_text(const struct ledger_book *book, uint32_t number,
                 struct buf *out);
const struct device *ledger_device(const struct ledger_book *book,
                                   struct ledger_place place);

/* --- conversations ------------------------------------------------------- */
struct talk *ledger_talk(struct ledger_book *book, uint64_t id);
/* The same, made at the first message of it, or for a room. */
struct talk *ledger_talk_of(struct ledger_book *book, uint64_t id,
                            const struct entry *entry);
struct talk *ledger_talk_room(struct ledger_book *book, struct room *room);
/* What stands at a seq of it: number + 1, or 0. */
uint32_t *ledger_slot(struct talk *talk, uint32_t seq);
/* All of them in turn, from NULL to NULL. */
struct talk *ledger_talk_after(struct ledger_book *book, struct talk *talk);
/* Where a user sits in it; -1: nowhere. */
int ledger_talk_position(const struct talk *talk, unsigned user);
struct live_top *ledger_live(struct ledger_book *book, struct talk *talk,
                             struct ledger_place place);

/* --- crowds and sets ----------------------------------------------------- */
unsigned ledger_crowd(const struct ledger_book *book,
                      const struct entry *entry);
unsigned ledger_crowd_user(const struct ledger_book *book,
                           const struct entry *entry, unsigned position);
int ledger_position(const struct ledger_book *book, const struct entry *entry,
                    unsigned user);
/* The bit of a device; -1 when its user is not in the crowd. */
int ledger_bit(const struct ledger_book *book, const struct entry *entry,
               struct ledger_place place);
struct marks ledger_marks(struct ledger_book *book, unsigned crowd);
bool ledger_has(const struct ledger_book *book, const struct marks *marks,
                enum ledger_set set, unsigned bit);
void ledger_put(struct ledger_book *book, const struct marks *marks,
                enum ledger_set set, unsigned bit);

/* Whose it is, what it says, where it stands; false when it is not ours. */
bool ledger_examine(struct ledger_book *book, struct ledger_place place,
                    const struct message *message, uint32_t *ret_number);
/* Its sender was perhaps not in the room, at some time since it was sent. */
bool ledger_may_be_outside(const struct ledger_book *book,
                           const struct entry *entry);

/* --- rooms --------------------------------------------------------------- */
int ledger_seat(const struct room *room, unsigned user);
/* The change that is told to a user; NULL: it can't be one, that was said. */
struct change *ledger_change(struct ledger_book *book,
                             struct ledger_place place,
                             const struct message *message, unsigned *ret_seat);
/* What the changes say, once all of them are known. */
void ledger_room_replay(struct ledger_book *book, struct room *room);
/* Was in it when that seq was given; the stay, or NULL. */
const struct stay *ledger_stay_at(const struct seat *seat, uint32_t seq);
/* May have that seq: was in it then, or came later and sees it. */
bool ledger_sees(const struct seat *seat, uint32_t seq);
/* The stay that goes on, or NULL. */
const struct stay *ledger_stay_now(const struct seat *seat);
void ledger_reach_judge(struct ledger_book *book, const struct talk *talk);
void ledger_rooms_judge(struct ledger_book *book);
void ledger_rooms_free(struct ledger_book *book);

#endif
