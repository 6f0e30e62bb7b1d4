/*
 * Requests that change accounts when a statement fails: each statement of a
 * request fails once with each error, before or after the server has executed
 * it. Afterwards the tables are those before the request or those after it, the
 * service answers, and the client that sends the request again gets its way.
 * The whole REST server runs, with a real database server.
 */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/http/client.h"
#include "common/io/jwt/jwt.h"
#include "common/io/password.h"
#include "common/io/sql/fault.h"
#include "identity-service/api.h"
#include "identity-service/phone/open_code.h"
#include "identity-service/tests/identity_fixture.h"
#include "tests/support/free_port.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	USER = 1, /* zoe, with a password */
	STATEMENTS_MAX = 100,
	STATE_MAX = 64 * 1024,
	CONNECTIONS_MAX = 16,
	HANG_MS = 60000,
	PAUSE_US = 10000,
	DUPLICATE = 1062,
	TOO_MANY_CONNECTIONS = 1040,
};

#define PHONE    "+4915112345678"
#define CODE     "012345"
#define PASSWORD "correct horse"

static const unsigned errors[] = {1205, 1213, DUPLICATE,
                                  2006, 2013, 1153,
                                  1290, 1114, TOO_MANY_CONNECTIONS};

static struct identity_settings settings;
static struct key_rules key_rules;
static struct keyring *keyring;
static struct revocations *revocations;
static struct session_uses *session_uses;
static struct tokens *tokens;
static struct database_source *source;
static struct api *api;
static struct http_client *http;

/* --- the connections of the service -------------------------------------- */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sql *connections[CONNECTIONS_MAX];
static unsigned connection_count;
static bool recording;

struct sql *__real_sql_create(const struct sql_options *options);
struct sql *__wrap_sql_create(const struct sql_options *options);
struct sql *__wrap_sql_create(const struct sql_options *options)
{
	struct sql *made = __real_sql_create(options);

	(void)pthread_mutex_lock(&lock);
	if (recording && connection_count < CONNECTIONS_MAX)
		connections[connection_count++] = made;
	(void)pthread_mutex_unlock(&lock);
	return made;
}

static unsigned count_connections(void)
{
	unsigned count;

	(void)pthread_mutex_lock(&lock);
	count = connection_count;
	(void)pthread_mutex_unlock(&lock);
	return count;
}

/* Between two requests, when no thread uses a connection. */
static void set_fault(struct sql_fault *fault)
{
	for (unsigned i = 0; i < connection_count; i++)
		sql_fault_set(connections[i], fault);
}

/* --- passwords, hashed with the least cost -------------------------------- */
int __real_argon2id_hash_encoded(uint32_t passes, uint32_t kib, uint32_t lanes,
                                 const void *password, size_t password_len,
                                 const void *salt, size_t salt_len,
                                 size_t hash_len, char *ret_text,
                                 size_t text_size);
int __wrap_argon2id_hash_encoded(uint32_t passes, uint32_t kib, uint32_t lanes,
                                 const void *password, size_t password_len,
                                 const void *salt, size_t salt_len,
                                 size_t hash_len, char *ret_text,
                                 size_t text_size);
int __wrap_argon2id_hash_encoded(uint32_t passes, uint32_t kib, uint32_t lanes,
                                 const void *password, size_t password_len,
                                 const void *salt, size_t salt_len,
                                 size_t hash_len, char *ret_text,
                                 size_t text_size)
{
	(void)passes;
	(void)kib;
	return __real_argon2id_hash_encoded(1, 8 * lanes, lanes, password,
	                                    password_len, salt, salt_len,
	                                    hash_len, ret_text, text_size);
}

/* --- the tables ---------------------------------------------------------- */
static void execute(const char *statement)
{
	if (sql_execute(sql, statement) != ST_OK)
		fail_msg("%s: %s", statement, sql_error(sql));
}

static void run_with(const char *statement, const struct sql_value *values,
                     unsigned count)
{
	if (sql_run(sql, statement, values, count) != ST_OK)
		fail_msg("%s: %s", statement, sql_error(sql));
}

static struct uuid own, other; /* sessions of USER, of each run */
static char hash[PASSWORD_HASH_MAX + 1];

static void put_session(const struct uuid *id)
{
	const struct sql_value value = sql_bytes(uuid_span(id));

	run_with("INSERT INTO sessions (id, user, expires_at, last_used_at)"
	         " VALUES (?, 1, NOW(3) + INTERVAL 1 DAY, NOW(3))",
	         &value, 1);
}

