/*
 * json - strict parsing of JSON from outside (RFC 8259, RFC 7493 I-JSON).
 *
 * The value must be an object. Beside text that is not JSON, the parser refuses
 * bytes after the value, bad UTF-8, a member name that occurs twice in one
 * object, \u0000, lone surrogate escapes, nesting deeper than 16, and more than
 * 64 members and elements in total.
 *
 * Ownership  json_parse() returns the document, json_destroy() frees it. The
 *            spans of getters live as long as the document.
 * Names      are compared byte by byte.
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

/* ST_INVALID: *ret_why is a constant text that names the fault. */
MUST_CHECK enum status json_parse(struct span text, struct json **ret_json,
                                  const char **ret_why);
/* The same for long answers of Parley's own services: up to 65,536 members. */
MUST_CHECK enum status json_parse_long(struct span text, struct json **ret_json,
                                       const char **ret_why);
void json_destroy(struct json **json);

/* The kind of the value under a name. */
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
/* Accepts whole numbers from 0 to JSON_ID_MAX; false for 2.5, -1 and 1e300. */
bool json_get_id(const struct json *json, const char *name, uint64_t *ret_id);
/* The object under `name`, a part of `json`; NULL when it is no object. */
const struct json *json_get_object(const struct json *json, const char *name);
/* Element `index` of the array under `name`, NULL past its end. */
const struct json *json_get_item(const struct json *json, const char *name,
                                 unsigned index);
/* The same for an array of ids. */
bool json_item_id(const struct json *json, const char *name, unsigned index,
                  uint64_t *ret_id);

#endif
