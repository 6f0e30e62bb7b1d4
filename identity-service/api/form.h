/*
 * form - strict parsing of application/x-www-form-urlencoded.
 *
 * Refused: malformed percent escapes, text that is not UTF-8, NUL, a repeated
 * name, more than 64 members.
 *
 * Ownership  spans live as long as the form; form_destroy() wipes its text.
 */
#ifndef PARLEY_IDENTITY_API_FORM_H
#define PARLEY_IDENTITY_API_FORM_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>

struct form;

/* ST_INVALID: *ret_why is a constant text that names the fault. */
MUST_CHECK enum status form_parse(struct span text, struct form **ret_form,
                                  const char **ret_why);
void form_destroy(struct form **form);
/* False when absent. */
bool form_get(const struct form *form, const char *name,
              struct span *ret_value);

#endif
