/*
 * json - strict reading of JSON that came from outside (RFC 8259, I-JSON).
 *
 * Refused, beyond what is not JSON: bytes after the value, bad UTF-8, a member
 * name twice in one object, \u0000, lone surrogate escapes, nesting deeper
 * than 16, more than 64 members and elements in all. The value must be an
 * object.
 *
 * Ownership  json_parse() gives the document, json_destroy() takes it back.
 *            Spans that getters return live as long as the document.
 * Names      are compared exactly.
 */
#ifndef PARLEY_IO_JSON_H
#define PARLEY_IO_JSON_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct json;

#define JSON_ID_MAX ((UINT64_C(1) << 53) - 1)

/* ST_INVALID with *ret_why a constant text that says what is wrong. */
MUST_CHECK enum status json_parse(struct span text, struct json **ret_json,
                                  const char **ret_why);
/* The same for the long answers of our own services: up to 65,536 members. */
MUST_CHECK enum status json_parse_long(struct span text, struct json **ret_json,
                                       const char **ret_why);
void json_destroy(struct json **json);

/* What stands under a name. */
enum json_kind {
	JSON_ABSENT,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_TEXT,
	JSON_ARRAY,
	JSON_OBJECT,
};

enum json_kind json_kind(const struct json *json, const char *name);
/* False when absent or of another kind. */
bool json_get_text(const struct json *json, const char *name,
                   struct span *ret_text);
bool json_get_bool(const struct json *json, const char *name, bool *ret_yes);
/* Only whole numbers from 0 to JSON_ID_MAX; 2.5, -1 and 1e300 are false. */
bool json_get_id(const struct json *json, const char *name, uint64_t *ret_id);
/* The object under `name`, part of `json`; NULL when it is not one. */
const struct json *json_get_object(const struct json *json, const char *name);
/* Element `index` of the array under `name`, NULL past its end. */
const struct json *json_get_item(const struct json *json, const char *name,
                                 unsigned index);
/* The same for an array of ids. */
bool json_item_id(const struct json *json, const char *name, unsigned index,
                  uint64_t *ret_id);

#endif