static void put_code(void)
{
	struct digest key = code_key(span_of(settings.key_secret));
	struct open_code open = {.has_digest = true};
	struct phone phone = {.text = PHONE};
	struct code code = {.text = CODE};

	uuid_make(&open.id);
	code_digest(&key, &phone, &code, &open.digest);
	assert_int_equal(open_code_put(sql, &phone, &open, 600), ST_OK);
}

static void reset(bool with_code)
{
	const struct sql_value value = sql_bytes(span_of(hash));

	execute("DELETE FROM sessions");
	execute("DELETE FROM users");
	execute("DELETE FROM known_addresses");
	execute("DELETE FROM guess_limits");
	execute("DELETE FROM phone_codes");
	run_with("INSERT INTO users (id, name, name_key, password_hash)"
	         " VALUES (1, 'zoe', 'zoe', ?)",
	         &value, 1);
	uuid_make(&own);
	uuid_make(&other);
	put_session(&own);
	put_session(&other);
	if (with_code)
		put_code();
}

/* Without ids of new rows and times, and without how often was guessed. */
static const char *const state_queries[] = {
	"SELECT CONCAT_WS(' ', 'u', IF(id > 999, 'new', id), name, name_key,"
	" IF(password_hash = (SELECT password_hash FROM test_hash), 'old',"
	" password_hash <> ''), display_name, about, phone,"
	" deleted_at IS NOT NULL, ';') FROM users ORDER BY id",
	"SELECT CONCAT_WS(' ', 's', IF(user > 999, 'new', user),"
	" revoked_at IS NULL, COUNT(*), ';') FROM sessions"
	" GROUP BY user, revoked_at IS NULL ORDER BY user, 1",
	"SELECT CONCAT_WS(' ', 'a', IF(user > 999, 'new', user), ';')"
	" FROM known_addresses ORDER BY user, address",
	"SELECT CONCAT_WS(' ', 'c', phone, used_by IS NOT NULL, ';')"
	" FROM phone_codes ORDER BY phone",
};

static void read_state(struct buf *ret_state)
{
	struct sql_value row;

	buf_clear(ret_state);
	for (unsigned i = 0; i < ARRAY_LEN(state_queries); i++) {
		enum status status;

		run_with(state_queries[i], NULL, 0);
		while ((status = sql_fetch(sql, &row, 1)) == ST_OK)
			buf_append(ret_state, row.bytes);
		assert_int_equal(status, ST_NOT_FOUND);
	}
	assert_false(buf_overflowed(ret_state));
}

/* --- the requests -------------------------------------------------------- */
static const struct change {
	const char *name;
	const char *method;
	const char *path; /* with a "/" at its end: of the other session */
	const char *type;
	const char *body;
	bool signed_in;
	bool with_code;
	unsigned done;  /* the answer */
	unsigned again; /* the answer when it was done before */
} changes[] = {
	{"register", "POST", "/auth/register", "application/json",
         "{\"name\":\"newcomer\",\"password\":\"" PASSWORD "\"}", false, false,
         201, 409},
	{"sign in", "POST", "/auth/login", "application/json",
         "{\"name\":\"zoe\",\"password\":\"" PASSWORD "\"}", false, false, 200,
         200},
	{"change the password", "POST", "/auth/password", "application/json",
         "{\"old_password\":\"" PASSWORD
         "\",\"new_password\":\"another horse\"}",
         true, false, 204, 403},
	{"change the profile", "PATCH", "/auth/profile",
         "application/merge-patch+json",
         "{\"display_name\":\"Z\",\"about\":\"me\"}", true, false, 200, 200},
	{"delete the account", "POST", "/auth/account/delete",
         "application/json", "{\"password\":\"" PASSWORD "\"}", true, false,
         204, 401},
	{"end a session", "DELETE", "/auth/sessions/", NULL, "", true, false,
         204, 404},
	{"log out", "POST", "/auth/logout", NULL, "", true, false, 204, 401},
	{"end all other sessions", "DELETE", "/auth/sessions", NULL, "", true,
         false, 204, 204},
	{"sign up by phone", "POST", "/auth/phone/verify", "application/json",
         "{\"phone\":\"" PHONE "\",\"code\":\"" CODE
         "\",\"name\":\"newcomer\"}",
         false, true, 201, 401},
	{"give a phone to an account", "POST", "/auth/phone",
         "application/json", "{\"phone\":\"" PHONE "\",\"code\":\"" CODE "\"}",
         true, true, 200, 403},
};

