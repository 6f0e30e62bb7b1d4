/*
 * ledger - checks that no message is lost, duplicated, misordered or misrouted
 * while services fail: many users, many conversations, several sockets each.
 *
 * It sends at fixed times, independent of the answers (open loop), waits until
 * everything is settled, reads every user's history and judges. SIGINT or
 * SIGTERM ends the sending early; a second one ends the run.
 */
#include "client-test/cli/command.h"
#include "client-test/cli/event_loop.h"
#include "client-test/cli/open_files.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/clients/history_reader.h"
#include "tests/ledger/clients/room_churn.h"
#include "tests/ledger/clients/seeded_random.h"
#include "tests/ledger/clients/user.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/verdict.h"
#include "tests/ledger/report.h"

#include <stdio.h>

enum {
	EXIT_UNDECIDED = 2,
	TICK_MS = 10,
	GATEWAYS_MAX = 16,
	USERS_MAX = 10000,
	ROOMS_MAX = 1000,
	ROOM_SHARE = 4, /* one message of this many goes to a room */
	START_MS = 120000,
	PROGRESS_US = 1000000,
	LATE_US = 1500000,  /* late duplicates arrive within this time */
	RECEIPTS_MS = 3000, /* without receipts for this long: all have come */
	RECEIPTS_STEP_MS = 500,
	RECEIPTS_TRIES = 10,
	QUIET_US = 15000000, /* without news for this long: send barriers */
};

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
	uint64_t receipts_ms;
	uint64_t list_max;
	uint64_t rate;
	uint64_t seconds;
	uint64_t size;
	uint64_t seed;
	uint64_t drain_s;
	const char *timeline;
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
	struct history_reader *history;
	uint64_t random;
	uint64_t start_us, stop_us, drained_us;
	uint64_t due; /* messages written so far */
	uint64_t progress_us;
	uint64_t news,
		news_us; /* a count of events, and the time of the last */
	bool sending;
	bool complete;          /* nothing waits, every device has everything */
	bool online;            /* all devices were */
	bool settled;           /* nothing more is expected */
	uint32_t barriers_from; /* their first number; 0: none was sent */
	const char *undecided;
};

/* --- the load ------------------------------------------------------------ */
static uint64_t draw(struct run *run, uint64_t below)
{
	return seeded_random_below(&run->random, below);
}

static void write_to_room(struct run *run, uint64_t due_us)
{
	unsigned room = (unsigned)draw(run, run->options->groups);
	struct ledger_device_id from = {
		room_churn_member(run->rooms, room, draw(run, UINT32_MAX)),
		(unsigned)draw(run, run->config.devices),
	};
	uint32_t number =
		messages_write_to_room(run->ledger, from, room, due_us);

	user_send(run->users[from.user], from.device, number);
}

/*
 * Users form a circle and write to their neighbours on both sides; sometimes to
 * themselves.
 */
static void write_to_user(struct run *run, uint64_t due_us)
{
	struct ledger_device_id from = {
		(unsigned)draw(run, run->config.users),
		(unsigned)draw(run, run->config.devices),
	};
	uint64_t side = run->options->peers / 2;
	uint64_t step = draw(run, 2 * side + 1);
	unsigned to = (unsigned)((from.user + run->config.users + step - side) %
	                         run->config.users);
	uint32_t number = messages_write(run->ledger, from, to, due_us);

	user_send(run->users[from.user], from.device, number);
}

static void write_due(struct run *run, uint64_t now_us)
{
	uint64_t rate = run->options->rate;

	for (;;) {
		uint64_t due_us = run->start_us + run->due * 1000000 / rate;

		if (due_us > now_us || due_us >= run->stop_us)
			return;
		if (run->options->groups && draw(run, ROOM_SHARE) == 0)
			write_to_room(run, due_us);
		else
			write_to_user(run, due_us);
		run->due++;
	}
}

/* --- progress ------------------------------------------------------------ */
/* Sums a count over all users. */
static unsigned sum(const struct run *run,
                    unsigned (*count)(const struct user *user))
{
	unsigned total = 0;

	for (unsigned i = 0; i < run->config.users; i++)
		total += count(run->users[i]);
	return total;
}

static unsigned count_devices(const struct run *run)
{
	return run->config.users * run->config.devices;
}

