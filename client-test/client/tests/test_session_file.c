#include "client-test/client/session_file.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
	char root[64];
	char folder[128];
	struct session_file *one, *two; /* of two processes */
};

static struct world world;

static int create(void **state)
{
	(void)state;
	(void)snprintf(world.root, sizeof(world.root),
	               "/tmp/parley-session-XXXXXX");
	assert_non_null(mkdtemp(world.root));
	(void)snprintf(world.folder, sizeof(world.folder), "%s/state/parley",
	               world.root);
	world.one = session_file_create(world.folder);
	world.two = session_file_create(world.folder);
	return 0;
}

static int destroy(void **state)
{
	static const char *const names[] = {"state/parley/session",
	                                    "state/parley/session.new",
	                                    "state/parley/session.lock",
	                                    "state/parley",
	                                    "state",
	                                    ""};
	char path[256];

	(void)state;
	session_file_destroy(&world.one);
	session_file_destroy(&world.two);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", world.root,
		               names[i]);
		(void)remove(path);
	}
	return 0;
}

static struct saved_session session(const char *token)
{
	static char url[] = "http://127.0.0.1:8080",
		    name[] = "Zo\xc3\xab \"x\"", refresh_token[] = "r-1";

	return (struct saved_session){
		.url = url,
		.name = name,
		.user = 7,
		.token = (char *)(uintptr_t)token,
		.refresh_token = refresh_token,
		.refreshed_at_ms = UINT64_C(1795255200123),
		.expires_at_ms = UINT64_C(1795258800123),
	};
}

static void writes(struct session_file *file, const char *token)
{
	struct saved_session saved = session(token);

	assert_int_equal(session_file_lock(file), ST_OK);
	assert_int_equal(session_file_write(file, &saved), ST_OK);
	session_file_unlock(file);
}

static void assert_has(const struct session_file *file, const char *token)
{
	struct saved_session found CLEANUP(saved_session_free) = {0};
	struct saved_session wanted = session(token);

	assert_int_equal(session_file_read(file, &found), ST_OK);
	assert_string_equal(found.url, wanted.url);
	assert_string_equal(found.name, wanted.name);
	assert_int_equal(found.user, wanted.user);
	assert_string_equal(found.token, token);
	assert_string_equal(found.refresh_token, wanted.refresh_token);
	assert_int_equal(found.refreshed_at_ms, wanted.refreshed_at_ms);
	assert_int_equal(found.expires_at_ms, wanted.expires_at_ms);
}

static void a_session_is_read_as_it_was_written(void **state)
{
	struct saved_session none;

	(void)state;
	assert_int_equal(session_file_read(world.one, &none), ST_NOT_FOUND);
	writes(world.one, "t-1");
	assert_has(world.two, "t-1");
	writes(world.two, "t-2");
	assert_has(world.one, "t-2");
	assert_int_equal(session_file_remove(world.one), ST_OK);
	assert_int_equal(session_file_remove(world.one), ST_OK);
	assert_int_equal(session_file_read(world.two, &none), ST_NOT_FOUND);
}

static unsigned mode_of(const char *path)
{
	struct stat about;

	assert_int_equal(stat(path, &about), 0);
	return about.st_mode & 0777;
}

/* Whatever the umask, and whatever the mode of the file before. */
static void only_the_owner_may_read_it(void **state)
{
	mode_t before = umask(0);

	(void)state;
	writes(world.one, "t-1");
	assert_int_equal(mode_of(session_file_path(world.one)), 0600);
	assert_int_equal(mode_of(world.folder), 0700);
	assert_int_equal(chmod(session_file_path(world.one), 0644), 0);
	writes(world.one, "t-2");
	assert_int_equal(mode_of(session_file_path(world.one)), 0600);
	(void)umask(before);
}

static void one_process_at_a_time_holds_the_lock(void **state)
{
	(void)state;
	assert_int_equal(session_file_lock(world.one), ST_OK);
	assert_int_equal(session_file_lock(world.one), ST_OK);
	assert_int_equal(session_file_lock(world.two), ST_BUSY);
	session_file_unlock(world.one);
	assert_int_equal(session_file_lock(world.two), ST_OK);
	assert_int_equal(session_file_lock(world.one), ST_BUSY);
	session_file_destroy(&world.two);
	assert_int_equal(session_file_lock(world.one), ST_OK);
}

static void put(const char *name, struct span text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", world.folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text.data, 1, text.len, file), text.len);
	assert_int_equal(fclose(file), 0);
}

