#include "identity-service/keys/signing_keys.h"
#include "common/base/mem.h"
#include "common/service/log.h"
#include "identity-service/keys/key_table.h"

#include <string.h>

/* One pass over the table. */
struct reading {
	struct keyring *keyring;
	struct sql *sql;
	const struct key_rules *rules;
	bool open_all; /* also those that the keyring has already */
	struct key_row rows[KEYRING_MAX]; /* newest first */
	unsigned count;
	enum status status; /* ST_DENIED or ST_BROKEN: of a key */
	bool made;          /* a new key */
	struct buf *why;
};

/* The first fault counts. */
static void fault(struct reading *reading, enum status status, const char *kid)
{
	const char *what = "the row of signing_keys is not a key";

	if (reading->status != ST_OK)
		return;
	if (status == ST_DENIED)
		what = "IDENTITY_KEY_SECRET_FILE has another secret than the "
		       "one that the signing key was encrypted with";
	else if (status == ST_TOO_LARGE)
		what = "there are as many signing keys as there may be; "
		       "the oldest is deleted when its last token is dead";
	reading->status = status == ST_DENIED ? ST_DENIED : ST_BROKEN;
	buf_clear(reading->why);
	buf_format(reading->why, "%s (kid %s)", what, kid);
}

static enum status add(struct reading *reading, struct span kid,
                       struct span pem)
{
	enum status status = keyring_add(reading->keyring, kid, pem);

	if (status == ST_OK)
		log_event(LOG_INFO, "keyring.key_loaded", F_SPAN("kid", kid));
	return status;
}

/* The private key of the row as PEM. */
static enum status open_row(struct reading *reading, struct key_row *row,
                            const struct key_text *text, struct buf *pem)
{
	if (row->is_clear) {
		buf_append(pem, text->pem);
		return ST_OK;
	}
	return key_secret_open(&reading->rules->secret, span_of(row->kid),
	                       text->sealed, pem, &row->must_seal);
}

static void take_row(struct reading *reading, struct key_row *row,
                     const struct key_text *text)
{
	CLEANUP(buf_wipe) struct buf pem = BUF(JWT_KEY_PEM_MAX);
	struct span kid = span_of(row->kid);
	bool kept = keyring_keep(reading->keyring, kid);
	enum status status = ST_OK;

	row->must_seal = row->is_clear;
	if (!kept || reading->open_all)
		status = open_row(reading, row, text, &pem);
	if (status == ST_OK && !kept)
		status = add(reading, kid, buf_span(&pem));
	row->usable = kept || status == ST_OK;
	if (status != ST_OK)
		fault(reading, status, row->kid);
}

static enum status read_rows(struct reading *reading)
{
	struct key_row row;
	struct key_text text;
	enum status status = key_table_select(
		reading->sql, reading->rules->rotate_days,
		reading->rules->token_ttl_s + reading->rules->lead_s);

	reading->count = 0;
	reading->status = ST_OK;
	while (status == ST_OK) {
		status = key_table_next(reading->sql, &row, &text);
		if (status != ST_OK)
			break;
		take_row(reading, &row, &text);
		if (reading->count < KEYRING_MAX)
			reading->rows[reading->count++] = row;
	}
	return status == ST_NOT_FOUND ? reading->status : status;
}

/* The newest whose time has come; if there is none, the next one. */
static struct key_row *signer_of(struct reading *reading)
{
	struct key_row *next = NULL;

	for (unsigned i = 0; i < reading->count; i++) {
		struct key_row *row = &reading->rows[i];

		if (!row->usable)
			continue;
		next = row;
		if (row->may_sign)
			return row;
	}
	return next;
}

static bool waits(const struct reading *reading)
{
	return reading->count > 0 && !reading->rows[0].may_sign;
}

static bool is_full(const struct reading *reading)
{
	return reading->count >= SIGNING_KEYS_MAX;
}

