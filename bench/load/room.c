#include "bench/load/room.h"
#include "bench/load/frame_scan.h"
#include "bench/load/socket_group.h"
#include "bench/load/stdin_commands.h"
#include "client-test/cli/command.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"

#include <stdio.h>

enum {
	POLL_US = 20000,
	UNDER_WAY_MAX = 4096, /* messages that not all sockets have yet */
	FRAME_KEPT = 4096,
	PAUSE_US = 200,
};

struct room {
	struct socket_group *group;
	uint64_t *next;                   /* by member: the expected seq */
	unsigned received[UNDER_WAY_MAX]; /* by seq: by how many members */
	/* The last frame that was decoded: most sockets get the same one. */
	char frame[FRAME_KEPT];
	size_t frame_len;
	uint64_t seq, made_us;
	uint64_t deliveries, bytes, gaps, duplicates, unexpected;
	uint64_t first_us, last_us; /* of deliveries */
	struct histogram times;
};

/* False if the frame is not an event. */
static bool read_frame(struct room *room, struct span text)
{
	struct scanned_frame frame;
	struct span rest;

	if (text.len == room->frame_len &&
	    !memcmp(text.data, room->frame, text.len))
		return true;
	if (!frame_scan(text, &frame) || frame.kind != FRAME_MESSAGE ||
	    !span_to_u64(span_cut(frame.message, ' ', &rest), UINT64_MAX,
	                 &room->made_us))
		return false;
	room->seq = frame.seq;
	room->frame_len = text.len <= FRAME_KEPT ? text.len : 0;
	memcpy(room->frame, text.data, room->frame_len);
	return true;
}

static void check_seq(struct room *room, unsigned member)
{
	uint64_t *next = &room->next[member];
	unsigned *received = &room->received[room->seq % UNDER_WAY_MAX];

	if (room->seq < *next) {
		room->duplicates++;
		return;
	}
	room->gaps += room->seq - *next;
	*next = room->seq + 1;
	if (++*received < socket_group_size(room->group))
		return;
	*received = 0;
	(void)printf("%llu\n", (unsigned long long)room->seq);
	(void)fflush(stdout);
}

static void on_text(void *context, unsigned member, struct span text,
                    uint64_t now_us)
{
	struct room *room = context;

	if (!read_frame(room, text)) {
		room->unexpected++;
		return;
	}
	check_seq(room, member);
	if (!room->deliveries++)
		room->first_us = now_us;
	room->last_us = now_us;
	room->bytes += text.len;
	histogram_add(&room->times,
	              now_us > room->made_us ? now_us - room->made_us : 0);
}

static const struct socket_group_events events = {.text = on_text};

static void report(const struct room *room)
{
	struct buf text CLEANUP(buf_free) = BUF(2048);
	struct json_writer w = json_writer(&text);
	double took = (double)(room->last_us - room->first_us) / 1e6;

	json_open(&w);
	json_text(&w, "mode", SPAN("room"));
	json_number(&w, "sockets", socket_group_welcomed(room->group));
	json_number(&w, "lost_sockets", socket_group_lost(room->group));
	json_number(&w, "deliveries", room->deliveries);
	json_number(&w, "bytes", room->bytes);
	json_double(&w, "seconds", took);
	json_double(&w, "deliveries_per_s",
	            took > 0 ? (double)room->deliveries / took : 0);
	json_number(&w, "gaps", room->gaps);
	json_number(&w, "duplicates", room->duplicates);
	json_number(&w, "unexpected_frames", room->unexpected);
	histogram_write(&room->times, "received_us", &w);
	json_close(&w);
	(void)puts(buf_text(&text));
	(void)fflush(stdout);
}

static void reset(struct room *room)
{
	room->deliveries = 0;
	room->bytes = 0;
	room->gaps = 0;
	room->duplicates = 0;
	room->unexpected = 0;
	room->first_us = 0;
	room->last_us = 0;
	room->times = (struct histogram){0};
}

static void receive(struct room *room)
{
	char command[STDIN_COMMAND_MAX];
	enum stdin_commands_result result;
	uint64_t next_check_us = 0;

	for (;;) {
		socket_group_poll(room->group, clock_mono_us() + POLL_US);
		if (clock_mono_us() < next_check_us)
			continue;
		next_check_us = clock_mono_us() + POLL_US;
		result = stdin_commands_next(command);
		if (result == STDIN_COMMANDS_ENDED)
			return;
		if (result == STDIN_COMMANDS_ONE) {
			report(room);
			reset(room);
		}
	}
}

int room_run(const struct load_options *options)
{
	struct socket_group *group CLEANUP(socket_group_destroy) = NULL;
	static struct room room;
	bool filled;

	if (socket_group_create(options, &events, &room, &group) != ST_OK)
		return EXIT_USAGE;
	room.group = group;
	room.next = mem_new(options->sockets * sizeof(*room.next));
	for (unsigned i = 0; i < socket_group_size(group); i++)
		room.next[i] = 1;
	filled = socket_group_connect_all(group);
	report(&room);
	socket_group_pause(group, PAUSE_US);
	if (filled)
		receive(&room);
	mem_free(&room.next);
	return filled && !socket_group_lost(group) ? EXIT_DONE : EXIT_FAILED;
}
