/*
 * Each maximum that the REST API checks, under PARALLEL requests at once, each
 * with a connection of its own, against the real server of chat_fixture.
 */
#include "common/base/clock.h"
#include "persistence-service/rest/membership/blocks.h"
#include "persistence-service/rest/membership/membership.h"
#include "persistence-service/tests/chat_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PARALLEL = 20, CAP = 3, SUBJECT = 7, FIRST = 100 };

/* One of the parallel requests. */
struct client {
	const struct row *row;
	unsigned number; /* 0 … PARALLEL - 1 */
	struct sql_session *session;
	struct membership *membership;
	pthread_t thread;
	enum status status;
};

static pthread_barrier_t all_connected;
static uint64_t conversations[PARALLEL];

/* --- the requests ------------------------------------------------------------
 */
static enum status make(struct membership *m, uint64_t actor,
                        enum conversation_kind kind, const char *name,
                        const uint64_t *users, unsigned user_count,
                        const struct uuid *uuid, uint64_t *ret_conversation)
{
	struct new_conversation wish = {.kind = kind,
	                                .history = HISTORY_ALL,
	                                .name = span_of(name),
	                                .users = users,
	                                .user_count = user_count};
	bool made;

	if (uuid)
		wish.uuid = *uuid;
	else
		uuid_make(&wish.uuid);
	return membership_make(m, actor, &wish, ret_conversation, &made);
}

static enum status make_own(struct client *c)
{
	uint64_t id;

	return make(c->membership, SUBJECT, KIND_GROUP, "mine", NULL, 0, NULL,
	            &id);
}

static enum status make_with_subject(struct client *c)
{
	const uint64_t users[] = {SUBJECT};
	uint64_t id;

	return make(c->membership, FIRST + c->number, KIND_GROUP, "yours",
	            users, 1, NULL, &id);
}

static enum status join_another(struct client *c)
{
	struct membership_action action = {
		.conversation = conversations[c->number], .actor = SUBJECT};

	return membership_join(c->membership, &action);
}

static enum status invite_subject(struct client *c)
{
	struct membership_action action = {.conversation =
	                                           conversations[c->number],
	                                   .actor = FIRST + c->number,
	                                   .users = {SUBJECT},
	                                   .user_count = 1};

	return membership_invite(c->membership, &action);
}

/* A third of the requests each. */
static enum status come_in_each_way(struct client *c)
{
	return c->number % 3 == 0   ? join_another(c)
	       : c->number % 3 == 1 ? invite_subject(c)
	                            : make_with_subject(c);
}

static enum status join_the_first(struct client *c)
{
	struct membership_action action = {.conversation = conversations[0],
	                                   .actor = 2 * FIRST + c->number};

	return membership_join(c->membership, &action);
}

static enum status invite_to_the_first(struct client *c)
{
	struct membership_action action = {.conversation = conversations[0],
	                                   .actor = FIRST,
	                                   .users = {2 * FIRST + c->number},
	                                   .user_count = 1};

	return membership_invite(c->membership, &action);
}

static enum status block_another(struct client *c)
{
	struct block block = {.user = SUBJECT, .blocked = FIRST + c->number};

	return blocks_put(c->session, &block, CAP);
}

static struct uuid shared_uuid;

static enum status make_under_one_uuid(struct client *c)
{
	uint64_t id;

	return make(c->membership, SUBJECT, KIND_GROUP, "once", NULL, 0,
	            &shared_uuid, &id);
}

static enum status claim_one_name(struct client *c)
{
	uint64_t id;

	return make(c->membership, FIRST + c->number, KIND_CHANNEL, "The Name",
	            NULL, 0, NULL, &id);
}

/* --- the table ---------------------------------------------------------------
 */
#define OF_SUBJECT \
	"SELECT COUNT(*) FROM members m JOIN conversations c" \
	" ON c.id = m.conversation WHERE m.user = 7"
#define OF_THE_FIRST \
	"SELECT COUNT(*) FROM members WHERE conversation" \
	" = (SELECT MIN(id) FROM conversations)"