static unsigned ask(const struct change *change)
{
	CLEANUP(buf_free) struct buf token = BUF(JWT_MAX);
	struct http_answer answer = {0};
	char id[UUID_TEXT_LEN + 1] = "", url[200];
	enum status status;

	if (change->path[strlen(change->path) - 1] == '/')
		uuid_format(&other, id);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s%s",
	               (unsigned)settings.port, change->path, id);
	if (change->signed_in)
		assert_int_equal(token_issue(tokens, USER, SPAN("zoe"), &own,
		                             clock_unix_ms(), &token),
		                 ST_OK);
	status = http_client_ask(http,
	                         &(struct http_ask){
					 .url = url,
					 .method = change->method,
					 .bearer = buf_span(&token),
					 .content_type = change->type,
					 .body = span_of(change->body),
					 .once = true,
					 .timeout_ms = HANG_MS,
				 },
	                         &answer);
	if (status != ST_OK)
		fail_msg("%s: %s", change->name, http_client_error(http));
	return answer.http;
}

/* As a client does that gets 503: after a failed connect there is a pause. */
static unsigned ask_until_answered(const struct change *change)
{
	uint64_t until_ms = clock_mono_ms() + HANG_MS;
	unsigned code;

	while ((code = ask(change)) == 503 && clock_mono_ms() < until_ms)
		(void)usleep(PAUSE_US);
	return code;
}

/* --- one run ------------------------------------------------------------- */
static struct buf before = {.max = STATE_MAX};
static struct buf after = {.max = STATE_MAX};
static struct buf twice = {.max = STATE_MAX}; /* a sign-in may be repeated */
static struct buf found = {.max = STATE_MAX};

static bool found_is(const struct buf *state)
{
	return span_equal(buf_span(&found), buf_span(state));
}

static void complain(const struct change *change, const struct sql_fault *fault,
                     unsigned code)
{
	fail_msg("%s: %u %s statement %u: %u, and the tables have\n%s\n"
	         "before:\n%s\nafter:\n%s",
	         change->name, fault->error, fault->after ? "after" : "before",
	         fault->statement, code, buf_text(&found), buf_text(&before),
	         buf_text(&after));
}

static void run_undisturbed(const struct change *change)
{
	reset(change->with_code);
	read_state(&before);
	assert_int_equal(ask_until_answered(change), change->done);
	read_state(&after);
	assert_false(span_equal(buf_span(&before), buf_span(&after)));
	assert_int_equal(ask_until_answered(change), change->again);
	read_state(&twice);
}

/* All connections of the service are lost: it has to connect again. */
static void cut_connections(void)
{
	uint64_t ids[CONNECTIONS_MAX];
	struct sql_value row;
	unsigned count = 0;
	char kill[40];

	run_with("SELECT id FROM information_schema.processlist"
	         " WHERE db = DATABASE() AND id <> CONNECTION_ID()",
	         NULL, 0);
	while (count < CONNECTIONS_MAX && sql_fetch(sql, &row, 1) == ST_OK)
		ids[count++] = row.number;
	while (count--) {
		(void)snprintf(kill, sizeof(kill), "KILL %llu",
		               (unsigned long long)ids[count]);
		(void)!sql_execute(sql, kill);
	}
}

/* A duplicate says that another request was faster. */
static bool is_refusal(const struct sql_fault *fault, unsigned code)
{
	return fault->error == DUPLICATE && code / 100 == 4;
}

/* A thread that pauses after a failed connect runs no statement at all. */
static unsigned ask_with_fault(const struct change *change,
                               struct sql_fault *fault)
{
	uint64_t until_ms = clock_mono_ms() + HANG_MS;
	unsigned code;

	fault->seen = 0;
	set_fault(fault);
	while ((code = ask(change)) == 503 && !fault->seen &&
	       clock_mono_ms() < until_ms)
		(void)usleep(PAUSE_US);
	set_fault(NULL);
	return code;
}

static bool fail_statement(const struct change *change, struct sql_fault *fault)
{
	unsigned code;

	reset(change->with_code);
	if (fault->error == TOO_MANY_CONNECTIONS)
		cut_connections();
	code = ask_with_fault(change, fault);
	read_state(&found);
	if (code == change->done ? !found_is(&after)
	                         : !found_is(&after) && !found_is(&before))
		complain(change, fault, code);
	if (code == change->done)
		return fault->happened;
	/* The client may repeat it. */
	if (!fault->happened || (code != 503 && !is_refusal(fault, code)))
		complain(change, fault, code);
	if (found_is(&after)) {
		code = ask_until_answered(change);
		read_state(&found);
		if ((code != change->again && code != change->done &&
		     !is_refusal(fault, code)) ||
		    (!found_is(&after) && !found_is(&twice)))
			complain(change, fault, code);
	} else {
		code = ask_until_answered(change);
		read_state(&found);
		if (code != change->done || !found_is(&after))
			complain(change, fault, code);
	}
	return fault->happened;
}

