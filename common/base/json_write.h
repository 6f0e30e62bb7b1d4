/*
 * json_write - writes JSON text (RFC 8259) into a buf, without a tree.
 *
 * The caller nests objects and arrays correctly; the writer sets the commas and
 * escapes text. Text must be valid UTF-8: check input with utf8_valid().
 *
 *	struct json_writer w = json_writer(&buf);
 *	json_open(&w);                         {
 *	json_text(&w, "name", name);               "name":"…"
 *	json_number(&w, "id", 7);                  ,"id":7
 *	json_close(&w);                        }
 *
 * A NULL name writes an array element.
 */
#ifndef PARLEY_BASE_JSON_WRITE_H
#define PARLEY_BASE_JSON_WRITE_H

#include "common/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct json_writer {
	struct buf *buf;
	bool comma;
};

static inline struct json_writer json_writer(struct buf *buf)
{
	return (struct json_writer){.buf = buf};
}

void json_open(struct json_writer *w); /* the outermost { */
void json_close(struct json_writer *w);
void json_open_object(struct json_writer *w, const char *name);
void json_open_array(struct json_writer *w, const char *name);
void json_close_array(struct json_writer *w);
void json_text(struct json_writer *w, const char *name, struct span text);
void json_number(struct json_writer *w, const char *name, uint64_t number);
void json_signed(struct json_writer *w, const char *name, int64_t number);
void json_double(struct json_writer *w, const char *name, double number);
void json_bool(struct json_writer *w, const char *name, bool yes);
void json_null(struct json_writer *w, const char *name);
/* RFC 3339 text. */
void json_time(struct json_writer *w, const char *name, uint64_t unix_ms);
/* A value that is JSON text already. */
void json_raw(struct json_writer *w, const char *name, struct span json);

#endif
