#include "bench/load/idle.h"
#include "bench/load/socket_group.h"
#include "bench/load/stdin_commands.h"
#include "client-test/cli/command.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"

#include <stdio.h>

enum { SECOND_US = 1000000, POLL_US = 200000, PAUSE_US = 1000 };

static void report(const struct socket_group *group, const char *mode,
                   uint64_t took_us)
{
	const struct histogram *times = socket_group_times(group);
	struct buf text CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&text);
	unsigned welcomed = socket_group_welcomed(group);

	json_open(&w);
	json_text(&w, "mode", span_of(mode));
	json_number(&w, "sockets", welcomed);
	json_number(&w, "lost_sockets", socket_group_lost(group));
	json_double(&w, "seconds", (double)took_us / SECOND_US);
	json_double(&w, "connects_per_s",
	            (double)welcomed * SECOND_US / (double)took_us);
	json_number(&w, "p50_us", histogram_at(times, 50));
	json_number(&w, "p99_us", histogram_at(times, 99));
	json_number(&w, "max_us", times->max);
	json_close(&w);
	(void)puts(buf_text(&text));
	(void)fflush(stdout);
}

static const struct socket_group_events no_events = {0};

static bool fill(struct socket_group *group, const char *mode)
{
	uint64_t start_us = clock_mono_us();
	bool filled = socket_group_connect_all(group);

	report(group, mode, clock_mono_us() - start_us);
	return filled;
}

/* False if a socket was lost. */
static bool hold(struct socket_group *group)
{
	char command[STDIN_COMMAND_MAX];
	uint64_t start_us = clock_mono_us();

	socket_group_pause(group, PAUSE_US);
	while (stdin_commands_next(command) != STDIN_COMMANDS_ENDED)
		socket_group_poll(group, clock_mono_us() + POLL_US);
	report(group, "idle", clock_mono_us() - start_us);
	return socket_group_lost(group) == 0;
}

int idle_run(const struct load_options *options)
{
	struct socket_group *group CLEANUP(socket_group_destroy) = NULL;

	if (socket_group_create(options, &no_events, NULL, &group) != ST_OK)
		return EXIT_USAGE;
	return fill(group, "idle") && hold(group) ? EXIT_DONE : EXIT_FAILED;
}

int connect_run(const struct load_options *options)
{
	struct socket_group *group CLEANUP(socket_group_destroy) = NULL;

	if (socket_group_create(options, &no_events, NULL, &group) != ST_OK)
		return EXIT_USAGE;
	return fill(group, "connect") ? EXIT_DONE : EXIT_FAILED;
}
