/*
 * ledger_private - what ledger_book.c keeps, ledger_came.c fills in,
 * ledger_judge.c goes through and ledger_text.c makes texts of.
 */
#ifndef PARLEY_CLIENT_TEST_LEDGER_PRIVATE_H
#define PARLEY_CLIENT_TEST_LEDGER_PRIVATE_H

#include "client-test/ledger_book.h"

/* A bit for each device: the sender's from 0, the other's behind them. */
typedef uint16_t device_set;
_Static_assert(2 * LEDGER_DEVICES_MAX <= 8 * sizeof(device_set),
               "both users' devices fit");

struct entry {
	uint64_t due_us, sent_us, acked_us, saved_us;
	uint64_t conversation; /* 0: nobody said yet */
	uint32_t seq;
	uint32_t made_s; /* in the uuid */
	uint16_t from, to;
	uint8_t device;
	bool accepted, refused;
	bool stored_from, stored_to; /* in the history of that user */
	device_set heard;            /* a live `message` */
	device_set told;             /* a live `saved` */
	device_set got;              /* in any way */
};

/* How far a device has heard a conversation in one session. */
struct live_top {
	uint64_t session;
	uint32_t seq;
};

/* A conversation, as far as anybody said something of it. */
struct talk {
	uint64_t id;
	unsigned one, two; /* users, rising */
	uint32_t *by_seq;  /* number + 1; 0: nobody said */
	uint32_t capacity;
	uint32_t top;
	struct live_top live[2][LEDGER_DEVICES_MAX]; /* of one, of two */
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
	struct talk_slot *talks;    /* by id */
	struct live_top *live_tops; /* by conversation and session */
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
struct talk *ledger_talk(struct ledger_book *book, uint64_t id);
/* The same, made at the first message of it. */
struct talk *ledger_talk_of(struct ledger_book *book, uint64_t id,
                            const struct entry *entry);
/* What stands at a seq of it: number + 1, or 0. */
uint32_t *ledger_slot(struct talk *talk, uint32_t seq);
/* All of them in turn, from NULL to NULL. */
struct talk *ledger_talk_after(struct ledger_book *book, struct talk *talk);
/* All devices of a message's members. */
device_set ledger_members(const struct ledger_book *book,
                          const struct entry *entry);
/* The bit of a user's device; 0 when the user is no member. */
device_set ledger_bit(const struct ledger_book *book, const struct entry *entry,
                      struct ledger_place place);
const struct device *ledger_device(const struct ledger_book *book,
                                   struct ledger_place place);

#endif
