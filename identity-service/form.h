/*
 * form - strict reading of application/x-www-form-urlencoded.
 *
 * Refused: bad percent escapes, text that is not UTF-8, NUL, a name twice, more
 * than 64 members.
 *
 * Ownership  form_destroy() wipes what it held.
 */
#ifndef PARLEY_IDENTITY_FORM_H
#define PARLEY_IDENTITY_FORM_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>

struct form;

/* ST_INVALID with *ret_why a constant text. */
MUST_CHECK enum status form_parse(struct span text, struct form **ret_form,
                                  const char **ret_why);
void form_destroy(struct form **form);
/* False when absent. */
bool form_get(const struct form *form, const char *name,
              struct span *ret_value);

#endif
