/*
 * people - users by name and by id, asked of identity and remembered.
 *
 * A message carries ids only. A line that names people is written with marks in
 * place of their names, and waits here until the names are known, behind the
 * lines before it.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_PEOPLE_H
#define PARLEY_CLIENT_TEST_CLI_PEOPLE_H

#include "client-test/client/rest.h"
#include "common/base/buf.h"

struct people;
struct uv_loop_s;

/* A line with its names; "#17" for somebody that identity doesn't know. */
typedef void people_line(void *context, struct span line);
/* ST_OK, ST_NOT_FOUND, or why it can't be said now. */
typedef void people_found(void *context, enum status status, uint64_t user,
                          struct span why);

struct people *people_create(struct uv_loop_s *loop, struct rest *rest,
                             people_line *line, void *context);
/* After the rest: no answer may come any more. */
void people_destroy(struct people **people);

/*
 * Appends what stands for a user's name. Texts beside it have no control
 * characters (show_text), so none is taken for a mark.
 */
void people_mark(struct buf *line, uint64_t user);
/*
 * What stands before the next mark, and whose it is; *line goes on behind it.
 * False when there is none: *ret_before is the rest.
 */
bool people_cut_mark(struct span *line, struct span *ret_before,
                     uint64_t *ret_user);
/* Copies the line; it comes out at once or later, in the order of the calls. */
void people_put(struct people *people, struct span token, struct span line);
/* No line waits. */
bool people_idle(const struct people *people);
/* One at a time. */
void people_find(struct people *people, struct span token, const char *name,
                 people_found *found, void *context);

#endif
