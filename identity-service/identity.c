#include "identity-service/identity.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/io/sql/migrate.h"
#include "common/service/log.h"
#include "common/service/service.h"
#include "identity-service/account/account_keys.h"
#include "identity-service/account/deletion.h"
#include "identity-service/api.h"
#include "identity-service/identity_metrics.h"
#include "identity-service/phone/open_code.h"
#include "identity-service/schema.h"
#include "identity-service/session/session.h"
#include "identity-service/session/session_uses.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum {
	TURN_MS = 100,
	POLL_EVERY_MS = 1000,
	/* Also finds revocations with an old date and those during an outage.
	 */
	FULL_POLL_EVERY_MS = 60 * 1000,
	BACKOFF_BASE_MS = 200,
	BACKOFF_MAX_MS = 5000,
	/* A minute of failures at full speed fits into these. */
	PURGES_MAX = 20,
	WHY_MAX = 300,
};

struct identity {
	struct key_rules key_rules;
	struct keyring *keyring;
	struct buf keys_fault; /* why the keys cannot be used; or empty */
	struct revocations *revocations;
	struct session_uses *session_uses;
	struct tokens *tokens;
	struct database_source *source;
	struct api *api;
	struct guess_rules guess_rules;
	struct sql *sql; /* the main thread's own connection */
	bool prepared;   /* the schema is applied */
	unsigned failures;
	uint64_t next_poll_ms;
	uint64_t next_full_poll_ms;
};

static void create_parts(struct identity *identity,
                         const struct identity_settings *s)
{
	const struct sql_options options = identity_sql_options(s);
	struct token_rules rules;

	sql_library_start();
	identity->sql = sql_create(&options);
	identity->source = database_source_create(&options);
	identity->key_rules = identity_key_rules(s);
	identity->keys_fault = BUF(WHY_MAX);
	identity->keyring = keyring_create();
	identity->revocations =
		revocations_create(s->revoked_max, s->token_ttl_s);
	rules = (struct token_rules){
		.keyring = identity->keyring,
		.keys = &identity->key_rules,
		.revocations = identity->revocations,
		.issuer = s->issuer,
		.issuer_before = s->issuer_before,
		.audience = s->audience,
		.ttl_s = s->token_ttl_s,
		.cache_entries = s->token_cache,
	};
	identity->tokens = tokens_create(&rules);
	identity->guess_rules = identity_guess_rules(s);
}

enum status identity_start(const void *settings, void **ret_state)
{
	const struct identity_settings *s = settings;
	struct identity *identity = mem_new(sizeof(*identity));
	enum status status;

	*ret_state = identity;
	identity_metrics_start();
	service_part_add("mysql");
	create_parts(identity, s);
	status = session_uses_create(&identity->session_uses);
	if (status != ST_OK)
		return status;
	status = api_start(s, identity->keyring, identity->tokens,
	                   identity->revocations, identity->session_uses,
	                   identity->source, &identity->api);
	if (status == ST_UNAVAILABLE)
		log_event(LOG_ERROR, "service.port_taken",
		          F_NUMBER("port", s->port),
		          F_TEXT("why", strerror(errno)));
	return status;
}

static enum status prepare(struct identity *identity)
{
	struct account_keys_counts keys;
	unsigned applied = 0;
	enum status status = ST_OK;

	if (identity->prepared)
		return ST_OK;
	status = schema_apply(identity->sql, &applied);
	if (status != ST_OK)
		return status;
	log_event(LOG_INFO, "schema.ready", F_NUMBER("applied", applied));
	status = account_keys_renew(identity->sql, &keys);
	if (status != ST_OK)
		return status;
	if (keys.changed || keys.kept)
		log_event(keys.kept ? LOG_WARN : LOG_INFO,
		          "account_keys.renewed",
		          F_NUMBER("changed", keys.changed),
		          F_NUMBER("kept", keys.kept));
	identity->prepared = true;
	database_source_open(identity->source);
	return ST_OK;
}

/* A conflict with a sign-in is no failure: the rest goes in a minute. */
static enum status purge(struct identity *identity)
{
	enum status status = ST_OK;
	bool more = true;

	for (unsigned i = 0; more && i < PURGES_MAX && status == ST_OK; i++)
		status = guess_limit_purge(identity->sql,
		                           &identity->guess_rules, &more);
	more = true;
	for (unsigned i = 0; more && i < PURGES_MAX && status == ST_OK; i++)
		status = session_purge(identity->sql, &more);
	more = true;
	for (unsigned i = 0; more && i < PURGES_MAX && status == ST_OK; i++)
		status = open_code_purge(identity->sql, &more);
	more = true;
	for (unsigned i = 0; more && i < PURGES_MAX && status == ST_OK; i++)
		status = deletion_free_names(identity->sql, &more);
	return status == ST_UNAVAILABLE && sql_connected(identity->sql)
	               ? ST_OK
	               : status;
}

