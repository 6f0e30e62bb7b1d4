/*
 * Sign-ins of one user from PARALLEL addresses at once, each with a connection
 * of its own; needs a server: see identity_fixture.h.
 */
#include "common/base/clock.h"
#include "identity-service/api/sign_in.h"
#include "identity-service/tests/identity_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PARALLEL = 20, HOUR_S = 3600 };

#define NAME     SPAN("zoe")
#define PASSWORD SPAN("correct horse")

static const struct session_rules session_rules = {.idle_s = HOUR_S,
                                                   .max_s = HOUR_S};
static const struct guess_rules guess_rules = {
	.name = {1000, HOUR_S, HOUR_S},
	.known = {1000, HOUR_S, HOUR_S},
	.address = {1000, HOUR_S, HOUR_S},
	.known_s = HOUR_S,
};
/* Of PASSWORD, with the least cost. */
static const char hash[] = "$argon2id$v=19$m=8,t=1,p=1$MTIzNDU2Nzg$VtsPy"
			   "Dcib4ePwLhTHRVsvqlfQZGDSrJkKSu/5LGKjME";
static struct database_source *source;
static struct tokens *tokens;
static uint64_t user;

/* One of the parallel clients. */
struct client {
	pthread_t thread;
	struct sign_in sign_in;
	enum status status;
};

static pthread_barrier_t all_connected;

static struct ip_address address_of(unsigned number)
{
	struct ip_address address = {{[10] = 0xff, [11] = 0xff}};

	address.byte[12] = 192;
	address.byte[15] = (uint8_t)number;
	return address;
}

static enum status do_nothing(struct sql *connection, void *argument)
{
	(void)argument;
	return sql_execute(connection, "DO 1");
}

static void *sign_in(void *argument)
{
	struct client *client = argument;
	CLEANUP(credentials_free) struct credentials credentials = {0};
	CLEANUP(database_destroy)
	struct database *database = database_create(source);
	const struct api_context api = {.database = database,
	                                .tokens = tokens,
	                                .session_rules = &session_rules,
	                                .guess_rules = &guess_rules,
	                                .dummy_hash = hash};
	struct password_check check;
	const char *fault = NULL;

	client->sign_in.api = &api;
	client->sign_in.credentials = &credentials;
	client->sign_in.now_ms = clock_unix_ms();
	uuid_make(&client->sign_in.session.id);
	refresh_token_make(&client->sign_in.session.refresh);
	client->status = database_run(database, do_nothing, NULL);
	if (client->status == ST_OK)
		client->status =
			credentials_take(NAME, PASSWORD, CREDENTIALS_LOGIN,
		                         &credentials, &fault);
	(void)pthread_barrier_wait(&all_connected);
	if (client->status == ST_OK)
		client->status =
			sign_in_with_password(&client->sign_in, &check);
	return NULL;
}

static void sign_in_together(struct client clients[PARALLEL])
{
	assert_int_equal(pthread_barrier_init(&all_connected, NULL, PARALLEL),
	                 0);
	for (unsigned i = 0; i < PARALLEL; i++) {
		clients[i] = (struct client){0};
		clients[i].sign_in.device.address = address_of(i);
		assert_int_equal(pthread_create(&clients[i].thread, NULL,
		                                sign_in, &clients[i]),
		                 0);
	}
	for (unsigned i = 0; i < PARALLEL; i++)
		(void)pthread_join(clients[i].thread, NULL);
	(void)pthread_barrier_destroy(&all_connected);
}

/* --- the database -------------------------------------------------------- */
static void execute(const char *statement)
{
	if (sql_execute(sql, statement) != ST_OK)
		fail_msg("%s: %s", statement, sql_error(sql));
}

static uint64_t count(const char *which, const struct uuid *id)
{
	const struct sql_value value = sql_bytes(uuid_span(id));
	struct sql_value row;
	char text[200];

	(void)snprintf(text, sizeof(text),
	               "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL"
	               " AND %s ?",
	               which);
	assert_int_equal(sql_run(sql, text, &value, 1), ST_OK);
	assert_int_equal(sql_fetch(sql, &row, 1), ST_OK);
	return row.number;
}

/* The sessions that exist were used an hour ago. */
static void begin(unsigned sessions, bool known)
{
	char text[400];

	execute("DELETE FROM sessions");
	execute("DELETE FROM guess_limits");
	execute("DELETE FROM known_addresses");
	for (unsigned i = 0; known && i < PARALLEL; i++) {
		struct ip_address address = address_of(i);

		assert_int_equal(known_address_add(sql, user, &address), ST_OK);
	}
	for (unsigned i = 0; i < sessions; i++) {
		(void)snprintf(text, sizeof(text),
		               "INSERT INTO sessions (id, user, expires_at,"
		               " last_used_at) VALUES (UNHEX(LPAD('%x', 32,"
		               " '0')), %llu, NOW(3) + INTERVAL 1 HOUR,"
		               " NOW(3) - INTERVAL 1 HOUR)",
		               i + 1, (unsigned long long)user);
		execute(text);
	}
}

/* --- tests --------------------------------------------------------------- */
static const struct row {
	const char *what;
	unsigned before; /* sessions */
	bool known;      /* the user signed in from the addresses before */
	unsigned after;
} rows[] = {
	{"the first sessions", 0, false, PARALLEL},
	{"the first sessions, from known addresses", 0, true, PARALLEL},
	{"some are over the maximum", SESSIONS_MAX - 5, true, SESSIONS_MAX},
	{"all are over the maximum", SESSIONS_MAX, true, SESSIONS_MAX},
	{"from new addresses", SESSIONS_MAX, false, SESSIONS_MAX},
	{"an older version let more in", SESSIONS_MAX + 7, true, SESSIONS_MAX},
};

static void parallel_sign_ins_keep_the_maximum_of_sessions(void **state)
{
	static const struct uuid none;

	(void)state;
	for (unsigned r = 0; r < ARRAY_LEN(rows); r++) {
		struct client clients[PARALLEL];

		print_message("%s\n", rows[r].what);
		begin(rows[r].before, rows[r].known);
		sign_in_together(clients);
		for (unsigned i = 0; i < PARALLEL; i++) {
			if (clients[i].status != ST_OK)
				fail_msg("client %u: %s", i,
				         status_text(clients[i].status));
			assert_int_equal(
				count("id =", &clients[i].sign_in.session.id),
				1);
		}
		assert_int_equal(count("id <>", &none), rows[r].after);
	}
}

static int start(void **state)
{
	static const struct token_rules token_rules = {.ttl_s = HOUR_S,
	                                               .cache_entries = 1};
	struct sql_options options;

	(void)identity_fixture_start(state);
	options = identity_fixture_options();
	source = database_source_create(&options);
	database_source_open(source);
	tokens = tokens_create(&token_rules);
	assert_int_equal(account_insert(sql, NAME, NAME, hash, &user), ST_OK);
	return 0;
}

static int stop(void **state)
{
	tokens_destroy(&tokens);
	database_source_destroy(&source);
	return identity_fixture_stop(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			parallel_sign_ins_keep_the_maximum_of_sessions),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
