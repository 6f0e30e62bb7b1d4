/*
 * The login and logout commands: they begin and end the session that other
 * commands use.
 */
#include "client-test/cli/account_choice.h"
#include "client-test/cli/event_loop.h"
#include "client-test/cli/password_prompt.h"
#include "client-test/cli/rest_session.h"
#include "client-test/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LOCK_WAIT_MS = 50, PASSWORD_MAX = 1024, FAULT_MAX = 8192 };

static bool fail(struct rest_session *session, const struct session_file *file)
{
	rest_session_fail(session, "%s: %s", session_file_path(file),
	                  strerror(errno));
	return false;
}

/* Waits for other processes that renew the session. */
static bool lock(struct rest_session *session, struct session_file *file)
{
	struct event_loop *loop = rest_session_loop(session);
	enum status st;

	while ((st = session_file_lock(file)) == ST_BUSY &&
	       !event_loop_ended(loop))
		event_loop_run(loop, NULL, LOCK_WAIT_MS);
	return st == ST_OK || fail(session, file);
}

/* --- login --------------------------------------------------------------- */

static bool save(struct rest_session *session, const char *url,
                 struct session_file *file)
{
	struct saved_session saved = *rest_session_tokens(session);
	enum status st;

	saved.url = (char *)(uintptr_t)url; /* write() only reads it */
	if (!saved.refresh_token) {
		rest_session_fail(session, "the server gives no refresh token");
		return false;
	}
	if (!lock(session, file))
		return false;
	st = session_file_write(file, &saved);
	session_file_unlock(file);
	return st == ST_OK || fail(session, file);
}

static int log_in(const struct account_options *options)
{
	struct buf fault CLEANUP(buf_free) = BUF(FAULT_MAX);
	struct session_file *file CLEANUP(session_file_destroy) =
		account_choice_file(&fault);
	struct rest_session *session;

	if (!file) {
		(void)fprintf(stderr, "client-test login: %s\n",
		              buf_text(&fault));
		return EXIT_USAGE;
	}
	session = rest_session_create(options);
	if (!session)
		return EXIT_FAILED;
	if (save(session, options->url, file))
		(void)printf("signed in as %s, user %llu, at %s; the session "
		             "is in %s\n",
		             rest_session_tokens(session)->name,
		             (unsigned long long)rest_session_user(session),
		             options->url, session_file_path(file));
	return rest_session_destroy(&session);
}

static int login_run(const void *context)
{
	struct account_options options =
		*(const struct account_options *)context;
	struct buf password CLEANUP(buf_free) = BUF(PASSWORD_MAX);

	options.session = NULL;
	if (!*options.password) {
		if (!password_prompt("Password: ", &password)) {
			(void)fprintf(stderr,
			              "client-test login: no password\n");
			return EXIT_USAGE;
		}
		options.password = buf_text(&password);
	}
	return log_in(&options);
}

static const struct option_row login_rows[] = {
	OPTION_URL(struct account_options),
	OPTION_TEXT(struct account_options, name, "--name", "NAME", NULL, NULL,
                    "you; registered if the name is free"),
	OPTION_TEXT(struct account_options, password, "--password", "TEXT", "",
                    "PARLEY_PASSWORD",
                    "8 to 256 bytes; without it, the terminal asks, or it is "
                    "the first line of stdin"),
};

const struct command login_command = {
	.name = "login",
	.words = "",
	.purpose = "signs in and keeps the session for the other commands",
	.exits = "0 if the session is kept; 1 if something was refused or "
		 "failed, with the reason on stderr; 128 + N after signal N; "
		 "100 for wrong arguments.",
	.rows = login_rows,
	.row_count = ARRAY_LEN(login_rows),
	.options_size = sizeof(struct account_options),
	.run = login_run,
};

/* --- logout -------------------------------------------------------------- */

static bool forget(struct rest_session *session, struct session_file *file)
{
	enum status st;

	if (!lock(session, file))
		return false;
	st = session_file_remove(file);
	session_file_unlock(file);
	return st == ST_OK || fail(session, file);
}

static bool log_out(struct rest_session *session, const void *context)
{
	const struct account_options *options = context;

	if (!rest_session_call(session, "logout", "POST", "/auth/logout",
	                       SPAN_NONE, NULL, NULL) ||
	    !forget(session, options->session))
		return false;
	(void)printf("signed out %s\n", options->name);
	return true;
}

static int logout_run(const void *context)
{
	struct account_options options =
		*(const struct account_options *)context;
	struct buf fault CLEANUP(buf_free) = BUF(FAULT_MAX);
	int code;

	options.name = "";
	options.password = "";
	if (account_choice_make(&options, &fault) != ST_OK) {
		(void)fprintf(stderr, "client-test logout: %s\n",
		              buf_text(&fault));
		return EXIT_FAILED;
	}
	code = rest_session_run(&options, log_out, &options);
	account_choice_free(&options);
	return code;
}

static const struct option_row logout_rows[] = {
	OPTION_URL(struct account_options),
};

const struct command logout_command = {
	.name = "logout",
	.words = "",
	.purpose = "ends the session that login keeps",
	.exits = "0 if it has ended; 1 if there is none, or if something "
		 "failed, with the reason on stderr; 128 + N after signal N; "
		 "100 for wrong arguments.",
	.rows = logout_rows,
	.row_count = ARRAY_LEN(logout_rows),
	.options_size = sizeof(struct account_options),
	.run = logout_run,
};