static void show_progress(struct run *run, uint64_t now_us)
{
	const struct ledger_totals *totals = ledger_totals(run->ledger);

	if (now_us < run->progress_us)
		return;
	run->progress_us = now_us + PROGRESS_US;
	(void)fprintf(stderr,
	              "ledger: %3.0f s: sent %llu, accepted %llu, saved %llu, "
	              "waiting %u, sockets %u of %u\n",
	              (double)(now_us - run->start_us) / 1e6,
	              (unsigned long long)totals->sent,
	              (unsigned long long)totals->accepted,
	              (unsigned long long)totals->saved, sum(run, user_waiting),
	              sum(run, user_welcomed), count_devices(run));
}

/*
 * Nothing arrives any more, and messages are missing: are they lost or late?
 * One more message after each of them, from the same device, decides.
 */
static void send_barriers(struct run *run, uint64_t now_us)
{
	uint32_t count = messages_count(run->ledger);

	run->barriers_from = count;
	messages_close(run->ledger, now_us);
	for (uint32_t i = 0; i < count; i++) {
		struct ledger_message_state line = messages_get(run->ledger, i);

		if (line.known || line.refused || !line.sent_us)
			continue;
		user_send(run->users[line.from.user], line.from.device,
		          messages_write_after(run->ledger, i, now_us));
	}
}

static bool barriers_known(const struct run *run)
{
	uint32_t count = messages_count(run->ledger);

	for (uint32_t i = run->barriers_from; i < count; i++) {
		struct ledger_message_state line = messages_get(run->ledger, i);

		if (!line.known && !line.refused)
			return false;
	}
	return true;
}

/*
 * Settled: nothing waits and every device has everything, for long enough that
 * late duplicates have arrived; or all devices are connected, there was no news
 * for long, and the barriers have arrived.
 */
static bool is_settled(struct run *run, uint64_t now_us)
{
	const struct ledger_totals *totals = ledger_totals(run->ledger);
	uint64_t news = totals->received + totals->accepted + totals->sent;
	unsigned devices = count_devices(run);
	bool complete = sum(run, user_waiting) == 0 &&
	                sum(run, user_complete) == devices &&
	                room_churn_idle(run->rooms);

	if (news != run->news || complete != run->complete ||
	    sum(run, user_welcomed) < devices)
		run->news_us = now_us;
	run->news = news;
	run->complete = complete;
	if (complete || (run->barriers_from && barriers_known(run)))
		return now_us - run->news_us > LATE_US;
	if (!run->barriers_from && now_us - run->news_us > QUIET_US)
		send_barriers(run, now_us);
	return false;
}

static void on_tick(void *context)
{
	struct run *run = context;
	uint64_t now_us = clock_mono_us();

	loop_timer_start(run->tick, TICK_MS);
	if (!run->start_us) {
		room_churn_create_rooms(run->rooms);
		run->online = sum(run, user_complete) == count_devices(run) &&
		              room_churn_rooms_created(run->rooms);
		return;
	}
	if (run->sending) {
		room_churn_tick(run->rooms, now_us);
		write_due(run, now_us);
	}
	for (unsigned i = 0; i < run->config.users; i++)
		user_tick(run->users[i]);
	show_progress(run, now_us);
	if (!run->sending)
		run->settled = is_settled(run, now_us);
}

/* --- the run ------------------------------------------------------------- */
static bool read_gateways(struct run *run)
{
	struct span rest = span_of(run->options->gateways);

	if (!rest.len)
		rest = span_of(run->options->url);
	while (rest.len && run->gateway_count < GATEWAYS_MAX) {
		struct span one = span_cut(rest, ',', &rest);
		char *url CLEANUP(mem_free) = mem_text(one.data, one.len);

		if (!address_parse(url, &run->gateways[run->gateway_count++])) {
			(void)fprintf(stderr,
			              "ledger: '%s' is no "
			              "http://host:port\n",
			              url);
			return false;
		}
	}
	return !rest.len;
}

