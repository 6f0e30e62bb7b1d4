/*
 * chat_fixture - a new database test_chat_<pid> on the real server of
 * MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD. The user needs the right
 * to create databases; the fixture drops the database at the end.
 */
#ifndef PARLEY_PERSISTENCE_TESTS_CHAT_FIXTURE_H
#define PARLEY_PERSISTENCE_TESTS_CHAT_FIXTURE_H

#include "persistence-service/settings.h"

/* Tests may change these settings; `database` is the new one. */
extern struct settings chat_settings;

void chat_start(void);
void chat_stop(void);
void chat_empty(void); /* all tables; conversations have ids from 1 again */
struct sql *chat_connect(void); /* one more connection, the caller's */

/* SQL for the numbers from 1 to `count`, at most 40,000: rows of one column,
 * seq. */
#define CHAT_NUMBERS_TO(count) \
	"(SELECT seq FROM numbers WHERE seq <= " #count ") n"

/* These use one connection of the fixture. */
void chat_execute(const char *format, ...) PRINTF(1, 2);
uint64_t chat_number(const char *format, ...) PRINTF(1, 2);
/* One column of all rows, with blanks between them, until the next call. */
const char *chat_text(const char *format, ...) PRINTF(1, 2);
/* Kills all other connections to the database. */
void chat_kill_others(void);

#endif
