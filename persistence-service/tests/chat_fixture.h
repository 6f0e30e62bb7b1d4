/*
 * chat_fixture - a database of its own on the real server of MYSQL_HOST,
 * MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD. The user may create databases;
 * test_chat_<pid> is made and dropped again.
 */
#ifndef PARLEY_PERSISTENCE_TESTS_CHAT_FIXTURE_H
#define PARLEY_PERSISTENCE_TESTS_CHAT_FIXTURE_H

#include "persistence-service/settings.h"

/* With room for tests' own wishes; `database` is this one. */
extern struct settings chat_settings;

void chat_start(void);
void chat_stop(void);
void chat_empty(void);          /* all tables */
struct sql *chat_connect(void); /* one more connection, the caller's */

/* Through one connection that looks on. */
void chat_execute(const char *format, ...) PRINTF(1, 2);
uint64_t chat_number(const char *format, ...) PRINTF(1, 2);
/* One column of all rows, with blanks between them, until the next call. */
const char *chat_text(const char *format, ...) PRINTF(1, 2);
/* All connections to the database but that one. */
void chat_kill_others(void);

#endif
