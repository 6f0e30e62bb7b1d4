/*
 * Many people, many conversations, several sockets each, while things break:
 * was any message lost, doubled, misordered or misrouted?
 *
 * Sends at fixed times whatever comes back (open loop), then waits until all is
 * settled, reads everybody's history and judges. SIGINT or SIGTERM ends the
 * sending early; a second one ends all.
 */
#include "client-test/cli/command.h"
#include "client-test/cli/event_loop.h"
#include "client-test/cli/open_files.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/ledger_history.h"
#include "tests/ledger/ledger_report.h"
#include "tests/ledger/ledger_rooms.h"
#include "tests/ledger/ledger_user.h"

#include <stdio.h>

enum {
	EXIT_UNDECIDED = 2,
	TICK_MS = 10,
	GATEWAYS_MAX = 16,
	USERS_MAX = 10000,
	ROOMS_MAX = 1000,
	ROOM_SHARE = 4, /* one message of so many goes to a room */
	START_MS = 120000,
	PROGRESS_US = 1000000,
	LATE_US = 1500000,  /* what is doubled comes last */
	RECEIPTS_MS = 3000, /* that the last ones may take */
	RECEIPTS_TRIES = 10,
	QUIET_US = 15000000, /* nothing new for so long: then we ask */
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

struct ledger {
	const struct ledger_options *options;
	struct ledger_plan plan;
	struct event_loop *loop;
	struct loop_timer *tick;
	struct address gateways[GATEWAYS_MAX];
	unsigned gateway_count;
	struct ledger_book *book;
	struct ledger_tally *tally;
	struct ledger_user *users[USERS_MAX];
	struct ledger_rooms *rooms;
	struct ledger_history *history;
	uint64_t random;
	uint64_t start_us, stop_us, drained_us;
	uint64_t due; /* messages written so far */
	uint64_t progress_us;
	uint64_t news, news_us; /* what was heard last, and when */
	bool sending;
	bool whole;             /* nothing waits, everybody has all */
	bool online;            /* once, all of them */
	bool settled;           /* nothing is open any more */
	uint32_t barriers_from; /* their first number; 0: none was needed */
	const char *undecided;
};

/* --- the load ------------------------------------------------------------ */
static uint64_t draw(struct ledger *ledger, uint64_t below)
{
	return ledger_draw(&ledger->random, below);
}

/*
 * Users sit in a circle and talk to their neighbours on both sides; now and
 * then to themselves.
 */
static unsigned draw_peer(struct ledger *ledger, unsigned user)
{
	uint64_t reach = ledger->options->peers / 2;
	uint64_t step = draw(ledger, 2 * reach + 1);

	return (unsigned)((user + ledger->plan.users + step - reach) %
	                  ledger->plan.users);
}

static void write_to_room(struct ledger *ledger, uint64_t due_us)
{
	unsigned room = (unsigned)draw(ledger, ledger->options->groups);
	struct ledger_place from = {
		ledger_rooms_member(ledger->rooms, room,
	                            draw(ledger, UINT32_MAX)),
		(unsigned)draw(ledger, ledger->plan.devices),
	};
	uint32_t number =
		ledger_book_write_room(ledger->book, from, room, due_us);

	ledger_user_send(ledger->users[from.user], from.device, number);
}

static void write_to_user(struct ledger *ledger, uint64_t due_us)
{
	struct ledger_place from = {
		(unsigned)draw(ledger, ledger->plan.users),
		(unsigned)draw(ledger, ledger->plan.devices),
	};
	uint32_t number = ledger_book_write(
		ledger->book, from, draw_peer(ledger, from.user), due_us);

	ledger_user_send(ledger->users[from.user], from.device, number);
}

static void write_one(struct ledger *ledger, uint64_t due_us)
{
	if (ledger->options->groups && draw(ledger, ROOM_SHARE) == 0)
		write_to_room(ledger, due_us);
	else
		write_to_user(ledger, due_us);
}

static void write_due(struct ledger *ledger, uint64_t now_us)
{
	uint64_t rate = ledger->options->rate;

	for (;;) {
		uint64_t due_us =
			ledger->start_us + ledger->due * 1000000 / rate;

		if (due_us > now_us || due_us >= ledger->stop_us)
			return;
		write_one(ledger, due_us);
		ledger->due++;
	}
}

/* --- how it stands ------------------------------------------------------- */
static unsigned count_welcomed(const struct ledger *ledger)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ledger->plan.users; i++)
		count += ledger_user_welcomed(ledger->users[i]);
	return count;
}