/* A wrong secret stops neither revocations nor the keys that are there. */
static enum status poll_keys(struct identity *identity)
{
	CLEANUP(buf_free) struct buf why = BUF(WHY_MAX);
	struct buf *fault = &identity->keys_fault;
	enum status status = signing_keys_read(identity->keyring, identity->sql,
	                                       &identity->key_rules, &why);

	if (why.len && !span_equal(buf_span(&why), buf_span(fault)))
		log_event(LOG_ERROR,
		          status == ST_DENIED ? "keyring.wrong_secret"
		                              : "keyring.bad_key",
		          F_SPAN("why", buf_span(&why)));
	buf_clear(fault);
	buf_append(fault, buf_span(&why));
	return why.len ? ST_OK : status;
}

/* The keys last: without them no token is good, also one that was revoked. */
static enum status poll_all(struct identity *identity)
{
	enum status status =
		revocations_load(identity->revocations, identity->sql, true);

	if (status == ST_BROKEN)
		log_event(LOG_ERROR, "sessions.too_many_revoked",
		          F_TEXT("set", "IDENTITY_REVOKED_MAX"));
	if (status == ST_OK)
		status = poll_keys(identity);
	return status == ST_OK ? purge(identity) : status;
}

static enum status poll_some(struct identity *identity)
{
	enum status status =
		revocations_load(identity->revocations, identity->sql, false);

	return status == ST_OK ? poll_keys(identity) : status;
}

/* A conflict with a refresh is no failure. */
static enum status write_uses(struct identity *identity)
{
	enum status status =
		session_uses_write(identity->session_uses, identity->sql);

	return status == ST_UNAVAILABLE && sql_connected(identity->sql)
	               ? ST_OK
	               : status;
}

static enum status poll_database(struct identity *identity, uint64_t now_ms)
{
	enum status status = ST_OK;

	if (!sql_connected(identity->sql)) {
		status = sql_connect(identity->sql);
		identity->next_full_poll_ms = 0;
	}
	if (status == ST_OK)
		status = prepare(identity);
	if (status == ST_OK)
		status = write_uses(identity);
	if (status != ST_OK)
		return status;
	if (now_ms < identity->next_full_poll_ms)
		return poll_some(identity);
	status = poll_all(identity);
	if (status == ST_OK)
		identity->next_full_poll_ms = now_ms + FULL_POLL_EVERY_MS;
	return status;
}

/*
 * A server that takes no writes is down: it signs no user in. Keys and
 * revocations are read from it all the same.
 */
static void report_polled(struct identity *identity)
{
	enum status status = sql_probe_write(identity->sql);

	if (identity->keys_fault.len)
		service_part("mysql", false, buf_text(&identity->keys_fault));
	else
		service_part("mysql", status == ST_OK,
		             sql_error(identity->sql));
}

/* Retries after any failure: a repair needs no restart. */
static void poll_when_due(struct identity *identity)
{
	uint64_t now_ms = clock_mono_ms();
	enum status status;

	if (now_ms < identity->next_poll_ms)
		return;
	status = poll_database(identity, now_ms);
	if (status == ST_OK) {
		identity->failures = 0;
		identity->next_poll_ms = now_ms + POLL_EVERY_MS;
		report_polled(identity);
		return;
	}
	identity->next_poll_ms =
		clock_mono_ms() + backoff_ms(identity->failures++,
	                                     BACKOFF_BASE_MS, BACKOFF_MAX_MS);
	service_part("mysql", false,
	             *sql_error(identity->sql) ? sql_error(identity->sql)
	                                       : status_text(status));
}

enum status identity_step(void *state)
{
	struct identity *identity = state;
	struct pollfd wake = {.fd = service_wake_fd(), .events = POLLIN};

	poll_when_due(identity);
	if (identity->api)
		api_update_metrics(identity->api);
	metric_set(&identity_metrics_tokens_cached,
	           tokens_cached(identity->tokens));
	metric_set(&identity_metrics_revoked,
	           revocations_count(identity->revocations));
	(void)poll(&wake, 1, TURN_MS);
	return ST_OK;
}

void identity_drain(void *state)
{
	struct identity *identity = state;

	api_stop(&identity->api);
}

bool identity_drained(void *state)
{
	const struct identity *identity = state;

	return !identity->api;
}

void identity_stop(void **state)
{
	struct identity *identity = MOVE(*state);

	api_stop(&identity->api);
	sql_destroy(&identity->sql);
	tokens_destroy(&identity->tokens);
	revocations_destroy(&identity->revocations);
	session_uses_destroy(&identity->session_uses);
	keyring_destroy(&identity->keyring);
	mem_wipe(&identity->key_rules, sizeof(identity->key_rules));
	buf_free(&identity->keys_fault);
	database_source_destroy(&identity->source);
	mem_free(&identity);
}
