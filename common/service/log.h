/*
 * log - structured events: one JSON object per line on stdout.
 *
 *	log_event(LOG_WARN, "socket.too_slow", F_NUMBER("user", id),
 *		  F_NUMBER("queued", n));
 *
 *	{"time":"…","service":"websocket-service","level":"warn",
 *	 "event":"socket.too_slow","user":7,"queued":262144}
 *
 * Event names are stable; tests assert on them. Message bodies, tokens and
 * passwords are never fields. Text is cut at 512 bytes; bytes that are not
 * UTF-8 are replaced.
 *
 * Bounds     a reader of stdout that is slow stops no thread; see log_output.h.
 * Threads    any; lines do not mix.
 */
#ifndef PARLEY_SERVICE_LOG_H
#define PARLEY_SERVICE_LOG_H

#include "common/base/span.h"

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *name;
	enum { LOG_TEXT, LOG_NUMBER } kind;
	struct span text;
	uint64_t number;
};

#define F_SPAN(name, span) ((struct log_field){name, LOG_TEXT, span, 0})
#define F_TEXT(name, text) F_SPAN(name, span_of(text))
#define F_NUMBER(name, number) \
	((struct log_field){name, LOG_NUMBER, {0}, number})

/* Call it before the first event; `service` must live as long as the log. */
void log_start(const char *service, enum log_level least);
/* "debug", "info", "warn", "error"; false for anything else. */
bool log_level_parse(const char *text, enum log_level *ret_level);

#define log_event(level, event, ...) \
	log_write(level, event, \
	          (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})

/* The last field has a NULL name. */
void log_write(enum log_level level, const char *event,
               const struct log_field *fields);
/* For kafka_options.log; `context` is unused. */
void log_kafka(void *context, int syslog_level, const char *facility,
               const char *text);

#endif