static unsigned count_complete(const struct ledger *ledger)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ledger->plan.users; i++)
		count += ledger_user_complete(ledger->users[i]);
	return count;
}

static unsigned count_waiting(const struct ledger *ledger)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ledger->plan.users; i++)
		count += ledger_user_waiting(ledger->users[i]);
	return count;
}

static unsigned count_devices(const struct ledger *ledger)
{
	return ledger->plan.users * ledger->plan.devices;
}

static void show_progress(struct ledger *ledger, uint64_t now_us)
{
	const struct ledger_totals *totals = ledger_book_totals(ledger->book);

	if (now_us < ledger->progress_us)
		return;
	ledger->progress_us = now_us + PROGRESS_US;
	(void)fprintf(stderr,
	              "ledger: %3.0f s: sent %llu, accepted %llu, saved %llu, "
	              "waiting %u, sockets %u of %u\n",
	              (double)(now_us - ledger->start_us) / 1e6,
	              (unsigned long long)totals->sent,
	              (unsigned long long)totals->accepted,
	              (unsigned long long)totals->saved, count_waiting(ledger),
	              count_welcomed(ledger), count_devices(ledger));
}

/*
 * Nothing comes any more, and something is missing: lost, or only late? One
 * more message behind each that waits, on the same way, tells.
 */
static void send_barriers(struct ledger *ledger, uint64_t now_us)
{
	uint32_t count = ledger_book_count(ledger->book);

	ledger->barriers_from = count;
	ledger_book_close(ledger->book, now_us);
	for (uint32_t i = 0; i < count; i++) {
		struct ledger_line line = ledger_book_line(ledger->book, i);

		if (line.known || line.refused || !line.sent_us)
			continue;
		ledger_user_send(
			ledger->users[line.from.user], line.from.device,
			ledger_book_write_behind(ledger->book, i, now_us));
	}
}

static bool barriers_known(const struct ledger *ledger)
{
	uint32_t count = ledger_book_count(ledger->book);

	for (uint32_t i = ledger->barriers_from; i < count; i++) {
		struct ledger_line line = ledger_book_line(ledger->book, i);

		if (!line.known && !line.refused)
			return false;
	}
	return true;
}

/*
 * Settled: nothing waits and everybody has all, for long enough that late
 * duplicates are here; or everybody is there, nothing new has come for long,
 * and what was sent behind all that is missing has.
 */
static bool is_settled(struct ledger *ledger, uint64_t now_us)
{
	const struct ledger_totals *totals = ledger_book_totals(ledger->book);
	uint64_t news = totals->received + totals->accepted + totals->sent;
	unsigned devices = count_devices(ledger);
	bool whole = count_waiting(ledger) == 0 &&
	             count_complete(ledger) == devices &&
	             ledger_rooms_idle(ledger->rooms);

	if (news != ledger->news || whole != ledger->whole ||
	    count_welcomed(ledger) < devices)
		ledger->news_us = now_us;
	ledger->news = news;
	ledger->whole = whole;
	if (whole || (ledger->barriers_from && barriers_known(ledger)))
		return now_us - ledger->news_us > LATE_US;
	if (!ledger->barriers_from && now_us - ledger->news_us > QUIET_US)
		send_barriers(ledger, now_us);
	return false;
}

static void on_tick(void *context)
{
	struct ledger *ledger = context;
	uint64_t now_us = clock_mono_us();

	loop_timer_start(ledger->tick, TICK_MS);
	if (!ledger->start_us) {
		ledger_rooms_make(ledger->rooms);
		ledger->online =
			count_complete(ledger) == count_devices(ledger) &&
			ledger_rooms_made(ledger->rooms);
		return;
	}
	if (ledger->sending) {
		ledger_rooms_tick(ledger->rooms, now_us);
		write_due(ledger, now_us);
	}
	for (unsigned i = 0; i < ledger->plan.users; i++)
		ledger_user_tick(ledger->users[i]);
	show_progress(ledger, now_us);
	if (!ledger->sending)
		ledger->settled = is_settled(ledger, now_us);
}

/* --- the run ------------------------------------------------------------- */
static bool read_gateways(struct ledger *ledger)
{
	struct span rest = span_of(ledger->options->gateways);

	if (!rest.len)
		rest = span_of(ledger->options->url);
	while (rest.len && ledger->gateway_count < GATEWAYS_MAX) {
		struct span one = span_cut(rest, ',', &rest);
		char *url CLEANUP(mem_free) = mem_text(one.data, one.len);

		if (!address_parse(
			    url, &ledger->gateways[ledger->gateway_count++])) {
			(void)fprintf(stderr,
			              "ledger: '%s' is no "
			              "http://host:port\n",
			              url);
			return false;
		}
	}
	return !rest.len;
}

