#include "bench/load/bench_storm.h"
#include "bench/load/bench_crowd.h"
#include "bench/load/bench_orders.h"
#include "client-test/cli/command.h"
#include "client-test/client/talker.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#include <stdio.h>

enum {
	SECOND_US = 1000000,
	LOOK_US = 5000, /* how often who is due is looked for */
	ANSWER_US = 10 * SECOND_US,
	LIMIT_US = 120 * SECOND_US,
};

struct away {
	uint64_t due_us; /* of the next try; 0: none is planned */
	unsigned tries;  /* since it was lost */
	bool away;       /* from the loss to the welcome */
};

struct storm {
	struct bench_crowd *crowd;
	struct away *aways; /* by member */
	uint64_t began_us;  /* 0: all is quiet */
	uint64_t look_us;
	unsigned cut, away, tries;
	struct histogram back;
};

static void plan_try(struct away *away)
{
	uint64_t wait_ms = backoff_ms(away->tries, TALKER_RETRY_BASE_MS,
	                              TALKER_RETRY_MAX_MS);

	away->due_us = clock_mono_us() + wait_ms * 1000 + 1;
}

static void leave(struct storm *storm, unsigned member)
{
	struct away *away = &storm->aways[member];

	if (!storm->began_us)
		storm->began_us = clock_mono_us();
	if (!away->away) {
		away->away = true;
		away->tries = 0;
		storm->cut++;
		storm->away++;
	}
	plan_try(away);
}

static void on_lost(void *context, unsigned member, const char *why)
{
	(void)why;
	leave(context, member);
}

static void on_welcomed(void *context, unsigned member, uint64_t now_us)
{
	struct storm *storm = context;
	struct away *away = &storm->aways[member];

	if (!away->away)
		return;
	away->away = false;
	storm->away--;
	histogram_add(&storm->back, now_us - storm->began_us);
}

static const struct bench_crowd_events events = {.welcomed = on_welcomed,
                                                 .lost = on_lost};

static void cut_all(struct storm *storm)
{
	for (unsigned i = 0; i < bench_crowd_size(storm->crowd); i++) {
		bench_crowd_leave(storm->crowd, i);
		leave(storm, i);
	}
}

static void try_again(struct storm *storm, unsigned member)
{
	struct away *away = &storm->aways[member];

	away->due_us = 0;
	away->tries++;
	storm->tries++;
	bench_crowd_join(storm->crowd, member);
}

static void look_for_due(struct storm *storm)
{
	uint64_t now_us = clock_mono_us();

	if (!storm->away || now_us < storm->look_us)
		return;
	storm->look_us = now_us + LOOK_US;
	for (unsigned i = 0; i < bench_crowd_size(storm->crowd); i++) {
		struct away *away = &storm->aways[i];

		if (!away->away)
			continue;
		if (bench_crowd_is_late(storm->crowd, i, now_us - ANSWER_US)) {
			bench_crowd_leave(storm->crowd, i);
			plan_try(away);
		} else if (away->due_us && away->due_us <= now_us) {
			try_again(storm, i);
		}
	}
}

static void write_times(struct json_writer *w, const struct histogram *times)
{
	json_open_object(w, "back_us");
	json_number(w, "p50", histogram_at(times, 50));
	json_number(w, "p90", histogram_at(times, 90));
	json_number(w, "p99", histogram_at(times, 99));
	json_number(w, "max", times->max);
	json_close(w);
}

static void report(const struct storm *storm)
{
	struct buf text CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "mode", SPAN("storm"));
	json_number(&w, "sockets", bench_crowd_welcomed(storm->crowd));
	json_number(&w, "cut", storm->cut);
	json_number(&w, "away", storm->away);
	json_number(&w, "tries", storm->tries);
	write_times(&w, &storm->back);
	json_close(&w);
	(void)puts(buf_text(&text));
	(void)fflush(stdout);
}

static void calm_down(struct storm *storm)
{
	report(storm);
	storm->began_us = 0;
	storm->cut = 0;
	storm->tries = 0;
	storm->back = (struct histogram){0};
}

/* False when they are not all back after a time beyond all patience. */
static bool watch(struct storm *storm)
{
	char order[BENCH_ORDER_MAX];

	for (;;) {
		enum bench_orders_result result = bench_orders_next(order);

		if (result == BENCH_ORDERS_ENDED)
			return true;
		if (result == BENCH_ORDERS_ONE)
			cut_all(storm);
		look_for_due(storm);
		bench_crowd_turn(storm->crowd, clock_mono_us() + LOOK_US);
		if (!storm->began_us)
			continue;
		if (!storm->away)
			calm_down(storm);
		else if (clock_mono_us() - storm->began_us > LIMIT_US)
			break;
	}
	report(storm);
	return false;
}

int bench_storm(const struct options *options)
{
	struct bench_crowd *crowd CLEANUP(bench_crowd_destroy) = NULL;
	static struct storm storm;
	bool done;

	storm.aways = mem_new(options->sockets * sizeof(*storm.aways));
	if (bench_crowd_create(options, &events, &storm, &crowd) != ST_OK)
		return EXIT_USAGE;
	storm.crowd = crowd;
	done = bench_crowd_fill(crowd);
	report(&storm);
	done = done && watch(&storm);
	mem_free(&storm.aways);
	return done ? EXIT_DONE : EXIT_FAILED;
}
