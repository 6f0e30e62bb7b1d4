#include "bench/load/socket_group.h"
#include "bench/load/client_sockets.h"
#include "bench/load/frame_scan.h"
#include "bench/load/user_tokens.h"
#include "client-test/cli/open_files.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <stdio.h>

enum { SECOND_US = 1000000, CONNECT_ALL_S = 120 };

struct member {
	struct client_socket socket;
	uint64_t begun_us;
	bool connecting; /* not welcomed and not lost yet */
	bool welcomed;
};

struct socket_group {
	const struct load_options *options;
	const struct socket_group_events *events;
	void *context;
	struct client_sockets *sockets;
	struct user_tokens users;
	struct member *members;
	unsigned size, opened, welcomed, lost;
	bool connecting_all; /* each welcome starts the next connection */
	struct histogram times;
};

static void lose(struct socket_group *group, unsigned number, const char *why)
{
	struct member *member = &group->members[number];

	if (group->lost++ == 0)
		(void)fprintf(stderr, "socket %u ended: %s\n", number, why);
	group->welcomed -= member->welcomed;
	member->welcomed = false;
	member->connecting = false;
	if (group->events->lost)
		group->events->lost(group->context, number, why);
}

void socket_group_connect(struct socket_group *group, unsigned number)
{
	const struct user_tokens *users = &group->users;
	struct member *member = &group->members[number];
	size_t line = (group->options->from + number) % users->count;

	member->connecting = true;
	member->begun_us = clock_mono_us();
	if (client_sockets_connect(group->sockets, &member->socket, number,
	                           span_of(users->users[line].token)) != ST_OK)
		lose(group, number, "connecting failed");
}

void socket_group_close(struct socket_group *group, unsigned number)
{
	struct member *member = &group->members[number];

	client_sockets_close(group->sockets, &member->socket);
	group->welcomed -= member->welcomed;
	member->welcomed = false;
	member->connecting = false;
}

static void connect_next(struct socket_group *group)
{
	if (group->opened < group->size)
		socket_group_connect(group, group->opened++);
}

static void take_welcome(struct socket_group *group, struct member *member,
                         struct span text, uint64_t now_us)
{
	struct scanned_frame frame;

	if (!frame_scan(text, &frame) || frame.kind != FRAME_WELCOME)
		return;
	member->connecting = false;
	member->welcomed = true;
	group->welcomed++;
	histogram_add(&group->times, now_us - member->begun_us);
	if (group->events->welcomed)
		group->events->welcomed(group->context, member->socket.index,
		                        now_us);
	if (group->connecting_all)
		connect_next(group);
}

static void on_text(void *context, struct client_socket *socket,
                    struct span text, uint64_t now_us)
{
	struct socket_group *group = context;
	struct member *member = &group->members[socket->index];

	if (!member->welcomed)
		take_welcome(group, member, text, now_us);
	else if (group->events->text)
		group->events->text(group->context, socket->index, text,
		                    now_us);
}

static void on_lost(void *context, struct client_socket *socket,
                    const char *why)
{
	lose(context, socket->index, why);
}

enum status socket_group_create(const struct load_options *options,
                                const struct socket_group_events *events,
                                void *context, struct socket_group **ret_group)
{
	static const struct client_sockets_events net_events = {
		.text = on_text, .lost = on_lost};
	struct socket_group *group CLEANUP(socket_group_destroy) =
		mem_new(sizeof(*group));
	struct address address;

	group->options = options;
	group->events = events;
	group->context = context;
	if (!address_parse(options->url, &address) ||
	    user_tokens_read(options->tokens, 1, &group->users) != ST_OK ||
	    client_sockets_create(&address, &net_events, group,
	                          &group->sockets) != ST_OK)
		return ST_INVALID;
	open_files_raise_limit();
	group->size = (unsigned)options->sockets;
	group->members = mem_new(group->size * sizeof(*group->members));
	*ret_group = MOVE(group);
	return ST_OK;
}

void socket_group_destroy(struct socket_group **group_at)
{
	struct socket_group *group = MOVE(*group_at);

	if (!group)
		return;
	for (unsigned i = 0; i < group->opened; i++)
		socket_group_close(group, i);
	mem_free(&group->members);
	client_sockets_destroy(&group->sockets);
	user_tokens_free(&group->users);
	mem_free(&group);
}

bool socket_group_connect_all(struct socket_group *group)
{
	uint64_t deadline_us =
		clock_mono_us() + (uint64_t)CONNECT_ALL_S * SECOND_US;

	group->connecting_all = true;
	for (unsigned i = 0; i < group->options->at_once; i++)
		connect_next(group);
	while (group->welcomed < group->size && !group->lost &&
	       clock_mono_us() < deadline_us)
		client_sockets_poll(group->sockets, deadline_us);
	group->connecting_all = false;
	return group->welcomed == group->size;
}

void socket_group_poll(struct socket_group *group, uint64_t until_us)
{
	client_sockets_poll(group->sockets, until_us);
}

void socket_group_pause(struct socket_group *group, unsigned pause_us)
{
	client_sockets_pause(group->sockets, pause_us);
}

unsigned socket_group_size(const struct socket_group *group)
{
	return group->size;
}

unsigned socket_group_welcomed(const struct socket_group *group)
{
	return group->welcomed;
}

unsigned socket_group_lost(const struct socket_group *group)
{
	return group->lost;
}

bool socket_group_is_late(const struct socket_group *group, unsigned number,
                          uint64_t since_us)
{
	const struct member *member = &group->members[number];

	return member->connecting && member->begun_us < since_us;
}

const struct histogram *socket_group_times(const struct socket_group *group)
{
	return &group->times;
}
