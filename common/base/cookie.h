/*
 * cookie - the Cookie header of a request (RFC 6265 sections 4.2 and 5.4).
 *
 * Any bytes are read. A cookie ends at a semicolon, and its name at the first
 * "=". Blanks and tabs around both are no part of them; quotes are. Names are
 * compared with regard to case. Nothing is decoded, and the attributes of
 * RFC 2965 ($Path) are cookies like others.
 */
#ifndef PARLEY_BASE_COOKIE_H
#define PARLEY_BASE_COOKIE_H

#include "common/base/span.h"

/*
 * How many cookies of the header have this name; *ret_value is the value of the
 * first one, and is written if there is one.
 */
unsigned cookie_find(struct span header, struct span name,
                     struct span *ret_value);

#endif
