#define _GNU_SOURCE
#include "common/base/clock.h"

#include <time.h>

static uint64_t now(clockid_t id, uint64_t per_second)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * per_second +
	       (uint64_t)ts.tv_nsec / (1000000000 / per_second);
}

uint64_t clock_mono_ms(void)
{
	return now(CLOCK_MONOTONIC, 1000);
}

uint64_t clock_mono_us(void)
{
	return now(CLOCK_MONOTONIC, 1000000);
}

uint64_t clock_unix_ms(void)
{
	return now(CLOCK_REALTIME, 1000);
}

uint64_t clock_thread_cpu_us(void)
{
	return now(CLOCK_THREAD_CPUTIME_ID, 1000000);
}

static char *digits(char *at, unsigned number, unsigned width)
{
	for (unsigned i = width; i-- > 0; number /= 10)
		at[i] = (char)('0' + number % 10);
	return at + width;
}

void clock_format(uint64_t unix_ms, char *text)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;
	char *at = text;

	(void)gmtime_r(&seconds, &tm);
	at = digits(at, (unsigned)(tm.tm_year + 1900), 4);
	*at++ = '-';
	at = digits(at, (unsigned)(tm.tm_mon + 1), 2);
	*at++ = '-';
	at = digits(at, (unsigned)tm.tm_mday, 2);
	*at++ = 'T';
	at = digits(at, (unsigned)tm.tm_hour, 2);
	*at++ = ':';
	at = digits(at, (unsigned)tm.tm_min, 2);
	*at++ = ':';
	at = digits(at, (unsigned)tm.tm_sec, 2);
	*at++ = '.';
	at = digits(at, (unsigned)(unix_ms % 1000), 3);
	*at++ = 'Z';
	*at = '\0';
}

static bool shaped(struct span text)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";

	if (text.len != CLOCK_TEXT_LEN)
		return false;
	for (unsigned i = 0; i < CLOCK_TEXT_LEN; i++) {
		char c = text.data[i];

		if (shape[i] == 'd' ? c < '0' || c > '9' : c != shape[i])
			return false;
	}
	return true;
}

static int number(struct span text, unsigned at, unsigned width)
{
	int value = 0;

	for (unsigned i = at; i < at + width; i++)
		value = value * 10 + (text.data[i] - '0');
	return value;
}

bool clock_parse(struct span text, uint64_t *ret_unix_ms)
{
	struct tm tm = {0};
	char again[CLOCK_TEXT_LEN + 1];
	uint64_t ms;

	if (!shaped(text))
		return false;
	tm.tm_year = number(text, 0, 4) - 1900;
	tm.tm_mon = number(text, 5, 2) - 1;
	tm.tm_mday = number(text, 8, 2);
	tm.tm_hour = number(text, 11, 2);
	tm.tm_min = number(text, 14, 2);
	tm.tm_sec = number(text, 17, 2);
	if (tm.tm_year < 70)
		return false;
	ms = (uint64_t)timegm(&tm) * 1000 + (unsigned)number(text, 20, 3);
	/* timegm() normalises the 31st of February: refuse what it changed. */
	clock_format(ms, again);
	if (!span_equal(text, span_make(again, CLOCK_TEXT_LEN)))
		return false;
	*ret_unix_ms = ms;
	return true;
}