static const struct row {
	const char *what;
	bool channels; /* PARALLEL of these exist, each with its owner */
	enum status (*request)(struct client *client);
	unsigned accepted;   /* requests that are ST_OK */
	enum status refused; /* of the others */
	const char *count;
	unsigned counted;
} rows[] = {
	{"groups that a user makes", false, make_own, CAP, ST_INVALID,
         OF_SUBJECT, CAP},
	{"groups that others make with a user", false, make_with_subject, CAP,
         ST_INVALID, OF_SUBJECT, CAP},
	{"channels that a user joins", true, join_another, CAP, ST_INVALID,
         OF_SUBJECT, CAP},
	{"invitations of a user", true, invite_subject, CAP, ST_INVALID,
         OF_SUBJECT, CAP},
	{"each way into a conversation", true, come_in_each_way, CAP,
         ST_INVALID, OF_SUBJECT, CAP},
	{"users who join a channel", true, join_the_first, CAP - 1, ST_INVALID,
         OF_THE_FIRST, CAP},
	{"users who are invited", true, invite_to_the_first, CAP - 1,
         ST_INVALID, OF_THE_FIRST, CAP},
	{"users whom a user blocks", false, block_another, CAP, ST_TOO_LARGE,
         "SELECT COUNT(*) FROM blocks WHERE user = 7", CAP},
	{"conversations under one uuid", false, make_under_one_uuid, PARALLEL,
         ST_OK, "SELECT COUNT(*) FROM conversations", 1},
	{"channels of one name", false, claim_one_name, 1, ST_CONFLICT,
         "SELECT COUNT(*) FROM conversations", 1},
};

/* --- running it --------------------------------------------------------------
 */
/* Stands for the outbox publisher until the last request has returned. */
static void publish_until(const atomic_uint *running)
{
	struct sql *by = chat_connect();

	while (atomic_load(running)) {
		assert_int_equal(sql_execute(by, "DELETE FROM outbox"), ST_OK);
		(void)usleep(2000);
	}
	sql_destroy(&by);
}

static atomic_uint running;

static void *run(void *context)
{
	struct client *client = context;

	sql_thread_start();
	client->session = sql_session_create(&chat_settings);
	client->membership = membership_create(&chat_settings, client->session);
	client->status = sql_session_connect(client->session);
	(void)pthread_barrier_wait(&all_connected);
	if (client->status == ST_OK)
		client->status = client->row->request(client);
	membership_destroy(&client->membership);
	sql_session_destroy(&client->session);
	sql_thread_stop();
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static void make_channels(void)
{
	struct sql_session *session = sql_session_create(&chat_settings);
	struct membership *m = membership_create(&chat_settings, session);

	for (unsigned i = 0; i < PARALLEL; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "channel %u", i);
		assert_int_equal(make(m, FIRST + i, KIND_CHANNEL, name, NULL, 0,
		                      NULL, &conversations[i]),
		                 ST_OK);
	}
	membership_destroy(&m);
	sql_session_destroy(&session);
}

static void run_all(const struct row *row, struct client *clients)
{
	atomic_store(&running, PARALLEL);
	assert_int_equal(pthread_barrier_init(&all_connected, NULL, PARALLEL),
	                 0);
	for (unsigned i = 0; i < PARALLEL; i++) {
		clients[i] = (struct client){.row = row, .number = i};
		assert_int_equal(pthread_create(&clients[i].thread, NULL, run,
		                                &clients[i]),
		                 0);
	}
	publish_until(&running);
	for (unsigned i = 0; i < PARALLEL; i++)
		(void)pthread_join(clients[i].thread, NULL);
	(void)pthread_barrier_destroy(&all_connected);
}

static void every_maximum_holds_under_parallel_requests(void **state)
{
	(void)state;
	for (unsigned r = 0; r < ARRAY_LEN(rows); r++) {
		const struct row *row = &rows[r];
		struct client clients[PARALLEL];
		unsigned accepted = 0;

		print_message("%s\n", row->what);
		chat_empty();
		uuid_make(&shared_uuid);
		if (row->channels)
			make_channels();
		run_all(row, clients);
		for (unsigned i = 0; i < PARALLEL; i++) {
			accepted += clients[i].status == ST_OK;
			if (clients[i].status != ST_OK)
				assert_int_equal(clients[i].status,
				                 row->refused);
		}
		assert_int_equal(accepted, row->accepted);
		assert_int_equal(chat_number("%s", row->count), row->counted);
	}
}

static int start(void **state)
{
	(void)state;
	chat_start();
	chat_settings.fanout_list_max = 100;
	chat_settings.members_max = CAP;
	chat_settings.conversations_max = CAP;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	chat_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_maximum_holds_under_parallel_requests),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