/* A server reports a duplicate only when the row is there. */
static bool can_happen(unsigned error, bool after_it)
{
	return error != DUPLICATE || after_it;
}

static void every_statement_may_fail(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(changes); i++) {
		unsigned failed = 0;

		print_message("%s\n", changes[i].name);
		run_undisturbed(&changes[i]);
		for (unsigned e = 0; e < 2 * ARRAY_LEN(errors); e++) {
			struct sql_fault fault = {.error = errors[e / 2],
			                          .after = e % 2};

			if (!can_happen(fault.error, fault.after))
				continue;
			do {
				failed += fault.happened;
				fault.happened = false;
				assert_true(++fault.statement < STATEMENTS_MAX);
			} while (fail_statement(&changes[i], &fault));
		}
		assert_true(failed > 2 * ARRAY_LEN(errors));
	}
}

/* --- the service --------------------------------------------------------- */
static void load_settings(void)
{
	CLEANUP(buf_free) struct buf faults = BUF(4096);

	setenv("IDENTITY_KEY_SECRET", "a secret of at least thirty-two bytes",
	       1);
	setenv("SMS_PROVIDER", "log", 1);
	setenv("IDENTITY_CODE_TRIES", "1000", 1);
	setenv("IDENTITY_GUESS_NAME_MAX", "1000", 1);
	setenv("IDENTITY_GUESS_KNOWN_MAX", "1000", 1);
	setenv("IDENTITY_HASH_THREADS", "1", 1);
	setenv("IDENTITY_QUERY_THREADS", "1", 1);
	if (settings_load(&identity_settings_table, &settings, &faults) !=
	    ST_OK)
		fail_msg("%s", buf_text(&faults));
	/* The variables of secrets are gone now. */
	setenv("MYSQL_PASSWORD", settings.mysql_password, 1);
	settings.bind_address = "127.0.0.1";
	settings.port = free_port();
}

static void start_service(void)
{
	CLEANUP(buf_free) struct buf why = BUF(300);
	enum { POOL_THREADS = 1 + 1 + 4 };

	key_rules = identity_key_rules(&settings);
	keyring = keyring_create();
	revocations = revocations_create(100000, 3600);
	tokens = tokens_create(&(struct token_rules){
		.keyring = keyring,
		.keys = &key_rules,
		.revocations = revocations,
		.issuer = settings.issuer,
		.issuer_before = settings.issuer_before,
		.audience = settings.audience,
		.ttl_s = settings.token_ttl_s,
		.cache_entries = 100,
	});
	assert_int_equal(signing_keys_read(keyring, sql, &key_rules, &why),
	                 ST_OK);
	assert_int_equal(session_uses_create(&session_uses), ST_OK);
	recording = true;
	assert_int_equal(api_start(&settings, keyring, tokens, revocations,
	                           session_uses, source, &api),
	                 ST_OK);
	for (unsigned i = 0; i < HANG_MS && count_connections() < POOL_THREADS;
	     i++)
		(void)usleep(1000);
	assert_int_equal(count_connections(), POOL_THREADS);
}

static int start(void **state)
{
	static struct sql_options options;
	struct sql_value value;

	(void)identity_fixture_start(state);
	load_settings();
	options = identity_fixture_options();
	source = database_source_create(&options);
	database_source_open(source);
	http = http_client_create();
	assert_int_equal(password_hash(SPAN(PASSWORD), hash), ST_OK);
	execute("ALTER TABLE users AUTO_INCREMENT = 1000");
	execute("CREATE TABLE test_hash (password_hash VARCHAR(127) CHARACTER"
	        " SET ascii COLLATE ascii_bin)");
	value = sql_bytes(span_of(hash));
	run_with("INSERT INTO test_hash VALUES (?)", &value, 1);
	start_service();
	return 0;
}

static int stop(void **state)
{
	api_stop(&api);
	http_client_destroy(&http);
	session_uses_destroy(&session_uses);
	tokens_destroy(&tokens);
	revocations_destroy(&revocations);
	keyring_destroy(&keyring);
	database_source_destroy(&source);
	buf_free(&before);
	buf_free(&after);
	buf_free(&twice);
	buf_free(&found);
	return identity_fixture_stop(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_statement_may_fail),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
