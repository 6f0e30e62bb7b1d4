/*
 * ledger_state - the data of a ledger, shared by the modules of this folder.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_LEDGER_STATE_H
#define PARLEY_TESTS_LEDGER_JUDGE_LEDGER_STATE_H

#include "client-test/client/message.h"
#include "tests/ledger/judge/ledger_types.h"

/* Sets of devices, kept for each message and each membership change. */
enum delivery_set {
	SET_LIVE,     /* arrived live on the socket */
	SET_SAVED,    /* a live `saved` arrived */
	SET_RECEIVED, /* arrived in any way */
	SET_STORED,   /* in the history of the user: the bit of device 0 */
	SET_COUNT
};

/* The sets of one message or change, one after the other (delivery_sets.h). */
struct delivery_sets {
	size_t at;      /* in ledger->set_bytes */
	uint16_t bytes; /* of one set */
};

/* A message. */
struct entry {
	uint64_t due_us, sent_us, acked_us, saved_us;
	uint64_t conversation; /* 0: not observed yet */
	struct delivery_sets sets;
	uint32_t seq;
	uint32_t made_s;   /* in the uuid */
	uint16_t from, to; /* a user; a user or a room */
	uint8_t device;
	bool to_room;
	bool accepted, refused;
	bool turned_away;  /* refused: the sender was possibly no member */
	bool turned;       /* refused and saved: recorded */
	bool repeated;     /* sent again, or to be sent again */
	uint32_t block;    /* all copies were sent during it (blocks.h); or 0 */
	uint64_t session;  /* of the first sending */
	uint32_t position; /* in the order of the first sendings */
	uint32_t edits;    /* the first edit: number + 1, or 0 */
};

/* An edit, delete or reaction. */
struct edit {
	enum ledger_edit_kind kind;
	uint64_t sent_us;
	uint64_t revision; /* 0: not observed yet */
	struct delivery_sets sets;
	uint32_t target;   /* a message */
	uint32_t next;     /* the target's next edit: number + 1, or 0 */
	uint32_t made_s;   /* in the uuid */
	uint32_t position; /* in the order of the first sendings */
	uint16_t from;
	uint8_t device;
	uint8_t reaction;
	bool remove;
	bool accepted, refused, turned, repeated;
	uint32_t block; /* all copies were sent during it (blocks.h); or 0 */
};

/* What arrived live on a device, in one session. */
struct live_seq {
	uint64_t session;
	uint32_t seq;                 /* the highest of a message */
	uint32_t change_seq;          /* the highest of a membership change */
	uint32_t last_membership_seq; /* of the user's own memberships */
	uint32_t end_seq;             /* the user's membership ended; 0: no */
	uint32_t end_position; /* the last sending before the device got it */
};

/* The receipts of one kind that a user's devices sent. */
struct sent_receipt {
	uint64_t seq;      /* the highest */
	uint64_t first_us; /* when it was sent first */
	uint64_t sure;     /* the highest that must have arrived */
};

/* The receipts of a user in a conversation. */
struct receipt_state {
	struct sent_receipt delivered, read;
	uint64_t reported_delivered, reported_read; /* the highest, to any */
	uint64_t stored_delivered, stored_read;     /* at the end */
	bool stored;                                /* these two were read */
};

/* The receipts of one member that arrived on one socket, in one session. */
struct received_receipt {
	uint64_t session;
	uint64_t delivered, read;
};

/* The `typing` frames that a user sent in a conversation. */
struct typing_state {
	uint32_t first_position; /* among the first sendings; 0: none */
};

/* What a device knows of another user (presence.h). */
enum presence_state { PRESENCE_UNKNOWN, PRESENCE_OFFLINE, PRESENCE_ONLINE };

/* The known state of a conversation (conversation_log.h). */
struct conversation_log {
	uint64_t id;
	struct room *room; /* NULL: a direct conversation */
	unsigned one, two; /* its users, rising */
	uint32_t *by_seq;  /* number + 1; 0: unknown; or with CHANGE_BIT */
	uint32_t capacity;
	uint32_t top;          /* the highest seq */
	uint32_t *by_revision; /* an edit's number + 1; 0: unknown */
	uint32_t revision_capacity;
	uint64_t revision;                          /* the highest observed */
	uint64_t listed_revision;                   /* the last, from REST */
	struct live_seq *live;                      /* by position, device */
	struct typing_state *typing;                /* by position */
	struct receipt_state *receipts;             /* by position */
	struct received_receipt *received_receipts; /* by position, device, and
	                                               position of the member */
};

/* In by_seq: a membership change; the other bits index room->changes. */
#define CHANGE_BIT UINT32_C(0x80000000)

/* A membership change. */
struct change {
	enum message_change what;
	bool all; /* CHANGE_history: the new setting */
	struct uuid uuid;
	uint64_t user_from;
	uint64_t users; /* a bit for each affected position */
	uint32_t seq;
	uint64_t begun_us; /* its first call; 0: not known */
	struct delivery_sets sets;
};

/* A period in which a user was a member, taken from the changes. */
struct membership {
	uint32_t from, to; /* seqs of joining and leaving; UINT32_MAX: is in */
	uint32_t visible;  /* the first seq that the user sees */
};

/* A user who may ever be a member of a room. */
struct room_member {
	unsigned user;
	struct membership *memberships;
	unsigned membership_count;
	bool moved;             /* has joined or left after the start */
	bool joins;             /* the last change that was begun */
	uint64_t changing_us;   /* the first call of the last change */
	uint64_t sure_since_us; /* said to be a member since; 0: maybe not */
	bool doubtful; /* a call without an answer may be carried out late */
	uint64_t first_seq; /* of the history; 0: it was not read */
};

struct room {
	uint64_t conversation; /* 0: not created yet */
	char *name;
	bool all;                    /* new members see all entries */
	struct room_member *members; /* an index is a position */
	unsigned count, initial_count;
	struct change *changes;
	unsigned change_count;
};

struct device_session {
	uint64_t number; /* unique; 0: not connected */
	uint64_t welcome_us;
};

/* An entry that arrived on a socket after one with a higher seq. */
struct overtaken {
	struct ledger_device_id device;
	uint64_t conversation;
	uint32_t seq, after;
};

struct log_slot;
struct pair_slot;
struct block_pair;

struct ledger {
	struct ledger_config config;
	uint64_t *ids;
	struct device_session *sessions; /* by user and device */
	uint64_t session_count;
	uint64_t last_cut_session; /* sessions up to it may be cut */
	bool cuts_expected;
	uint32_t run; /* in the uuids: a uuid of another run is a phantom */
	struct entry *entries;
	uint32_t count, capacity;
	struct edit *edits;
	uint32_t edit_count, edit_capacity;
	uint32_t sent_count;
	uint32_t closed; /* messages below it had time to arrive by closed_us */
	uint64_t closed_us;
	uint8_t *set_bytes;
	size_t set_bytes_len, set_bytes_capacity;
	struct room **rooms;
	unsigned room_count;
	uint32_t change_calls; /* the most membership changes there can be */
	struct log_slot *logs; /* by id */
	struct pair_slot *pairs;
	struct block_pair *block_pairs;
	unsigned block_pair_count;
	uint8_t *presence; /* by user and index of the peer */
	bool *gone;        /* by user */
	struct overtaken overtaken[LEDGER_EXAMPLES_MAX]; /* the first ones */
	struct ledger_totals totals;
	char *examples[LEDGER_EXAMPLES_MAX];
	unsigned example_count;
};

#endif
