#include "websocket-service/socket/user_connections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 3000 };

static struct user_connections *users;

static int start(void **state)
{
	(void)state;
	users = user_connections_create();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	user_connections_destroy(&users);
	return users != NULL;
}

static unsigned links_of(uint64_t id)
{
	unsigned count = 0;

	for (struct user_link *l = user_connections_find(users, id); l;
	     l = l->next)
		count++;
	return count;
}

static void a_user_has_the_sockets_that_were_added(void **state)
{
	struct user_link first = {0};
	struct user_link second = {0};
	struct user_link other = {0};

	(void)state;
	user_connections_add(users, 7, &first);
	user_connections_add(users, 7, &second);
	user_connections_add(users, 8, &other);
	assert_int_equal(links_of(7), 2);
	assert_ptr_equal(user_connections_find(users, 8), &other);
	assert_null(user_connections_find(users, 9));
	assert_int_equal(user_connections_count(users), 2);
}

static void a_user_is_removed_with_the_last_socket(void **state)
{
	struct user_link first = {0};
	struct user_link second = {0};

	(void)state;
	user_connections_add(users, 7, &first);
	user_connections_add(users, 7, &second);
	user_connections_remove(users, &first);
	assert_ptr_equal(user_connections_find(users, 7), &second);
	user_connections_remove(users, &second);
	assert_null(user_connections_find(users, 7));
	assert_int_equal(user_connections_count(users), 0);
}

static void removing_twice_or_unlinked_does_nothing(void **state)
{
	struct user_link stays = {0};
	struct user_link goes = {0};

	(void)state;
	user_connections_remove(users, &goes);
	user_connections_add(users, 7, &stays);
	user_connections_add(users, 7, &goes);
	user_connections_remove(users, &goes);
	user_connections_remove(users, &goes);
	assert_int_equal(links_of(7), 1);
}

static void removing_while_walking_keeps_the_next(void **state)
{
	static struct user_link link[10];
	unsigned seen = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		user_connections_add(users, 7, &link[i]);
	for (struct user_link *l = user_connections_find(users, 7); l; seen++) {
		struct user_link *gone = l;

		l = l->next;
		user_connections_remove(users, gone);
	}
	assert_int_equal(seen, 10);
	assert_int_equal(user_connections_count(users), 0);
}

static void many_users_are_kept_apart(void **state)
{
	static struct user_link link[MANY];

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		user_connections_add(users, UINT64_C(1) << 40 | i, &link[i]);
	for (unsigned i = 0; i < MANY; i++)
		assert_ptr_equal(
			user_connections_find(users, UINT64_C(1) << 40 | i),
			&link[i]);
	assert_null(user_connections_find(users, 5));
	for (unsigned i = 0; i < MANY; i++)
		user_connections_remove(users, &link[i]);
	assert_int_equal(user_connections_count(users), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(a_user_has_the_sockets_that_were_added),
		TEST(a_user_is_removed_with_the_last_socket),
		TEST(removing_twice_or_unlinked_does_nothing),
		TEST(removing_while_walking_keeps_the_next),
		TEST(many_users_are_kept_apart),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