static void create_users(struct ledger *ledger)
{
	unsigned long long run = random_u64();
	const struct ledger_device_setup setup = {
		.loop = event_loop_uv(ledger->loop),
		.rest = event_loop_rest(ledger->loop),
		.book = ledger->book,
		.tally = ledger->tally,
		.gateways = ledger->gateways,
		.gateway_count = ledger->gateway_count,
		.receipts_ms = (unsigned)ledger->options->receipts_ms,
	};
	const struct ledger_rooms_setup rooms = {
		.loop = setup.loop,
		.rest = setup.rest,
		.book = setup.book,
		.users = ledger->users,
		.user_count = ledger->plan.users,
		.count = (unsigned)ledger->options->groups,
		.size = (unsigned)ledger->options->group_size,
		.churn = (unsigned)ledger->options->churn,
		.run = run,
		.random = &ledger->random,
	};
	char name[64];

	for (unsigned i = 0; i < ledger->plan.users; i++) {
		(void)snprintf(name, sizeof(name), "ledger-%016llx-%u", run, i);
		ledger->users[i] = ledger_user_create(
			&setup, i, ledger->plan.devices, name);
	}
	ledger->rooms = ledger_rooms_create(&rooms);
}

static bool bring_online(struct ledger *ledger)
{
	event_loop_run(ledger->loop, &ledger->online, START_MS);
	if (ledger->online)
		return true;
	ledger->undecided = ledger_rooms_refusal(ledger->rooms);
	if (!ledger->undecided)
		ledger->undecided = "not everybody came online at the start";
	return false;
}

static void send_all(struct ledger *ledger)
{
	ledger->start_us = clock_mono_us();
	ledger->stop_us = ledger->start_us + ledger->options->seconds * 1000000;
	ledger->sending = true;
	event_loop_run(ledger->loop, NULL, ledger->options->seconds * 1000);
	ledger->sending = false;
	ledger->stop_us = clock_mono_us();
	event_loop_resume(ledger->loop);
}

static void drain(struct ledger *ledger)
{
	ledger->news_us = clock_mono_us();
	event_loop_run(ledger->loop, &ledger->settled,
	               ledger->options->drain_s * 1000);
	ledger->drained_us = clock_mono_us();
	if (!ledger->settled)
		ledger->undecided =
			event_loop_ended(ledger->loop)
				? "it was ended before all was settled"
				: "not all was settled in time";
}

/* On sockets that live on: else it is said again on those that came then. */
static void say_last_receipts(struct ledger *ledger)
{
	for (unsigned tries = 0; tries < RECEIPTS_TRIES; tries++) {
		uint64_t connects =
			ledger_tally_total(ledger->tally, LEDGER_CONNECTS);

		if (!ledger->options->receipts_ms)
			return;
		for (unsigned i = 0; i < ledger->plan.users; i++)
			ledger_user_last_receipts(ledger->users[i]);
		event_loop_run(ledger->loop, NULL, RECEIPTS_MS);
		if (count_complete(ledger) == count_devices(ledger) &&
		    connects ==
		            ledger_tally_total(ledger->tally, LEDGER_CONNECTS))
			return;
	}
	ledger->undecided = "sockets did not live on for the last receipts";
}

static void judge(struct ledger *ledger)
{
	bool read = false;

	if (!ledger->settled)
		return;
	ledger->undecided = ledger_rooms_refusal(ledger->rooms);
	say_last_receipts(ledger);
	ledger->history = ledger_history_create(
		event_loop_uv(ledger->loop), event_loop_rest(ledger->loop),
		ledger->book, ledger->users, ledger->plan.users, &read);
	event_loop_run(ledger->loop, &read, ledger->options->drain_s * 1000);
	if (read)
		ledger_book_judge(ledger->book);
	else
		ledger->undecided = "the history could not be read in time";
}

