/*
 * user_names - the names and ids of users, asked of the identity service and
 * cached.
 *
 * A message carries ids only. A line that names users is written with marks in
 * place of their names. It waits here until all names are known, after the
 * lines before it.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_USER_NAMES_H
#define PARLEY_CLIENT_TEST_CLI_USER_NAMES_H

#include "client-test/client/rest.h"
#include "common/base/buf.h"

struct user_names;
struct uv_loop_s;

/* A line with its names; "#17" for a user that does not exist. */
typedef void user_names_line(void *context, struct span line);
/* ST_OK; ST_NOT_FOUND; any other status: the lookup failed. */
typedef void user_names_found(void *context, enum status status, uint64_t user,
                              struct span why);

struct user_names *user_names_create(struct uv_loop_s *loop, struct rest *rest,
                                     user_names_line *line, void *context);
/* To be destroyed after `rest`, so that no answer arrives any more. */
void user_names_destroy(struct user_names **names);

/*
 * Appends the mark of a user's name. Marks are control characters, which
 * terminal_text() removes from text of users: text never looks like a mark.
 */
void user_names_mark(struct buf *line, uint64_t user);
/*
 * Cuts *line at its next mark: the text before it, the user of the mark, and in
 * *line the text after it. False if there is no mark: *ret_before is the rest.
 */
bool user_names_cut_mark(struct span *line, struct span *ret_before,
                         uint64_t *ret_user);
/* For the lookups from now on. */
void user_names_set_token(struct user_names *names, struct span token);
/* Copies the line. It is printed now or later, in the order of the calls. */
void user_names_print(struct user_names *names, struct span token,
                      struct span line);
/* Finds a user by name. One lookup at a time. */
void user_names_find(struct user_names *names, struct span token,
                     const char *name, user_names_found *found, void *context);

#endif
