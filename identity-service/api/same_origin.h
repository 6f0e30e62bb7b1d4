/*
 * same_origin - whether a page of this very host has sent a request.
 *
 * Browsers say where a request comes from, and no script of a page can change
 * it: Origin (Fetch 3.2) with each request that is neither GET nor HEAD, and
 * Sec-Fetch-Site (Fetch Metadata) over https and to loopback addresses. Other
 * clients may say what they like: they have no cookies of a user.
 */
#ifndef PARLEY_IDENTITY_API_SAME_ORIGIN_H
#define PARLEY_IDENTITY_API_SAME_ORIGIN_H

#include "common/base/span.h"

#include <stdbool.h>

/* Headers, each empty if absent. */
struct request_origin {
	struct span origin;
	struct span host;
	struct span fetch_site;      /* Sec-Fetch-Site */
	struct span forwarded_proto; /* X-Forwarded-Proto */
};

/*
 * True if a page of the same scheme, host and port sent it; *ret_https is
 * written then, and says whether the page came over https. That is what Origin
 * says: TLS may end far in front of nginx. But if the proxy says https, a page
 * that came over http is of another origin.
 */
bool same_origin(const struct request_origin *request, bool *ret_https);
/* True if a browser says that another page sent it. */
bool other_origin(const struct request_origin *request);

#endif
