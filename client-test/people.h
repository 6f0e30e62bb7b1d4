/*
 * people - users by name and by id, asked of identity and remembered.
 *
 * A message carries ids only; a queue of messages waits here until the name of
 * the first one's sender is known, so that they come out in order.
 */
#ifndef PARLEY_CLIENT_TEST_PEOPLE_H
#define PARLEY_CLIENT_TEST_PEOPLE_H

#include "client-test/message.h"
#include "client-test/rest.h"

struct people;
struct uv_loop_s;

/* `name` is "#17" for somebody that identity doesn't know. */
typedef void people_line(void *context, const char *name,
                         const struct message *message);
/* ST_OK, ST_NOT_FOUND, or why it can't be said now. */
typedef void people_found(void *context, enum status status, uint64_t user,
                          struct span why);

struct people *people_create(struct uv_loop_s *loop, struct rest *rest,
                             people_line *line, void *context);
/* After the rest: no answer may come any more. */
void people_destroy(struct people **people);

/* Copies the message; `line` is called with it at once or later. */
void people_put(struct people *people, struct span token,
                const struct message *message);
/* One at a time. */
void people_find(struct people *people, struct span token, const char *name,
                 people_found *found, void *context);

#endif
