#include "identity-service/keys/keyring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct buf pem = {.max = JWT_KEY_PEM_MAX};
static struct keyring *ring;

static int make_pem(void **state)
{
	(void)state;
	return jwt_key_generate(&pem) != ST_OK;
}

static int free_pem(void **state)
{
	(void)state;
	buf_wipe(&pem);
	return 0;
}

static int start(void **state)
{
	(void)state;
	ring = keyring_create();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	keyring_destroy(&ring);
	return 0;
}

static void add(const char *id)
{
	assert_int_equal(keyring_add(ring, span_of(id), buf_span(&pem)), ST_OK);
}

static bool has(const char *id)
{
	return keyring_find(ring, span_of(id));
}

static unsigned count(void)
{
	unsigned at = 0, keys = 0;

	while (keyring_next(ring, &at))
		keys++;
	return keys;
}

static void assert_signer(const char *id)
{
	const struct jwt_key *signer = keyring_signer(ring);

	assert_non_null(signer);
	assert_true(span_equal(jwt_key_id(signer), span_of(id)));
}

static void an_empty_ring_has_no_signer(void **state)
{
	(void)state;
	assert_null(keyring_signer(ring));
	assert_false(has("a"));
	assert_int_equal(count(), 0);
	assert_false(keyring_keep(ring, SPAN("a")));
}

static void a_reading_says_which_key_signs(void **state)
{
	(void)state;
	add("a");
	add("b");
	assert_null(keyring_signer(ring));
	keyring_end_reading(ring, SPAN("a"));
	assert_signer("a");
	assert_true(keyring_keep(ring, SPAN("a")));
	assert_true(keyring_keep(ring, SPAN("b")));
	keyring_end_reading(ring, SPAN("b"));
	assert_signer("b");
	assert_true(has("a"));
	/* The same as before. */
	assert_true(keyring_keep(ring, SPAN("b")));
	keyring_end_reading(ring, SPAN_NONE);
	assert_signer("b");
}

static void a_key_that_is_gone_leaves_and_lives_on_for_its_users(void **state)
{
	CLEANUP(buf_free) struct buf modulus = BUF(1000), exponent = BUF(1000);
	unsigned generation = keyring_generation(ring);
	const struct jwt_key *held;

	(void)state;
	add("a");
	add("b");
	keyring_end_reading(ring, SPAN("a"));
	assert_int_equal(keyring_generation(ring), generation);
	held = keyring_find(ring, SPAN("a"));
	assert_true(keyring_keep(ring, SPAN("b")));
	keyring_end_reading(ring, SPAN("b"));
	assert_false(has("a"));
	assert_signer("b");
	assert_int_not_equal(keyring_generation(ring), generation);
	assert_int_equal(jwt_key_public(held, &modulus, &exponent), ST_OK);
}

/* It was added while the reading ran, so that this could not see it. */
static void a_key_that_was_added_meanwhile_stays_for_one_reading(void **state)
{
	(void)state;
	add("a");
	keyring_end_reading(ring, SPAN("a"));
	assert_true(keyring_keep(ring, SPAN("a")));
	add("b");
	keyring_end_reading(ring, SPAN("a"));
	assert_true(has("b"));
	assert_true(keyring_keep(ring, SPAN("a")));
	keyring_end_reading(ring, SPAN("a"));
	assert_false(has("b"));
}

static void a_signer_that_is_gone_signs_no_more(void **state)
{
	(void)state;
	add("a");
	keyring_end_reading(ring, SPAN("a"));
	keyring_end_reading(ring, SPAN_NONE);
	assert_null(keyring_signer(ring));
}

static void a_key_is_added_once(void **state)
{
	(void)state;
	add("a");
	add("a");
	assert_int_equal(count(), 1);
}

static void a_full_ring_takes_keys_again_when_others_leave(void **state)
{
	char id[16];

	(void)state;
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned i = 0; i < KEYRING_MAX; i++) {
			(void)snprintf(id, sizeof(id), "%u.%u", turn, i);
			add(id);
		}
		assert_int_equal(
			keyring_add(ring, SPAN("more"), buf_span(&pem)),
			ST_TOO_LARGE);
		keyring_end_reading(ring, span_of(id));
		assert_int_equal(count(), KEYRING_MAX);
		keyring_end_reading(ring, SPAN_NONE);
		assert_int_equal(count(), 0);
	}
}

static atomic_bool done;

static void *read_keys(void *argument)
{
	unsigned *uses = argument;

	while (!atomic_load(&done)) {
		const struct jwt_key *signer = keyring_signer(ring);
		unsigned at = 0;

		for (const struct jwt_key *key;
		     (key = keyring_next(ring, &at));)
			*uses += jwt_key_id(key).len == 1;
		if (signer)
			*uses += jwt_key_id(signer).len == 1;
		*uses += has("b");
	}
	return NULL;
}

/* Keys come and leave beside threads that use them; see unit-tsan. */
static void readers_need_no_lock(void **state)
{
	enum { READERS = 2, TURNS = 50 };
	pthread_t threads[READERS];
	unsigned uses[READERS] = {0};

	(void)state;
	atomic_store(&done, false);
	add("a");
	keyring_end_reading(ring, SPAN("a"));
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, read_keys, &uses[i]),
			0);
	for (unsigned i = 0; i < TURNS; i++) {
		const char *new = i % 2 ? "a" : "b";

		add(new);
		assert_true(keyring_keep(ring, span_of(new)));
		keyring_end_reading(ring, span_of(new));
		assert_signer(new);
		assert_int_equal(count(), 1);
	}
	atomic_store(&done, true);
	for (unsigned i = 0; i < READERS; i++)
		(void)pthread_join(threads[i], NULL);
}

static void what_is_no_key_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "x", "-----BEGIN PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(keyring_add(ring, SPAN("a"), span_of(bad[i])),
		                 ST_INVALID);
	assert_int_equal(keyring_add(ring, SPAN(""), buf_span(&pem)),
	                 ST_INVALID);
	assert_int_equal(count(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_ring_has_no_signer),
		TEST(a_reading_says_which_key_signs),
		TEST(a_key_that_is_gone_leaves_and_lives_on_for_its_users),
		TEST(a_key_that_was_added_meanwhile_stays_for_one_reading),
		TEST(a_signer_that_is_gone_signs_no_more),
		TEST(a_key_is_added_once),
		TEST(a_full_ring_takes_keys_again_when_others_leave),
		TEST(readers_need_no_lock),
		TEST(what_is_no_key_is_refused),
	};

	return cmocka_run_group_tests(tests, make_pem, free_pem);
}
