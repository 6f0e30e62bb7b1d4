#include "common/service/log.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/utf8.h"
#include "common/service/log_output.h"

#include <stdatomic.h>

/* A line has room for 20 fields even if each byte becomes \u00xx. */
enum { LINE_MAX_BYTES = 64 * 1024, TEXT_MAX_BYTES = 512 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static const char *service_name = "parley";
static atomic_int least_level = LOG_INFO;

void log_start(const char *service, enum log_level least)
{
	service_name = service;
	atomic_store(&least_level, (int)least);
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
	for (unsigned i = 0; i < ARRAY_LEN(level_names); i++) {
		if (!strcmp(text, level_names[i])) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* Cuts between two characters of UTF-8, which have at most 4 bytes. */
static struct span cut(struct span text, size_t max)
{
	size_t len = max;

	if (text.len <= max)
		return text;
	while (len > max - 3 && ((uint8_t)text.data[len] & 0xc0) == 0x80)
		len--;
	return span_make(text.data, len);
}

/* Writes at most TEXT_MAX_BYTES; outside UTF-8, odd bytes become '?'. */
static void field_text(struct json_writer *w, const char *name,
                       struct span text)
{
	char clean[TEXT_MAX_BYTES];

	text = cut(text, sizeof(clean));
	if (utf8_valid(text)) {
		json_text(w, name, text);
		return;
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		clean[i] = c >= 0x20 && (uint8_t)c < 0x80 ? c : '?';
	}
	json_text(w, name, span_make(clean, text.len));
}

static void report_dropped(void)
{
	uint64_t lines = log_output_take_dropped();

	if (lines)
		log_event(LOG_WARN, "log.dropped", F_NUMBER("lines", lines));
}

void log_write(enum log_level level, const char *event,
               const struct log_field *fields)
{
	struct buf line CLEANUP(buf_free) = BUF(LINE_MAX_BYTES);
	struct json_writer w = json_writer(&line);

	if ((int)level < atomic_load(&least_level))
		return;
	json_open(&w);
	json_time(&w, "time", clock_unix_ms());
	json_text(&w, "service", span_of(service_name));
	json_text(&w, "level", span_of(level_names[level]));
	json_text(&w, "event", span_of(event));
	for (; fields->name; fields++) {
		if (fields->kind == LOG_NUMBER)
			json_number(&w, fields->name, fields->number);
		else
			field_text(&w, fields->name, fields->text);
	}
	json_close(&w);
	buf_byte(&line, '\n');
	log_output_line(buf_span(&line));
	report_dropped();
}

void log_kafka(void *context, int syslog_level, const char *facility,
               const char *text)
{
	(void)context;
	/* librdkafka recovers from its errors. */
	log_event(syslog_level <= 3   ? LOG_WARN
	          : syslog_level <= 5 ? LOG_INFO
	                              : LOG_DEBUG,
	          "kafka.client", F_TEXT("facility", facility),
	          F_TEXT("text", text));
}
