/*
 * form_write - writes application/x-www-form-urlencoded (WHATWG URL, section
 * 5.2). A "+" in a value becomes %2B: as itself it would be a blank.
 */
#ifndef PARLEY_IDENTITY_SMS_FORM_WRITE_H
#define PARLEY_IDENTITY_SMS_FORM_WRITE_H

#include "common/base/buf.h"

/* Appends a member; `form` is empty before the first one. */
void form_write(struct buf *form, const char *name, struct span value);

#endif
