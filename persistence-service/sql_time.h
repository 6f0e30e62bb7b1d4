/*
 * sql_time - DATETIME(3) in UTC, as text: "2026-11-21 10:00:00.000".
 */
#ifndef PARLEY_PERSISTENCE_SQL_TIME_H
#define PARLEY_PERSISTENCE_SQL_TIME_H

#include "common/base/clock.h"

#include <string.h>

enum { SQL_TIME_LEN = CLOCK_TEXT_LEN - 1 };

struct sql_time {
	char text[CLOCK_TEXT_LEN + 1];
};

static inline struct sql_time sql_time_of(uint64_t unix_ms)
{
	struct sql_time time;

	clock_format(unix_ms, time.text);
	time.text[10] = ' ';
	time.text[SQL_TIME_LEN] = '\0';
	return time;
}

static inline bool sql_time_read(struct span text, uint64_t *ret_unix_ms)
{
	char iso[CLOCK_TEXT_LEN];

	if (text.len != SQL_TIME_LEN)
		return false;
	memcpy(iso, text.data, SQL_TIME_LEN);
	iso[10] = 'T';
	iso[SQL_TIME_LEN] = 'Z';
	return clock_parse(span_make(iso, CLOCK_TEXT_LEN), ret_unix_ms);
}

#endif