static void create_users(struct run *run)
{
	/* In all names, so that each run has users and rooms of its own. */
	unsigned long long run_id = random_u64();
	const struct device_config devices = {
		.loop = event_loop_uv(run->loop),
		.rest = event_loop_rest(run->loop),
		.ledger = run->ledger,
		.timeline = run->timeline,
		.gateways = run->gateways,
		.gateway_count = run->gateway_count,
		.receipts_ms = (unsigned)run->options->receipts_ms,
	};
	const struct room_churn_config rooms = {
		.loop = devices.loop,
		.rest = devices.rest,
		.ledger = devices.ledger,
		.users = run->users,
		.user_count = run->config.users,
		.rooms = (unsigned)run->options->groups,
		.room_size = (unsigned)run->options->group_size,
		.changes_per_min = (unsigned)run->options->churn,
		.run = run_id,
		.random = &run->random,
	};
	char name[64];

	for (unsigned i = 0; i < run->config.users; i++) {
		(void)snprintf(name, sizeof(name), "ledger-%016llx-%u", run_id,
		               i);
		run->users[i] =
			user_create(&devices, i, run->config.devices, name);
	}
	run->rooms = room_churn_create(&rooms);
}

static bool bring_online(struct run *run)
{
	event_loop_run(run->loop, &run->online, START_MS);
	if (run->online)
		return true;
	run->undecided = room_churn_error(run->rooms);
	if (!run->undecided)
		run->undecided = "not all users came online at the start";
	return false;
}

static void send_all(struct run *run)
{
	run->start_us = clock_mono_us();
	run->stop_us = run->start_us + run->options->seconds * 1000000;
	run->sending = true;
	event_loop_run(run->loop, NULL, run->options->seconds * 1000);
	run->sending = false;
	run->stop_us = clock_mono_us();
	event_loop_resume(run->loop);
}

static void drain(struct run *run)
{
	run->news_us = clock_mono_us();
	event_loop_run(run->loop, &run->settled, run->options->drain_s * 1000);
	run->drained_us = clock_mono_us();
	if (!run->settled)
		run->undecided = event_loop_ended(run->loop)
		                         ? "the run was ended before "
		                           "everything was settled"
		                         : "not everything was settled in time";
}

/*
 * Receipts have no answer. As long as frames about them arrive, a slow machine
 * still works on them.
 */
static void await_receipts(struct run *run)
{
	const struct ledger_totals *totals = ledger_totals(run->ledger);
	uint64_t end_us = clock_mono_us() + run->options->drain_s * 1000000;
	uint64_t received = totals->receipts_received;

	for (unsigned quiet_ms = 0;
	     quiet_ms <= RECEIPTS_MS && clock_mono_us() < end_us;
	     quiet_ms += RECEIPTS_STEP_MS) {
		event_loop_run(run->loop, NULL, RECEIPTS_STEP_MS);
		if (totals->receipts_received != received)
			quiet_ms = 0;
		received = totals->receipts_received;
	}
}

/* Repeated until all sockets stay connected meanwhile. */
static void send_last_receipts(struct run *run)
{
	for (unsigned tries = 0; tries < RECEIPTS_TRIES; tries++) {
		uint64_t connects =
			timeline_total(run->timeline, TIMELINE_CONNECTS);

		if (!run->options->receipts_ms)
			return;
		for (unsigned i = 0; i < run->config.users; i++)
			user_send_last_receipts(run->users[i]);
		await_receipts(run);
		if (sum(run, user_complete) == count_devices(run) &&
		    connects ==
		            timeline_total(run->timeline, TIMELINE_CONNECTS))
			return;
	}
	run->undecided = "sockets were lost during the last receipts";
}

static void judge(struct run *run)
{
	bool read = false;

	if (!run->settled)
		return;
	run->undecided = room_churn_error(run->rooms);
	send_last_receipts(run);
	run->history = history_reader_create(
		event_loop_uv(run->loop), event_loop_rest(run->loop),
		run->ledger, run->users, run->config.users, &read);
	event_loop_run(run->loop, &read, run->options->drain_s * 1000);
	if (read)
		verdict_judge(run->ledger);
	else
		run->undecided = "the history could not be read in time";
}