/* Many calls of --rotate-key may fill the table: then the signer stays. */
static bool is_time(const struct reading *reading)
{
	return reading->count == 0 ||
	       (reading->rules->rotate_days && reading->rows[0].is_old &&
	        !waits(reading) && !is_full(reading));
}

static enum status make_key(struct reading *reading)
{
	CLEANUP(buf_wipe) struct buf pem = BUF(JWT_KEY_PEM_MAX);
	CLEANUP(buf_free)
	struct buf sealed = BUF(JWT_KEY_PEM_MAX + SEAL_OVERHEAD);
	uint64_t lead_s = reading->count ? reading->rules->lead_s : 0;
	char kid[UUID_TEXT_LEN + 1];
	struct uuid uuid;
	enum status status;

	if (is_full(reading)) {
		fault(reading, ST_TOO_LARGE, reading->rows[0].kid);
		return ST_TOO_LARGE;
	}
	uuid_make(&uuid);
	uuid_format(&uuid, kid);
	status = jwt_key_generate(&pem);
	if (status == ST_OK)
		status = key_secret_close(&reading->rules->secret, span_of(kid),
		                          buf_span(&pem), &sealed);
	if (status == ST_OK)
		status = key_table_insert(reading->sql, span_of(kid),
		                          buf_span(&sealed), lead_s);
	if (status != ST_OK)
		return status;
	reading->made = true;
	log_event(LOG_INFO, "keyring.key_made", F_TEXT("kid", kid),
	          F_NUMBER("signs_in_s", lead_s));
	return ST_OK;
}

/*
 * Under the lock of the table: another instance may have made a key since. All
 * keys must open, so that none is made with a wrong secret.
 */
static enum status make_key_alone(struct reading *reading, bool at_once)
{
	enum status status = key_table_lock(reading->sql);

	if (status != ST_OK)
		return status;
	reading->open_all = true;
	status = read_rows(reading);
	if (status == ST_OK && (at_once ? !waits(reading) : is_time(reading)))
		status = make_key(reading);
	if (status == ST_OK)
		status = read_rows(reading);
	key_table_unlock(reading->sql);
	return status;
}

static bool is_key(struct span kid, struct span pem)
{
	CLEANUP(jwt_key_destroy) struct jwt_key *key = NULL;

	return jwt_key_create(kid, pem, &key) == ST_OK;
}

/* Reads the row again: the keyring does not keep the text of a key. */
static enum status seal_row(struct reading *reading, struct span kid)
{
	CLEANUP(buf_wipe) struct buf pem = BUF(JWT_KEY_PEM_MAX);
	CLEANUP(buf_free)
	struct buf sealed = BUF(JWT_KEY_PEM_MAX + SEAL_OVERHEAD);
	struct key_row row;
	struct key_text text;
	enum status status = key_table_find(reading->sql, kid, &row, &text);

	if (status == ST_OK)
		status = open_row(reading, &row, &text, &pem);
	if (status == ST_OK && !is_key(kid, buf_span(&pem)))
		status = ST_INVALID;
	if (status == ST_DENIED || status == ST_INVALID) {
		fault(reading, status, row.kid);
		return reading->status;
	}
	/* Another instance has done it. */
	if (status == ST_NOT_FOUND ||
	    (status == ST_OK && !row.is_clear && !row.must_seal))
		return ST_OK;
	if (status == ST_OK)
		status = key_secret_close(&reading->rules->secret, kid,
		                          buf_span(&pem), &sealed);
	if (status == ST_OK)
		status = key_table_seal(reading->sql, &row, buf_span(&sealed));
	if (status == ST_OK)
		log_event(LOG_INFO, "keyring.key_encrypted",
		          F_SPAN("kid", kid));
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* Encrypts what is not under this secret, and deletes what is dead. */
static enum status tidy(struct reading *reading, const struct key_row *signer)
{
	enum status status = ST_OK;

