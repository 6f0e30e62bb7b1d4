/*
 * setting_form - the form of a text setting, by its unit: "URL", "host",
 * "host or path", "host:port,…", "topic", "origin,…", "address". A text of
 * another form can never work; the services would only notice it when nothing
 * connects.
 */
#ifndef PARLEY_SERVICE_SETTING_FORM_H
#define PARLEY_SERVICE_SETTING_FORM_H

#include "common/base/buf.h"
#include "common/base/span.h"

#include <stdbool.h>

/*
 * True if the text has the form of its unit; a unit without a form takes any
 * UTF-8 text without control characters. Otherwise appends to `why` what is
 * wrong: "must …".
 */
bool setting_form_fits(const char *unit, struct span text, struct buf *why);

#endif
