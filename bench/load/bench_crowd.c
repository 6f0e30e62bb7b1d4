#include "bench/load/bench_crowd.h"
#include "bench/load/bench_net.h"
#include "bench/load/bench_scan.h"
#include "bench/load/bench_users.h"
#include "client-test/client/open_files.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <stdio.h>

enum { SECOND_US = 1000000, FILL_S = 120 };

struct member {
	struct bench_peer peer;
	uint64_t begun_us;
	bool begun; /* not welcomed and not lost yet */
	bool welcomed;
};

struct bench_crowd {
	const struct options *options;
	const struct bench_crowd_events *events;
	void *context;
	struct bench_net *net;
	struct bench_users users;
	struct member *members;
	unsigned size, filled, welcomed, lost;
	bool filling; /* one that is welcomed makes room for the next */
	struct histogram times;
};

static void lose(struct bench_crowd *crowd, unsigned number, const char *why)
{
	struct member *member = &crowd->members[number];

	if (crowd->lost++ == 0)
		(void)fprintf(stderr, "socket %u ended: %s\n", number, why);
	crowd->welcomed -= member->welcomed;
	member->welcomed = false;
	member->begun = false;
	if (crowd->events->lost)
		crowd->events->lost(crowd->context, number, why);
}

void bench_crowd_join(struct bench_crowd *crowd, unsigned number)
{
	const struct bench_users *users = &crowd->users;
	struct member *member = &crowd->members[number];
	size_t line = (crowd->options->from + number) % users->count;

	member->begun = true;
	member->begun_us = clock_mono_us();
	if (bench_net_connect(crowd->net, &member->peer, number,
	                      span_of(users->users[line].token)) != ST_OK)
		lose(crowd, number, "it can't connect");
}

void bench_crowd_leave(struct bench_crowd *crowd, unsigned number)
{
	struct member *member = &crowd->members[number];

	bench_net_close(crowd->net, &member->peer);
	crowd->welcomed -= member->welcomed;
	member->welcomed = false;
	member->begun = false;
}

static void join_next(struct bench_crowd *crowd)
{
	if (crowd->filled < crowd->size)
		bench_crowd_join(crowd, crowd->filled++);
}

static void take_welcome(struct bench_crowd *crowd, struct member *member,
                         struct span text, uint64_t now_us)
{
	struct bench_frame frame;

	if (!bench_scan(text, &frame) || frame.kind != BENCH_WELCOME)
		return;
	member->begun = false;
	member->welcomed = true;
	crowd->welcomed++;
	histogram_add(&crowd->times, now_us - member->begun_us);
	if (crowd->events->welcomed)
		crowd->events->welcomed(crowd->context, member->peer.index,
		                        now_us);
	if (crowd->filling)
		join_next(crowd);
}

static void on_text(void *context, struct bench_peer *peer, struct span text,
                    uint64_t now_us)
{
	struct bench_crowd *crowd = context;
	struct member *member = &crowd->members[peer->index];

	if (!member->welcomed)
		take_welcome(crowd, member, text, now_us);
	else if (crowd->events->text)
		crowd->events->text(crowd->context, peer->index, text, now_us);
}

static void on_lost(void *context, struct bench_peer *peer, const char *why)
{
	lose(context, peer->index, why);
}

enum status bench_crowd_create(const struct options *options,
                               const struct bench_crowd_events *events,
                               void *context, struct bench_crowd **ret_crowd)
{
	static const struct bench_net_events net_events = {.text = on_text,
	                                                   .lost = on_lost};
	struct bench_crowd *crowd CLEANUP(bench_crowd_destroy) =
		mem_new(sizeof(*crowd));
	struct address address;

	crowd->options = options;
	crowd->events = events;
	crowd->context = context;
	if (!address_parse(options->url, &address) ||
	    bench_users_read(options->tokens, 1, &crowd->users) != ST_OK ||
	    bench_net_create(&address, &net_events, crowd, &crowd->net) !=
	            ST_OK)
		return ST_INVALID;
	open_files_raise_limit();
	crowd->size = (unsigned)options->sockets;
	crowd->members = mem_new(crowd->size * sizeof(*crowd->members));
	*ret_crowd = MOVE(crowd);
	return ST_OK;
}

void bench_crowd_destroy(struct bench_crowd **crowd_at)
{
	struct bench_crowd *crowd = MOVE(*crowd_at);

	if (!crowd)
		return;
	for (unsigned i = 0; i < crowd->filled; i++)
		bench_crowd_leave(crowd, i);
	mem_free(&crowd->members);
	bench_net_destroy(&crowd->net);
	bench_users_free(&crowd->users);
	mem_free(&crowd);
}

bool bench_crowd_fill(struct bench_crowd *crowd)
{
	uint64_t deadline_us = clock_mono_us() + (uint64_t)FILL_S * SECOND_US;

	crowd->filling = true;
	for (unsigned i = 0; i < crowd->options->at_once; i++)
		join_next(crowd);
	while (crowd->welcomed < crowd->size && !crowd->lost &&
	       clock_mono_us() < deadline_us)
		bench_net_turn(crowd->net, deadline_us);
	crowd->filling = false;
	return crowd->welcomed == crowd->size;
}

void bench_crowd_turn(struct bench_crowd *crowd, uint64_t until_us)
{
	bench_net_turn(crowd->net, until_us);
}

void bench_crowd_nap(struct bench_crowd *crowd, unsigned nap_us)
{
	bench_net_nap(crowd->net, nap_us);
}

unsigned bench_crowd_size(const struct bench_crowd *crowd)
{
	return crowd->size;
}

unsigned bench_crowd_welcomed(const struct bench_crowd *crowd)
{
	return crowd->welcomed;
}

unsigned bench_crowd_lost(const struct bench_crowd *crowd)
{
	return crowd->lost;
}

bool bench_crowd_is_late(const struct bench_crowd *crowd, unsigned number,
                         uint64_t since_us)
{
	const struct member *member = &crowd->members[number];

	return member->begun && member->begun_us < since_us;
}

const struct histogram *bench_crowd_times(const struct bench_crowd *crowd)
{
	return &crowd->times;
}