	for (unsigned i = 0; i < reading->count && status == ST_OK; i++) {
		const struct key_row *row = &reading->rows[i];

		if (row->must_seal && row->usable)
			status = seal_row(reading, span_of(row->kid));
		if (status == ST_OK && signer && row > signer && row->is_dead) {
			status = key_table_delete(reading->sql,
			                          span_of(row->kid));
			if (status == ST_OK)
				log_event(LOG_INFO, "keyring.key_deleted",
				          F_TEXT("kid", row->kid));
		}
	}
	return status;
}

/* The table says first how long its tokens may live; then the key may sign. */
static enum status let_sign(struct reading *reading, const struct key_row *row)
{
	const struct key_rules *rules = reading->rules;
	const struct jwt_key *old = keyring_signer(reading->keyring);
	struct span kid = span_of(row->kid);
	enum status status = ST_OK;

	if (row->must_extend)
		status = key_table_extend(reading->sql, kid,
		                          rules->token_ttl_s +
		                                  2 * rules->lead_s);
	if (status != ST_OK)
		return status;
	if (!old || !span_equal(jwt_key_id(old), kid))
		log_event(LOG_INFO, "keyring.key_signs", F_SPAN("kid", kid));
	keyring_end_reading(reading->keyring, kid);
	return ST_OK;
}

static enum status finish(struct reading *reading, enum status status)
{
	const struct key_row *signer;

	if (status == ST_DENIED || status == ST_BROKEN) {
		/* The signer stays. At the start there is none. */
		keyring_end_reading(reading->keyring, SPAN_NONE);
		return status;
	}
	if (status != ST_OK)
		return status;
	signer = signer_of(reading);
	if (!signer)
		return ST_UNAVAILABLE;
	status = let_sign(reading, signer);
	return status == ST_OK ? tidy(reading, signer) : status;
}

static struct reading reading_of(struct keyring *keyring, struct sql *sql,
                                 const struct key_rules *rules, struct buf *why)
{
	return (struct reading){.keyring = keyring,
	                        .sql = sql,
	                        .rules = rules,
	                        .open_all = rules->secret.has_before,
	                        .why = why};
}

enum status signing_keys_read(struct keyring *keyring, struct sql *sql,
                              const struct key_rules *rules,
                              struct buf *ret_why)
{
	struct reading reading = reading_of(keyring, sql, rules, ret_why);
	enum status status = read_rows(&reading);

	if (status == ST_OK && is_time(&reading))
		status = make_key_alone(&reading, false);
	/* Another instance makes the key: the next reading has it. */
	if (status == ST_BUSY && reading.count)
		status = ST_OK;
	return finish(&reading, status);
}

enum status signing_keys_rotate(struct keyring *keyring, struct sql *sql,
                                const struct key_rules *rules,
                                struct new_key *ret_key, struct buf *ret_why)
{
	struct reading reading = reading_of(keyring, sql, rules, ret_why);
	enum status status = finish(&reading, make_key_alone(&reading, true));

	if (status != ST_OK)
		return status;
	memcpy(ret_key->kid, reading.rows[0].kid, sizeof(ret_key->kid));
	memcpy(ret_key->signs_from, reading.rows[0].signs_from,
	       sizeof(ret_key->signs_from));
	ret_key->was_there = !reading.made;
	return ST_OK;
}

enum status signing_keys_learn(struct keyring *keyring, struct sql *sql,
                               const struct key_rules *rules, struct span kid)
{
	CLEANUP(buf_wipe) struct buf pem = BUF(JWT_KEY_PEM_MAX);
	struct buf why = BUF(0);
	struct reading reading = reading_of(keyring, sql, rules, &why);
	struct key_row row;
	struct key_text text;
	enum status status = key_table_find(sql, kid, &row, &text);

	if (status != ST_OK)
		return status;
	status = open_row(&reading, &row, &text, &pem);
	if (status == ST_OK)
		status = keyring_add(keyring, kid, buf_span(&pem));
	return status == ST_OK ? ST_OK : ST_BUSY;
}