static int print_report(struct run *run)
{
	const struct report report = {
		.config = &run->config,
		.ledger = run->ledger,
		.timeline = run->timeline,
		.undecided = run->undecided,
		.seed = run->options->seed,
		.seconds = (double)(run->stop_us - run->start_us) / 1e6,
		.drain_s = (double)(run->drained_us - run->stop_us) / 1e6,
	};
	enum verdict verdict = report_print(&report);
	const char *path = run->options->timeline;

	if (*path &&
	    timeline_write_csv(run->timeline, run->ledger, path) != ST_OK) {
		perror(path);
		return EXIT_UNDECIDED;
	}
	if (verdict == VERDICT_CLEAN)
		return EXIT_DONE;
	return verdict == VERDICT_VIOLATED ? EXIT_FAILED : EXIT_UNDECIDED;
}

static void release(struct run *run)
{
	event_loop_cancel_calls(run->loop);
	history_reader_destroy(&run->history);
	room_churn_destroy(&run->rooms);
	for (unsigned i = 0; i < run->config.users; i++)
		user_destroy(&run->users[i]);
	loop_timer_destroy(&run->tick);
	(void)event_loop_close(&run->loop);
	timeline_destroy(&run->timeline);
	ledger_destroy(&run->ledger);
}

static int ledger_run(const void *context)
{
	static struct run run;
	const struct ledger_options *options = context;
	int code;

	run.options = options;
	run.random = options->seed;
	run.config = (struct ledger_config){
		.users = (unsigned)options->users,
		.devices = (unsigned)options->sockets,
		.text_bytes = (unsigned)options->size,
		.list_max = (unsigned)options->list_max,
	};
	if (!read_gateways(&run))
		return EXIT_USAGE;
	open_files_raise_limit();
	run.ledger = ledger_create(&run.config);
	run.timeline = timeline_create();
	run.loop = event_loop_create(options->url);
	run.tick = loop_timer_create(event_loop_uv(run.loop), on_tick, &run);
	loop_timer_start(run.tick, TICK_MS);
	create_users(&run);
	if (bring_online(&run)) {
		send_all(&run);
		drain(&run);
		judge(&run);
	}
	code = print_report(&run);
	release(&run);
	return code;
}

#define TEXT(...)   OPTION_TEXT(struct ledger_options, __VA_ARGS__)
#define NUMBER(...) OPTION_NUMBER(struct ledger_options, __VA_ARGS__)

static const struct option_row rows[] = {
	OPTION_URL(struct ledger_options),
	TEXT(gateways, "--gateways", "URLS", "", NULL,
             "gateways of the sockets, separated by commas; empty: --url"),
	NUMBER(users, "--users", "40", 1, USERS_MAX, "users"),
	NUMBER(sockets, "--sockets", "2", 1, LEDGER_DEVICES_MAX,
               "sockets of each user"),
	NUMBER(peers, "--peers", "6", 0, 1000,
               "other users that each user writes to, besides itself"),
	NUMBER(groups, "--groups", "4", 0, ROOMS_MAX,
               "groups and channels, in turn; 0: none"),
	NUMBER(group_size, "--group-size", "5", 1, LEDGER_ROOM_MEMBERS_MAX,
               "members of each at the start"),
	NUMBER(churn, "--churn", "0", 0, 60000,
               "joins and leaves a minute, in all groups and channels"),
	NUMBER(receipts_ms, "--receipts", "5000", 0, 3600000,
               "ms between two receipts of a device; 0: none"),
	NUMBER(list_max, "--list-max", "100", 0, 1000000,
               "the server's FANOUT_LIST_MAX"),
	NUMBER(rate, "--rate", "200", 1, 100000,
               "messages a second in all, independent of answers"),
	NUMBER(seconds, "--seconds", "20", 1, 86400, "seconds of sending"),
	NUMBER(size, "--size", "200", 1, 8000, "bytes of a text"),
	NUMBER(seed, "--seed", "1", 0, UINT32_MAX,
               "the same seed makes the same choices"),
	NUMBER(drain_s, "--drain", "60", 1, 3600,
               "seconds to settle, and again to read all histories"),
	TEXT(timeline, "--timeline", "FILE", "", NULL,
             "writes a CSV with a row for each second; empty: none"),
};

static const struct command ledger_command = {
	.name = "ledger",
	.words = "",
	.purpose =
		"sends messages while services fail, and judges each of them",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = 0,
	.options_size = sizeof(struct ledger_options),
	.run = ledger_run,
};

int main(int argc, char **argv)
{
	return command_run(&ledger_command, "ledger", argc - 1, argv + 1);
}
