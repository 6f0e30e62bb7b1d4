/*
 * ledger - checks that no message is lost, duplicated, misordered or misrouted
 * while services fail: many users, many conversations, several sockets each.
 *
 * It sends at fixed times, independent of the answers (open loop), waits until
 * everything is settled, reads every user's history and judges. SIGINT or
 * SIGTERM ends the sending early; a second one ends the run.
 */
#include "client-test/cli/open_files.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/verdict.h"
#include "tests/ledger/load.h"
#include "tests/ledger/report.h"
#include "tests/ledger/settle.h"

#include <signal.h>
#include <stdio.h>

enum {
	EXIT_UNDECIDED = 2,
	TICK_MS = 10,
	START_MS = 600000, /* a bound on hanging */
	PROGRESS_US = 1000000,
};

/* --- progress ------------------------------------------------------------ */
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
	              (unsigned long long)totals->saved,
	              run_sum(run, user_waiting), run_sum(run, user_welcomed),
	              run_devices(run));
}

/* --- cut sockets --------------------------------------------------------- */
static volatile sig_atomic_t cuts_expected;

static void on_cut_signal(int number)
{
	cuts_expected = number == SIGUSR1;
}

static void watch_cut_signals(void)
{
	const struct sigaction action = {.sa_handler = on_cut_signal,
	                                 .sa_flags = SA_RESTART};

	(void)sigaction(SIGUSR1, &action, NULL);
	(void)sigaction(SIGUSR2, &action, NULL);
}

/* The line tells the sender of the signal that the ledger knows. */
static void note_cuts(struct run *run)
{
	if (run->cuts_expected == (bool)cuts_expected)
		return;
	run->cuts_expected = cuts_expected;
	sessions_expect_cuts(run->ledger, run->cuts_expected);
	(void)fprintf(stderr, "ledger: sockets %s be cut\n",
	              run->cuts_expected ? "may" : "must not");
}

static void on_tick(void *context)
{
	struct run *run = context;
	uint64_t now_us = clock_mono_us();

	note_cuts(run);
	loop_timer_start(run->tick, TICK_MS);
	if (!run->start_us) {
		room_churn_create_rooms(run->rooms);
		run->online = run_sum(run, user_complete) == run_devices(run) &&
		              room_churn_rooms_created(run->rooms);
		return;
	}
	if (run->sending) {
		room_churn_tick(run->rooms, now_us);
		block_churn_tick(run->blocks);
		load_send_due(run, now_us);
	}
	for (unsigned i = 0; i < run->config.users; i++)
		user_tick(run->users[i]);
	show_progress(run, now_us);
	if (!run->sending)
		run->settled = settle_check(run, now_us);
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
		.presence = run->options->calm_s,
		.resend_ms = run->options->resend_s * 1000,
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
	const struct block_churn_config blocks = {
		.loop = devices.loop,
		.rest = devices.rest,
		.ledger = devices.ledger,
		.users = run->users,
		.user_count = run->config.users,
		.pairs = (unsigned)run->options->blocks,
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
	run->blocks = block_churn_create(&blocks);
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
	run->settling.news_us = clock_mono_us();
	event_loop_run(run->loop, &run->settled, run->options->drain_s * 1000);
	run->drained_us = clock_mono_us();
	if (!run->settled)
		run->undecided = event_loop_ended(run->loop)
		                         ? "the run was ended before "
		                           "everything was settled"
		                         : "not everything was settled in time";
}

static void judge(struct run *run)
{
	bool read = false;

	if (!run->settled)
		return;
	run->undecided = room_churn_error(run->rooms);
	if (!run->undecided)
		run->undecided = block_churn_error(run->blocks);
	if (settle_sockets(run) != ST_OK)
		run->undecided = "the sockets did not settle in time";
	run->history = history_reader_create(
		event_loop_uv(run->loop), event_loop_rest(run->loop),
		run->ledger, run->users, run->config.users, &read);
	event_loop_run(run->loop, &read, run->options->drain_s * 1000);
	if (read)
		verdict_judge(run->ledger);
	else
		run->undecided = "the history could not be read in time";
	if (run->options->calm_s)
		settle_presence(run);
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
	block_churn_destroy(&run->blocks);
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
		.judge_cuts = !options->cuts,
	};
	if (!read_gateways(&run))
		return EXIT_USAGE;
	open_files_raise_limit();
	watch_cut_signals();
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
	NUMBER(edits, "--edits", "10", 0, 100,
               "edits, deletes and reactions for a hundred messages"),
	NUMBER(typing, "--typing", "5", 0, 100,
               "`typing` frames for a hundred messages"),
	NUMBER(blocks, "--blocks", "2", 0, 100,
               "users who block another user from time to time"),
	NUMBER(calm_s, "--calm", "0", 0, 3600,
               "seconds to see at the end who is online, a bound on hanging; "
               "0: presence is not judged"),
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
	NUMBER(drain_s, "--drain", "600", 1, 3600,
               "seconds to settle, and again to read all histories: a "
               "bound on hanging"),
	NUMBER(resend_s, "--resend", "10", 0, 3600,
               "seconds without an answer after which a message is sent "
               "again; 0: never"),
	NUMBER(cuts, "--cuts", "1", 0, 1,
               "1: sockets may end without a close code; 0: only between "
               "SIGUSR1 and SIGUSR2"),
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
