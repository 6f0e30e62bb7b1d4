#include "identity-service/keys/keyring.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <stdatomic.h>

struct slot {
	_Atomic(struct jwt_key *) key; /* NULL: the slot is free */
	unsigned reading; /* the last that had it; the main thread's own */
};

/* A key that has left: another thread may still use it. */
struct former_key {
	struct jwt_key *key;
	uint64_t left_at_ms;
	struct former_key *next;
};

struct keyring {
	struct slot slots[KEYRING_MAX];
	_Atomic(struct jwt_key *) signer;
	atomic_uint generation;
	unsigned reading; /* the number of the current one, from 1 */
	struct former_key *former;
};

struct keyring *keyring_create(void)
{
	struct keyring *keyring = mem_new(sizeof(*keyring));

	keyring->reading = 1;
	return keyring;
}

static void destroy_former(struct keyring *keyring, uint64_t left_before_ms)
{
	struct former_key **at = &keyring->former;

	while (*at) {
		struct former_key *former = *at;

		if (former->left_at_ms > left_before_ms) {
			at = &former->next;
			continue;
		}
		*at = former->next;
		jwt_key_destroy(&former->key);
		mem_free(&former);
	}
}

void keyring_destroy(struct keyring **keyring)
{
	struct keyring *k = MOVE(*keyring);

	if (!k)
		return;
	destroy_former(k, UINT64_MAX);
	for (unsigned i = 0; i < KEYRING_MAX; i++) {
		struct jwt_key *key = atomic_load(&k->slots[i].key);

		jwt_key_destroy(&key);
	}
	mem_free(&k);
}

static bool has_id(const struct jwt_key *key, struct span id)
{
	return key && span_equal(jwt_key_id(key), id);
}

const struct jwt_key *keyring_find(struct keyring *keyring, struct span id)
{
	for (unsigned i = 0; i < KEYRING_MAX; i++) {
		const struct jwt_key *key = atomic_load(&keyring->slots[i].key);

		if (has_id(key, id))
			return key;
	}
	return NULL;
}

const struct jwt_key *keyring_signer(struct keyring *keyring)
{
	return atomic_load(&keyring->signer);
}

const struct jwt_key *keyring_next(struct keyring *keyring, unsigned *at)
{
	while (*at < KEYRING_MAX) {
		const struct jwt_key *key =
			atomic_load(&keyring->slots[(*at)++].key);

		if (key)
			return key;
	}
	return NULL;
}

unsigned keyring_generation(struct keyring *keyring)
{
	return atomic_load(&keyring->generation);
}

/*
 * Two threads may add the same key at once, each to a slot of its own:
 * keyring_keep() drops one of them.
 */
enum status keyring_add(struct keyring *keyring, struct span id,
                        struct span pem)
{
	CLEANUP(jwt_key_destroy) struct jwt_key *key = NULL;
	enum status status;

	if (keyring_find(keyring, id))
		return ST_OK;
	status = jwt_key_create(id, pem, &key);
	if (status != ST_OK)
		return status;
	for (unsigned i = 0; i < KEYRING_MAX; i++) {
		struct jwt_key *none = NULL;

		if (!atomic_compare_exchange_strong(&keyring->slots[i].key,
		                                    &none, key))
			continue;
		(void)MOVE(key);
		return ST_OK;
	}
	return ST_TOO_LARGE;
}

static void drop(struct keyring *keyring, struct slot *slot)
{
	struct former_key *former = mem_new(sizeof(*former));

	slot->reading = 0;
	former->key = atomic_exchange(&slot->key, NULL);
	former->left_at_ms = clock_mono_ms();
	former->next = keyring->former;
	keyring->former = former;
	atomic_fetch_add(&keyring->generation, 1);
}

bool keyring_keep(struct keyring *keyring, struct span id)
{
	bool found = false;

	for (unsigned i = 0; i < KEYRING_MAX; i++) {
		struct slot *slot = &keyring->slots[i];

		if (!has_id(atomic_load(&slot->key), id))
			continue;
		if (found)
			drop(keyring, slot);
		else
			slot->reading = keyring->reading;
		found = true;
	}
	return found;
}

/* A key that another thread has added meanwhile is judged by the next one. */
static bool is_gone(const struct keyring *keyring, struct slot *slot)
{
	if (slot->reading == 0)
		slot->reading = keyring->reading;
	return slot->reading != keyring->reading;
}

void keyring_end_reading(struct keyring *keyring, struct span signer)
{
	uint64_t now_ms = clock_mono_ms(), rest_ms = KEYRING_REST_S * 1000;
	struct jwt_key *signs = atomic_load(&keyring->signer);

	if (!signer.len && signs)
		signer = jwt_key_id(signs);
	signs = NULL;
	for (unsigned i = 0; i < KEYRING_MAX; i++) {
		struct slot *slot = &keyring->slots[i];
		struct jwt_key *key = atomic_load(&slot->key);

		if (!signs && has_id(key, signer) && !is_gone(keyring, slot))
			signs = key;
	}
	atomic_store(&keyring->signer, signs);
	for (unsigned i = 0; i < KEYRING_MAX; i++) {
		struct slot *slot = &keyring->slots[i];

		if (atomic_load(&slot->key) && is_gone(keyring, slot))
			drop(keyring, slot);
	}
	destroy_former(keyring, now_ms > rest_ms ? now_ms - rest_ms : 0);
	keyring->reading++;
}
