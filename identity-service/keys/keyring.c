#include "identity-service/keys/keyring.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/service/log.h"

#include <stdatomic.h>

/* Keys live for months, so that a process never sees this many. */
enum { KEYS_MAX = 64, NO_KEY = -1 };

/* MySQL takes lock names of at most 64 characters; the lock is server-wide. */
#define LOCK_NAME "LEFT(CONCAT('signing_keys:', DATABASE()), 64)"

struct slot {
	struct jwt_key *key;
	atomic_bool retired;
};

/* Slots are only added, so that readers need no lock. */
struct keyring {
	struct slot slots[KEYS_MAX];
	atomic_int count;
	atomic_int signer;
	atomic_uint generation;
};

struct keyring *keyring_create(void)
{
	struct keyring *keyring = mem_new(sizeof(*keyring));

	atomic_store(&keyring->signer, NO_KEY);
	return keyring;
}

void keyring_destroy(struct keyring **keyring)
{
	struct keyring *k = MOVE(*keyring);

	if (!k)
		return;
	for (int i = 0; i < atomic_load(&k->count); i++)
		jwt_key_destroy(&k->slots[i].key);
	mem_free(&k);
}

static int slot_of(struct keyring *keyring, struct span id)
{
	for (int i = 0; i < atomic_load(&keyring->count); i++) {
		if (span_equal(jwt_key_id(keyring->slots[i].key), id))
			return i;
	}
	return NO_KEY;
}

const struct jwt_key *keyring_find(struct keyring *keyring, struct span id)
{
	int at = slot_of(keyring, id);

	if (at == NO_KEY || atomic_load(&keyring->slots[at].retired))
		return NULL;
	return keyring->slots[at].key;
}

const struct jwt_key *keyring_signer(struct keyring *keyring)
{
	int at = atomic_load(&keyring->signer);

	return at == NO_KEY ? NULL : keyring->slots[at].key;
}

const struct jwt_key *keyring_next(struct keyring *keyring, unsigned *at)
{
	while (*at < (unsigned)atomic_load(&keyring->count)) {
		const struct slot *slot = &keyring->slots[(*at)++];

		if (!atomic_load(&slot->retired))
			return slot->key;
	}
	return NULL;
}

unsigned keyring_generation(struct keyring *keyring)
{
	return atomic_load(&keyring->generation);
}

static enum status add(struct keyring *keyring, struct span id, struct span pem,
                       int *ret_at)
{
	int at = atomic_load(&keyring->count);
	enum status status;

	if (at == KEYS_MAX)
		return ST_BROKEN;
	status = jwt_key_create(id, pem, &keyring->slots[at].key);
	if (status != ST_OK) {
		log_event(LOG_ERROR, "keyring.bad_key", F_SPAN("kid", id));
		return ST_BROKEN;
	}
	log_event(LOG_INFO, "keyring.key_loaded", F_SPAN("kid", id));
	atomic_store(&keyring->count, at + 1);
	*ret_at = at;
	return ST_OK;
}

/* Takes one row. Rows come by age: the last valid key becomes the signer. */
static enum status take_row(struct keyring *keyring,
                            const struct sql_value row[3], int *signer)
{
	int at = slot_of(keyring, row[0].bytes);
	bool retired = row[2].number != 0;
	enum status status = ST_OK;

	if (at == NO_KEY && !retired)
		status = add(keyring, row[0].bytes, row[1].bytes, &at);
	if (status != ST_OK || at == NO_KEY)
		return status;
	if (atomic_exchange(&keyring->slots[at].retired, retired) != retired)
		atomic_fetch_add(&keyring->generation, 1);
	if (!retired)
		*signer = at;
	return ST_OK;
}

/* ST_NOT_FOUND: no key can sign. */
static enum status load(struct keyring *keyring, struct sql *sql)
{
	struct sql_value row[3];
	int signer = NO_KEY;
	enum status status =
		sql_run(sql,
	                "SELECT kid, private_pem, retired_at IS NOT NULL"
	                " FROM signing_keys ORDER BY created_at, kid",
	                NULL, 0);

	while (status == ST_OK) {
		status = sql_fetch(sql, row, ARRAY_LEN(row));
		if (status == ST_OK)
			status = take_row(keyring, row, &signer);
	}
	if (status != ST_NOT_FOUND)
		return status;
	atomic_store(&keyring->signer, signer);
	return signer == NO_KEY ? ST_NOT_FOUND : ST_OK;
}

static enum status insert_new(struct sql *sql)
{
	CLEANUP(buf_free) struct buf pem = BUF(JWT_KEY_PEM_MAX);
	char id[UUID_TEXT_LEN + 1];
	struct sql_value values[2];
	struct uuid uuid;
	enum status status = jwt_key_generate(&pem);

	if (status != ST_OK)
		return status;
	uuid_make(&uuid);
	uuid_format(&uuid, id);
	values[0] = sql_bytes(span_make(id, UUID_TEXT_LEN));
	values[1] = sql_bytes(buf_span(&pem));
	status = sql_run(sql,
	                 "INSERT INTO signing_keys (kid, private_pem)"
	                 " VALUES (?, ?)",
	                 values, 2);
	mem_wipe(pem.data, pem.capacity);
	if (status == ST_OK)
		log_event(LOG_INFO, "keyring.key_made", F_TEXT("kid", id));
	return status;
}

static enum status ask_lock(struct sql *sql, const char *statement)
{
	struct sql_value got;
	enum status status = sql_run(sql, statement, NULL, 0);

	if (status == ST_OK)
		status = sql_fetch(sql, &got, 1);
	if (status == ST_OK && (got.kind != SQL_NUMBER || got.number != 1))
		return ST_UNAVAILABLE;
	return status;
}

/* Reads again under the lock: another instance may have created a key. */
static enum status make_first(struct keyring *keyring, struct sql *sql)
{
	enum status status = ask_lock(sql, "SELECT GET_LOCK(" LOCK_NAME ", 1)");

	if (status != ST_OK)
		return status;
	status = load(keyring, sql);
	if (status == ST_NOT_FOUND)
		status = insert_new(sql);
	if (sql_connected(sql))
		(void)!ask_lock(sql, "SELECT RELEASE_LOCK(" LOCK_NAME ")");
	return status == ST_OK ? load(keyring, sql) : status;
}

enum status keyring_refresh(struct keyring *keyring, struct sql *sql)
{
	enum status status = load(keyring, sql);

	return status == ST_NOT_FOUND ? make_first(keyring, sql) : status;
}
