#include "bench/load/storm.h"
#include "bench/load/socket_group.h"
#include "bench/load/stdin_commands.h"
#include "client-test/cli/command.h"
#include "client-test/client/user_session.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#include <stdio.h>

enum {
	SECOND_US = 1000000,
	POLL_US = 5000, /* between two looks for members that are due */
	ANSWER_US = 10 * SECOND_US,
	LIMIT_US = 120 * SECOND_US,
};

struct reconnect {
	uint64_t due_us;   /* of the next attempt; 0: none is scheduled */
	unsigned attempts; /* since the loss */
	bool offline;      /* from the loss to the welcome */
};

struct storm {
	struct socket_group *group;
	struct reconnect *reconnects; /* by member */
	uint64_t began_us;            /* 0: there is no storm */
	uint64_t next_look_us;
	unsigned cut, offline, attempts;
	struct histogram back;
};

static void schedule(struct reconnect *reconnect)
{
	uint64_t wait_ms =
		backoff_ms(reconnect->attempts, USER_SESSION_RETRY_BASE_MS,
	                   USER_SESSION_RETRY_MAX_MS);

	reconnect->due_us = clock_mono_us() + wait_ms * 1000 + 1;
}

static void leave(struct storm *storm, unsigned member)
{
	struct reconnect *reconnect = &storm->reconnects[member];

	if (!storm->began_us)
		storm->began_us = clock_mono_us();
	if (!reconnect->offline) {
		reconnect->offline = true;
		reconnect->attempts = 0;
		storm->cut++;
		storm->offline++;
	}
	schedule(reconnect);
}

static void on_lost(void *context, unsigned member, const char *why)
{
	(void)why;
	leave(context, member);
}

static void on_welcomed(void *context, unsigned member, uint64_t now_us)
{
	struct storm *storm = context;
	struct reconnect *reconnect = &storm->reconnects[member];

	if (!reconnect->offline)
		return;
	reconnect->offline = false;
	storm->offline--;
	histogram_add(&storm->back, now_us - storm->began_us);
}

static const struct socket_group_events events = {.welcomed = on_welcomed,
                                                  .lost = on_lost};

static void cut_all(struct storm *storm)
{
	for (unsigned i = 0; i < socket_group_size(storm->group); i++) {
		socket_group_close(storm->group, i);
		leave(storm, i);
	}
}

static void attempt(struct storm *storm, unsigned member)
{
	struct reconnect *reconnect = &storm->reconnects[member];

	reconnect->due_us = 0;
	reconnect->attempts++;
	storm->attempts++;
	socket_group_connect(storm->group, member);
}

static void reconnect_due(struct storm *storm)
{
	uint64_t now_us = clock_mono_us();

	if (!storm->offline || now_us < storm->next_look_us)
		return;
	storm->next_look_us = now_us + POLL_US;
	for (unsigned i = 0; i < socket_group_size(storm->group); i++) {
		struct reconnect *reconnect = &storm->reconnects[i];

		if (!reconnect->offline)
			continue;
		if (socket_group_is_late(storm->group, i, now_us - ANSWER_US)) {
			socket_group_close(storm->group, i);
			schedule(reconnect);
		} else if (reconnect->due_us && reconnect->due_us <= now_us) {
			attempt(storm, i);
		}
	}
}

static void report(const struct storm *storm)
{
	struct buf text CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "mode", SPAN("storm"));
	json_number(&w, "sockets", socket_group_welcomed(storm->group));
	json_number(&w, "cut", storm->cut);
	json_number(&w, "away", storm->offline);
	json_number(&w, "tries", storm->attempts);
	histogram_write(&storm->back, "back_us", &w);
	json_close(&w);
	(void)puts(buf_text(&text));
	(void)fflush(stdout);
}

static void end_storm(struct storm *storm)
{
	report(storm);
	storm->began_us = 0;
	storm->cut = 0;
	storm->attempts = 0;
	storm->back = (struct histogram){0};
}

/* False if not all members are back within LIMIT_US. */
static bool watch(struct storm *storm)
{
	char command[STDIN_COMMAND_MAX];

	for (;;) {
		enum stdin_commands_result result =
			stdin_commands_next(command);

		if (result == STDIN_COMMANDS_ENDED)
			return true;
		if (result == STDIN_COMMANDS_ONE)
			cut_all(storm);
		reconnect_due(storm);
		socket_group_poll(storm->group, clock_mono_us() + POLL_US);
		if (!storm->began_us)
			continue;
		if (!storm->offline)
			end_storm(storm);
		else if (clock_mono_us() - storm->began_us > LIMIT_US)
			break;
	}
	report(storm);
	return false;
}

int storm_run(const struct load_options *options)
{
	struct socket_group *group CLEANUP(socket_group_destroy) = NULL;
	static struct storm storm;
	bool done;

	storm.reconnects =
		mem_new(options->sockets * sizeof(*storm.reconnects));
	if (socket_group_create(options, &events, &storm, &group) != ST_OK)
		return EXIT_USAGE;
	storm.group = group;
	done = socket_group_connect_all(group);
	report(&storm);
	done = done && watch(&storm);
	mem_free(&storm.reconnects);
	return done ? EXIT_DONE : EXIT_FAILED;
}
