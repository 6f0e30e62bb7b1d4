/*
 * phone - a phone number in the form of E.164: "+", then 7 to 15 digits that do
 * not begin with 0.
 */
#ifndef PARLEY_IDENTITY_PHONE_PHONE_H
#define PARLEY_IDENTITY_PHONE_PHONE_H

#include "common/base/scope.h"
#include "common/base/span.h"

enum { PHONE_MAX = 16 };

struct phone {
	char text[PHONE_MAX + 1]; /* "+4915112345678" */
};

/* NULL, or a constant text for the client that names the fault. */
MUST_CHECK const char *phone_read(struct span text, struct phone *ret_phone);
/*
 * The country code (ITU-T E.164, list of country codes), without the "+". All
 * of North America has 1.
 */
struct span phone_country(const struct phone *phone);

static inline struct span phone_span(const struct phone *phone)
{
	return span_of(phone->text);
}

#endif
