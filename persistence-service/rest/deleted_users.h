/*
 * deleted_users - sees to it that deleted users leave their groups and
 * channels, and that nobody writes to them. docs/adr/0032
 *
 * A thread asks identity-service every second which users were deleted since
 * the cursor, which it keeps in the table deleted_users_cursor. It moves the
 * cursor when it has done all that the users before it need: a user whom it has
 * read may come again, but none is lost. All instances do the same, and what
 * one has done the others find done. A second list, three hours later, has the
 * same users again: no service has one of them cached by then.
 *
 * Threads    the thread has its own connection; any may start and stop it.
 */
#ifndef PARLEY_PERSISTENCE_REST_DELETED_USERS_H
#define PARLEY_PERSISTENCE_REST_DELETED_USERS_H

#include "persistence-service/outbox_publisher.h"
#include "persistence-service/settings.h"

struct deleted_users;

/* Borrows both. */
struct deleted_users *
deleted_users_start(const struct settings *settings,
                    struct outbox_publisher *outbox_publisher);
/* Waits for the step under way; accepts NULL. */
void deleted_users_stop(struct deleted_users **deleted_users);

#endif
