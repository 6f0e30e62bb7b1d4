#include "client-test/bench_idle.h"
#include "client-test/bench_net.h"
#include "client-test/bench_scan.h"
#include "client-test/bench_users.h"
#include "client-test/commands.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { SECOND_US = 1000000, SETUP_S = 120, LOOK_US = 200000 };

struct idle {
	struct bench_net *net;
	struct bench_peer *peers;
	struct bench_users users;
	unsigned wanted, begun, welcomed, lost;
};

static void connect_next(struct idle *idle)
{
	unsigned number = idle->begun;

	if (number == idle->wanted)
		return;
	idle->begun++;
	if (bench_net_connect(
		    idle->net, &idle->peers[number], number,
		    span_of(idle->users.users[number % idle->users.count]
	                            .token)) != ST_OK) {
		perror("connecting");
		idle->lost++;
	}
}

static void take_text(void *context, struct bench_peer *peer, struct span text,
                      uint64_t now_us)
{
	struct idle *idle = context;
	struct bench_frame frame;

	(void)peer;
	(void)now_us;
	if (!bench_scan(text, &frame) || frame.kind != BENCH_WELCOME)
		return;
	idle->welcomed++;
	connect_next(idle);
}

static void lost(void *context, struct bench_peer *peer, const char *why)
{
	struct idle *idle = context;

	if (idle->lost++ == 0)
		(void)fprintf(stderr, "socket %u ended: %s\n", peer->index,
		              why);
}

static const struct bench_net_events events = {.text = take_text, .lost = lost};

static void report(const struct idle *idle, uint64_t took_us)
{
	struct buf text CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "mode", SPAN("idle"));
	json_number(&w, "sockets", idle->welcomed - idle->lost);
	json_number(&w, "lost_sockets", idle->lost);
	json_double(&w, "seconds", (double)took_us / SECOND_US);
	json_double(&w, "connects_per_s",
	            (double)idle->welcomed * SECOND_US / (double)took_us);
	json_close(&w);
	(void)puts(buf_text(&text));
	(void)fflush(stdout);
}

static bool stdin_ended(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char byte;

	return poll(&in, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static bool connect_all(struct idle *idle, unsigned at_once)
{
	uint64_t start_us = clock_mono_us();
	uint64_t deadline_us = start_us + (uint64_t)SETUP_S * SECOND_US;

	for (unsigned i = 0; i < at_once; i++)
		connect_next(idle);
	while (idle->welcomed < idle->wanted && !idle->lost &&
	       clock_mono_us() < deadline_us)
		bench_net_turn(idle->net, deadline_us);
	report(idle, clock_mono_us() - start_us);
	return idle->welcomed == idle->wanted && !idle->lost;
}

static void hold(struct idle *idle)
{
	uint64_t start_us = clock_mono_us();

	while (!stdin_ended())
		bench_net_turn(idle->net, clock_mono_us() + LOOK_US);
	report(idle, clock_mono_us() - start_us);
}

int bench_idle(const struct options *options)
{
	static struct idle idle;
	struct address address;
	int code;

	idle.wanted = (unsigned)options->sockets;
	if (!address_parse(options->url, &address) ||
	    bench_users_read(options->tokens, 1, &idle.users) != ST_OK ||
	    bench_net_create(&address, &events, &idle, &idle.net) != ST_OK)
		return EXIT_USAGE;
	bench_net_raise_limit();
	idle.peers = mem_new(idle.wanted * sizeof(*idle.peers));
	code = connect_all(&idle, (unsigned)options->at_once) ? EXIT_DONE
	                                                      : EXIT_FAILED;
	if (code == EXIT_DONE)
		hold(&idle);
	for (unsigned i = 0; i < idle.begun; i++)
		bench_net_close(idle.net, &idle.peers[i]);
	mem_free(&idle.peers);
	bench_net_destroy(&idle.net);
	bench_users_free(&idle.users);
	return idle.lost ? EXIT_FAILED : code;
}