/* A process died between the two steps of a write. */
static void the_rest_of_a_broken_write_does_no_harm(void **state)
{
	(void)state;
	writes(world.one, "t-1");
	put("session.new", SPAN("{\"url\":\"ht"));
	assert_has(world.two, "t-1");
	writes(world.two, "t-2");
	assert_has(world.one, "t-2");
}

static void a_folder_that_cannot_be_made_is_reported(void **state)
{
	(void)state;
	session_file_destroy(&world.two);
	world.two = session_file_create("/dev/null/parley");
	assert_int_equal(session_file_lock(world.two), ST_UNAVAILABLE);
}

#define URL     "\"url\":\"u\""
#define NAME    "\"name\":\"n\""
#define USER    "\"user\":1"
#define TOKEN   "\"token\":\"t\""
#define REFRESH "\"refresh_token\":\"r\""
#define TIMES   "\"refreshed_at_ms\":1,\"expires_at_ms\":2"
#define ALL     URL "," NAME "," USER "," TOKEN "," REFRESH "," TIMES

static void a_damaged_file_is_no_session(void **state)
{
	static const char *const rows[] = {
		"",
		"x",
		"[]",
		"{}",
		"{" ALL,
		"{" ALL "}x",
		"{" ALL "," ALL "}",
		"{" NAME "," USER "," TOKEN "," REFRESH "," TIMES "}",
		"{" URL "," USER "," TOKEN "," REFRESH "," TIMES "}",
		"{" URL "," NAME "," TOKEN "," REFRESH "," TIMES "}",
		"{" URL "," NAME "," USER "," REFRESH "," TIMES "}",
		"{" URL "," NAME "," USER "," TOKEN "," TIMES "}",
		"{" URL "," NAME "," USER "," TOKEN "," REFRESH "}",
		"{" URL "," NAME ",\"user\":0," TOKEN "," REFRESH "," TIMES "}",
		"{" URL "," NAME ",\"user\":\"1\"," TOKEN "," REFRESH "," TIMES
		"}",
		"{" URL "," NAME "," USER ",\"token\":\"\"," REFRESH "," TIMES
		"}",
		"{" URL "," NAME "," USER ",\"token\":1," REFRESH "," TIMES "}",
		"{" URL "," NAME "," USER "," TOKEN
		",\"refresh_token\":null," TIMES "}",
		"{" URL "," NAME "," USER "," TOKEN "," REFRESH
		",\"refreshed_at_ms\":-1,\"expires_at_ms\":2}",
		"{" URL "," NAME "," USER "," TOKEN "," REFRESH
		",\"refreshed_at_ms\":1,\"expires_at_ms\":9007199254740992}",
	};
	struct saved_session none;

	(void)state;
	writes(world.one, "t-1");
	put("session", SPAN("{" ALL "}"));
	assert_int_equal(session_file_read(world.one, &none), ST_OK);
	saved_session_free(&none);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put("session", span_of(rows[i]));
		if (session_file_read(world.one, &none) != ST_INVALID)
			fail_msg("taken: %s", rows[i]);
	}
}

static void a_file_that_is_too_long_is_no_session(void **state)
{
	struct buf text CLEANUP(buf_free) = BUF(2 * SESSION_FILE_MAX);
	struct saved_session none;

	(void)state;
	writes(world.one, "t-1");
	buf_append(&text, SPAN("{" ALL "}"));
	while (text.len < SESSION_FILE_MAX)
		buf_byte(&text, ' ');
	put("session", buf_span(&text));
	assert_int_equal(session_file_read(world.one, &none), ST_OK);
	saved_session_free(&none);
	buf_byte(&text, ' ');
	put("session", buf_span(&text));
	assert_int_equal(session_file_read(world.one, &none), ST_INVALID);
}

static void a_session_that_is_too_long_is_not_written(void **state)
{
	char token[SESSION_FILE_MAX];
	struct saved_session saved = session(token);

	(void)state;
	memset(token, 't', sizeof(token));
	token[sizeof(token) - 1] = '\0';
	writes(world.one, "t-1");
	assert_int_equal(session_file_lock(world.one), ST_OK);
	assert_int_equal(session_file_write(world.one, &saved), ST_UNAVAILABLE);
	assert_has(world.one, "t-1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_is_read_as_it_was_written),
		TEST(only_the_owner_may_read_it),
		TEST(one_process_at_a_time_holds_the_lock),
		TEST(the_rest_of_a_broken_write_does_no_harm),
		TEST(a_folder_that_cannot_be_made_is_reported),
		TEST(a_damaged_file_is_no_session),
		TEST(a_file_that_is_too_long_is_no_session),
		TEST(a_session_that_is_too_long_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
