/*
 * session_file - the session that the login command keeps for other commands:
 * its user, where Parley is, and the tokens.
 *
 * One JSON object in the file `session` of a folder, with mode 0600. A write
 * replaces the file as a whole, so that a reader finds the old or the new one.
 *
 * A process that refreshes the tokens holds the lock from its read to its
 * write. Otherwise another process might use a refresh token that was replaced
 * twice meanwhile, and the server would end the session.
 *
 * Ownership  saved_session_free() frees the texts of a session.
 * Errors     ST_UNAVAILABLE: errno says why.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_SESSION_FILE_H
#define PARLEY_CLIENT_TEST_CLIENT_SESSION_FILE_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { SESSION_FILE_MAX = 16 * 1024 }; /* bytes */

struct saved_session {
	char *url;
	char *name;
	uint64_t user;
	char *token;
	char *refresh_token;
	/* The life of `token`, by the clock of this machine (unix). */
	uint64_t refreshed_at_ms, expires_at_ms;
};

void saved_session_free(struct saved_session *session);
/* ST_INVALID: the text is not a session. */
MUST_CHECK enum status saved_session_read(struct span text,
                                          struct saved_session *ret_session);

struct session_file;

struct session_file *session_file_create(const char *folder);
/* Gives the lock back. */
void session_file_destroy(struct session_file **file);
const char *session_file_path(const struct session_file *file);

/* Creates the folder. ST_BUSY: another process holds the lock. */
MUST_CHECK enum status session_file_lock(struct session_file *file);
void session_file_unlock(struct session_file *file);

/* ST_NOT_FOUND: there is no session; ST_INVALID: the file is damaged. */
MUST_CHECK enum status session_file_read(const struct session_file *file,
                                         struct saved_session *ret_session);
/* With the lock held. */
MUST_CHECK enum status session_file_write(struct session_file *file,
                                          const struct saved_session *session);
/* With the lock held. ST_OK also if there is no file. */
MUST_CHECK enum status session_file_remove(struct session_file *file);

#endif
