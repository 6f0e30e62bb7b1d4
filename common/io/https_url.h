/*
 * https_url - whether a text is an https URL (RFC 3986) that a server may pass
 * on to its clients. Nothing here opens the URL.
 */
#ifndef PARLEY_IO_HTTPS_URL_H
#define PARLEY_IO_HTTPS_URL_H

#include "common/base/scope.h"
#include "common/base/span.h"

/*
 * NULL: it is an absolute https URL with a host and without userinfo, in ASCII.
 * Else a constant text that says what it must be, "must …".
 */
MUST_CHECK const char *https_url_fault(struct span text);

#endif
