/*
 * caller - one person who makes REST calls, one after the other, and waits for
 * each: what a command is that asks, prints and ends.
 *
 * Errors     are said on stderr here, naming what is wrong; the caller's exit
 *            code is then EXIT_FAILED. False ends the command.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_REST_SESSION_H
#define PARLEY_CLIENT_TEST_CLI_REST_SESSION_H

#include "client-test/cli/options.h"
#include "client-test/client/rest.h"
#include "client-test/client/rooms.h"

struct caller;

/* Signs in; NULL when that can't be: EXIT_FAILED. */
struct caller *caller_create(const struct options *options);
/* Gives the exit code. */
int caller_destroy(struct caller **caller);
/* What is wrong, in words: "client-test group: …". */
void caller_fail(struct caller *caller, const char *format, ...) PRINTF(2, 3);

uint64_t caller_user(const struct caller *caller);
/*
 * Makes a call; `body` may be empty. What does not work now is tried again for
 * a while. `take` gets the answer if it is ST_OK, and may be NULL; what else it
 * is is said, as what happened to `what`.
 */
bool caller_ask(struct caller *caller, const char *what, const char *method,
                const char *path, struct span body, rest_done *take,
                void *context);
/* A user's id. */
bool caller_find_user(struct caller *caller, const char *name,
                      uint64_t *ret_user);
/* A user's name; "#17" where it can't be told. Lives as long as the caller. */
const char *caller_name(struct caller *caller, uint64_t user);
/* A conversation of mine; texts live until the next is looked for. */
bool caller_find_room(struct caller *caller, const char *in,
                      struct room *ret_room);
/* The one with that user. */
bool caller_find_direct(struct caller *caller, const char *name,
                        struct room *ret_room);

#endif
