#include "bench/load/bench_room.h"
#include "bench/load/bench_crowd.h"
#include "bench/load/bench_orders.h"
#include "bench/load/bench_scan.h"
#include "client-test/cli/command.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"

#include <stdio.h>

enum {
	LOOK_US = 20000,
	UNDER_WAY_MAX = 4096, /* messages that some have and others have not */
	FRAME_KEPT = 4096,
	NAP_US = 200,
};

struct room {
	struct bench_crowd *crowd;
	uint64_t *next;               /* by member: the seq that is due */
	unsigned have[UNDER_WAY_MAX]; /* by seq: how many have it */
	/* The last frame that was read: most sockets get the same one. */
	char frame[FRAME_KEPT];
	size_t frame_len;
	uint64_t seq, made_us;
	uint64_t deliveries, bytes, gaps, duplicates, strange;
	uint64_t first_us, last_us; /* of deliveries */
	struct histogram times;
};

/* False when it is none of ours. */
static bool read_frame(struct room *room, struct span text)
{
	struct bench_frame frame;
	struct span rest;

	if (text.len == room->frame_len &&
	    !memcmp(text.data, room->frame, text.len))
		return true;
	if (!bench_scan(text, &frame) || frame.kind != BENCH_MESSAGE ||
	    !span_to_u64(span_cut(frame.message, ' ', &rest), UINT64_MAX,
	                 &room->made_us))
		return false;
	room->seq = frame.seq;
	room->frame_len = text.len <= FRAME_KEPT ? text.len : 0;
	memcpy(room->frame, text.data, room->frame_len);
	return true;
}

static void tell_if_complete(struct room *room)
{
	unsigned *have = &room->have[room->seq % UNDER_WAY_MAX];

	if (++*have < bench_crowd_size(room->crowd))
		return;
	*have = 0;
	(void)printf("%llu\n", (unsigned long long)room->seq);
	(void)fflush(stdout);
}

static void count_order(struct room *room, unsigned member)
{
	uint64_t *next = &room->next[member];

	if (room->seq < *next) {
		room->duplicates++;
		return;
	}
	room->gaps += room->seq - *next;
	*next = room->seq + 1;
	tell_if_complete(room);
}

static void on_text(void *context, unsigned member, struct span text,
                    uint64_t now_us)
{
	struct room *room = context;

	if (!read_frame(room, text)) {
		room->strange++;
		return;
	}
	count_order(room, member);
	if (!room->deliveries++)
		room->first_us = now_us;
	room->last_us = now_us;
	room->bytes += text.len;
	histogram_add(&room->times,
	              now_us > room->made_us ? now_us - room->made_us : 0);
}

static const struct bench_crowd_events events = {.text = on_text};

static double seconds(const struct room *room)
{
	return (double)(room->last_us - room->first_us) / 1e6;
}

static void write_times(struct json_writer *w, const struct histogram *times)
{
	json_open_object(w, "received_us");
	json_number(w, "p50", histogram_at(times, 50));
	json_number(w, "p95", histogram_at(times, 95));
	json_number(w, "p99", histogram_at(times, 99));
	json_number(w, "max", times->max);
	json_close(w);
}

static void report(const struct room *room)
{
	struct buf text CLEANUP(buf_free) = BUF(2048);
	struct json_writer w = json_writer(&text);
	double took = seconds(room);

	json_open(&w);
	json_text(&w, "mode", SPAN("room"));
	json_number(&w, "sockets", bench_crowd_welcomed(room->crowd));
	json_number(&w, "lost_sockets", bench_crowd_lost(room->crowd));
	json_number(&w, "deliveries", room->deliveries);
	json_number(&w, "bytes", room->bytes);
	json_double(&w, "seconds", took);
	json_double(&w, "deliveries_per_s",
	            took > 0 ? (double)room->deliveries / took : 0);
	json_number(&w, "gaps", room->gaps);
	json_number(&w, "duplicates", room->duplicates);
	json_number(&w, "strange", room->strange);
	write_times(&w, &room->times);
	json_close(&w);
	(void)puts(buf_text(&text));
	(void)fflush(stdout);
}

static void start_anew(struct room *room)
{
	room->deliveries = 0;
	room->bytes = 0;
	room->gaps = 0;
	room->duplicates = 0;
	room->strange = 0;
	room->first_us = 0;
	room->last_us = 0;
	room->times = (struct histogram){0};
}

static void listen_on(struct room *room)
{
	char order[BENCH_ORDER_MAX];
	enum bench_orders_result result;
	uint64_t look_us = 0;

	for (;;) {
		bench_crowd_turn(room->crowd, clock_mono_us() + LOOK_US);
		if (clock_mono_us() < look_us)
			continue;
		look_us = clock_mono_us() + LOOK_US;
		result = bench_orders_next(order);
		if (result == BENCH_ORDERS_ENDED)
			return;
		if (result == BENCH_ORDERS_ONE) {
			report(room);
			start_anew(room);
		}
	}
}

int bench_room(const struct options *options)
{
	struct bench_crowd *crowd CLEANUP(bench_crowd_destroy) = NULL;
	static struct room room;
	bool filled;

	if (bench_crowd_create(options, &events, &room, &crowd) != ST_OK)
		return EXIT_USAGE;
	room.crowd = crowd;
	room.next = mem_new(options->sockets * sizeof(*room.next));
	for (unsigned i = 0; i < bench_crowd_size(crowd); i++)
		room.next[i] = 1;
	filled = bench_crowd_fill(crowd);
	report(&room);
	bench_crowd_nap(crowd, NAP_US);
	if (filled)
		listen_on(&room);
	mem_free(&room.next);
	return filled && !bench_crowd_lost(crowd) ? EXIT_DONE : EXIT_FAILED;
}
