/*
 * run - a run of the ledger: its options, its users, its state. Shared by
 * main.c and the files beside it.
 */
#ifndef PARLEY_TESTS_LEDGER_RUN_H
#define PARLEY_TESTS_LEDGER_RUN_H

#include "client-test/cli/command.h"
#include "client-test/cli/event_loop.h"
#include "tests/ledger/clients/block_churn.h"
#include "tests/ledger/clients/history_reader.h"
#include "tests/ledger/clients/room_churn.h"
#include "tests/ledger/clients/user.h"
#include "tests/ledger/judge/ledger.h"

enum { GATEWAYS_MAX = 16, USERS_MAX = 10000, ROOMS_MAX = 1000 };

struct ledger_options {
	struct options options;
	const char *url;
	const char *gateways;
	uint64_t users;
	uint64_t sockets;
	uint64_t peers;
	uint64_t groups;
	uint64_t group_size;
	uint64_t churn;
	uint64_t edits;  /* for a hundred messages */
	uint64_t typing; /* for a hundred messages */
	uint64_t blocks;
	uint64_t calm_s;
	uint64_t receipts_ms;
	uint64_t list_max;
	uint64_t rate;
	uint64_t seconds;
	uint64_t size;
	uint64_t seed;
	uint64_t drain_s;
	uint64_t resend_s;
	uint64_t cuts;
	const char *timeline;
};

/* What the end of a run waits for (settle.h). */
struct settling {
	uint64_t news;    /* a count of events */
	uint64_t news_us; /* the time of the last */
	bool complete;    /* nothing waits, every device has everything */
	bool barriers_sent;
	uint32_t barriers_from; /* their first number */
};

struct run {
	const struct ledger_options *options;
	struct ledger_config config;
	struct event_loop *loop;
	struct loop_timer *tick;
	struct address gateways[GATEWAYS_MAX];
	unsigned gateway_count;
	struct ledger *ledger;
	struct timeline *timeline;
	struct user *users[USERS_MAX];
	struct room_churn *rooms;
	struct block_churn *blocks;
	struct history_reader *history;
	uint64_t random;
	uint64_t start_us, stop_us, drained_us;
	uint64_t due; /* messages written so far */
	uint64_t progress_us;
	bool sending;
	bool cuts_expected;
	bool online;  /* all devices were */
	bool settled; /* nothing more is expected */
	struct settling settling;
	const char *undecided;
};

/* Sums a count over all users. */
unsigned run_sum(const struct run *run,
                 unsigned (*count)(const struct user *user));
unsigned run_devices(const struct run *run);

#endif
