/*
 * ledger_types - the public types of the judge.
 */
#ifndef PARLEY_TESTS_LEDGER_JUDGE_LEDGER_TYPES_H
#define PARLEY_TESTS_LEDGER_JUDGE_LEDGER_TYPES_H

#include "client-test/client/message.h"
#include "common/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	LEDGER_DEVICES_MAX = 8,
	LEDGER_EXAMPLES_MAX = 20,
	LEDGER_ROOM_MEMBERS_MAX = 64,
	LEDGER_REACTIONS = 5, /* different reactions */
};

/*	name            what was observed: a message … */
#define FAULTS(X) \
	X(lost, "answered, and not in the history of its members") \
	X(undelivered, "in the history, and never at a device") \
	X(unheard, "sent after a welcome, and not on that live socket") \
	X(duplicates, "twice in a history, or one seq for two messages") \
	X(misordered, "below an entry that arrived or was sent later") \
	X(gaps, "with a missing or invalid seq") \
	X(misrouted, "at a user who must not get it") \
	X(phantom, "never sent") \
	X(corrupt, "with another text than was sent") \
	X(split, "reported differently to two users") \
	X(refused, "refused for good, although nothing was wrong with it") \
	X(turned, "refused for good, and saved all the same") \
	X(after_end, "at a socket that had got the end of the membership") \
	X(edit_lost, "an edit that was accepted and has no revision") \
	X(edit_unheard, "an edit that a connected socket did not get") \
	X(revisions, "an edit with two revisions, or a missing revision") \
	X(content, "in a history unlike its edits and reactions") \
	X(typing, "(typing) at a user who must not see it") \
	X(presence, "(presence) wrong when everything is calm") \
	X(blocks, "saved, although it was sent during a block") \
	X(cut, "(no message) a socket that ended without a close code") \
	X(receipts, "with a receipt that is ahead, goes back or is missing")

enum fault {
#define FAULT_ENUM(name, text) FAULT_##name,
	FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
		FAULT_COUNT
};

struct ledger;

struct ledger_config {
	unsigned users;
	unsigned devices; /* of each user */
	unsigned text_bytes;
	/*
	 * The server's FANOUT_LIST_MAX; 0: no room grows past it. In a larger
	 * room receipts are not reported to other members.
	 */
	unsigned list_max;
	bool judge_cuts; /* see sessions_cut() */
};

enum ledger_edit_kind { LEDGER_EDIT, LEDGER_DELETE, LEDGER_REACT };

/* A device of a user, both numbered from 0. */
struct ledger_device_id {
	unsigned user;
	unsigned device;
};

/* The current state of a message; times are 0 until they are known. */
struct ledger_message_state {
	struct ledger_device_id from;
	unsigned to; /* a user, or a room */
	bool to_room;
	uint64_t due_us;
	uint64_t sent_us;  /* first sent on a socket */
	uint64_t acked_us; /* first `accepted` or `saved` */
	uint64_t saved_us; /* first `saved` */
	bool accepted;
	bool refused;
	bool known; /* a device of the sender has seen that it is saved */
};

struct ledger_totals {
	uint64_t fault[FAULT_COUNT];
	uint64_t sent, accepted, saved, stored;
	uint64_t unknown;         /* never answered, not stored: allowed */
	uint64_t unanswered_kept; /* never answered, stored: allowed */
	uint64_t edits;           /* sent edits, deletes and reactions */
	uint64_t edits_saved;     /* of them: with a known revision */
	uint64_t edits_received;  /* first arrivals at devices */
	uint64_t edits_unseen; /* accepted, then no socket saw more: allowed */
	uint64_t typing, typing_received;
	uint64_t blocks;            /* blocks that were answered */
	uint64_t blocked;           /* sent during a block */
	uint64_t wire_duplicates;   /* frames that arrived again: allowed */
	uint64_t received;          /* first arrivals at devices */
	uint64_t to_rooms;          /* sent messages that went to rooms */
	uint64_t changes;           /* membership changes observed */
	uint64_t receipts;          /* receipts that devices sent */
	uint64_t receipts_received; /* receipt frames from the server */
	uint64_t old_receipts;      /* below an earlier receipt: allowed */
	uint64_t cuts;        /* sockets that ended without a close code */
	uint64_t overtaken;   /* entries after a higher one, of which one is
	                         a change: see order_judge_changes() */
	uint64_t turned_away; /* the sender may be no member: allowed */
};

#endif