static int report(struct ledger *ledger)
{
	const struct ledger_run run = {
		.plan = &ledger->plan,
		.book = ledger->book,
		.tally = ledger->tally,
		.undecided = ledger->undecided,
		.seed = ledger->options->seed,
		.seconds = (double)(ledger->stop_us - ledger->start_us) / 1e6,
		.drain_s = (double)(ledger->drained_us - ledger->stop_us) / 1e6,
	};
	enum ledger_verdict verdict = ledger_report(&run);
	const char *path = ledger->options->timeline;

	if (*path &&
	    ledger_tally_write(ledger->tally, ledger->book, path) != ST_OK) {
		perror(path);
		return EXIT_UNDECIDED;
	}
	if (verdict == LEDGER_CLEAN)
		return EXIT_DONE;
	return verdict == LEDGER_VIOLATED ? EXIT_FAILED : EXIT_UNDECIDED;
}

static void release(struct ledger *ledger)
{
	event_loop_cancel_calls(ledger->loop);
	ledger_history_destroy(&ledger->history);
	ledger_rooms_destroy(&ledger->rooms);
	for (unsigned i = 0; i < ledger->plan.users; i++)
		ledger_user_destroy(&ledger->users[i]);
	loop_timer_destroy(&ledger->tick);
	(void)event_loop_close(&ledger->loop);
	ledger_tally_destroy(&ledger->tally);
	ledger_book_destroy(&ledger->book);
}

static int ledger_run(const void *context)
{
	static struct ledger ledger;
	const struct ledger_options *options = context;
	int code;

	ledger.options = options;
	ledger.random = options->seed;
	ledger.plan = (struct ledger_plan){
		.users = (unsigned)options->users,
		.devices = (unsigned)options->sockets,
		.text_bytes = (unsigned)options->size,
		.list_max = (unsigned)options->list_max,
	};
	if (!read_gateways(&ledger))
		return EXIT_USAGE;
	open_files_raise_limit();
	ledger.book = ledger_book_create(&ledger.plan);
	ledger.tally = ledger_tally_create();
	ledger.loop = event_loop_create(options->url);
	ledger.tick =
		loop_timer_create(event_loop_uv(ledger.loop), on_tick, &ledger);
	loop_timer_start(ledger.tick, TICK_MS);
	create_users(&ledger);
	if (bring_online(&ledger)) {
		send_all(&ledger);
		drain(&ledger);
		judge(&ledger);
	}
	code = report(&ledger);
	release(&ledger);
	return code;
}

static const struct option_row rows[] = {
	OPTION_URL(struct ledger_options),
	OPTION_TEXT(struct ledger_options, gateways, "--gateways", "URLS", "",
                    NULL,
                    "where sockets go, with commas; empty: where --url is"),
	OPTION_NUMBER(struct ledger_options, users, "--users", "40", 1,
                      USERS_MAX, "people"),
	OPTION_NUMBER(struct ledger_options, sockets, "--sockets", "2", 1,
                      LEDGER_DEVICES_MAX, "sockets of each"),
	OPTION_NUMBER(struct ledger_options, peers, "--peers", "6", 0, 1000,
                      "others that each talks to; and to oneself"),
	OPTION_NUMBER(struct ledger_options, groups, "--groups", "4", 0,
                      ROOMS_MAX, "groups and channels, in turn; 0: none"),
	OPTION_NUMBER(struct ledger_options, group_size, "--group-size", "5", 1,
                      LEDGER_SEATS_MAX, "people in each at the start"),
	OPTION_NUMBER(struct ledger_options, churn, "--churn", "0", 0, 60000,
                      "comings and goings there a minute"),
	OPTION_NUMBER(struct ledger_options, receipts_ms, "--receipts", "5000",
                      0, 3600000,
                      "ms between two receipts of a device; 0: none"),
	OPTION_NUMBER(struct ledger_options, list_max, "--list-max", "100", 0,
                      1000000, "the server's FANOUT_LIST_MAX"),
	OPTION_NUMBER(struct ledger_options, rate, "--rate", "200", 1, 100000,
                      "messages a second in all, whatever comes back"),
	OPTION_NUMBER(struct ledger_options, seconds, "--seconds", "20", 1,
                      86400, "of sending"),
	OPTION_NUMBER(struct ledger_options, size, "--size", "200", 1, 8000,
                      "bytes of a text"),
	OPTION_NUMBER(struct ledger_options, seed, "--seed", "1", 0, UINT32_MAX,
                      "the same seed, the same choices"),
	OPTION_NUMBER(struct ledger_options, drain_s, "--drain", "60", 1, 3600,
                      "seconds for all to settle, and again to be read"),
	OPTION_TEXT(struct ledger_options, timeline, "--timeline", "FILE", "",
                    NULL, "CSV, a row for each second; empty: none"),
};

static const struct command ledger_command = {
	.name = "ledger",
	.words = "",
	.purpose = "sends while things break; judges what became of it",
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
