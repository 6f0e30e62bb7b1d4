#include "common/io/http/private.h"

enum { FORWARDED_MAX = 8192 };

/* A list may come in several headers (RFC 9110 5.3). */
static enum MHD_Result add_forwarded(void *context, enum MHD_ValueKind kind,
                                     const char *name, const char *value)
{
	struct buf *forwarded = context;

	(void)kind;
	if (span_equal_nocase(span_of(name), SPAN("X-Forwarded-For"))) {
		if (forwarded->len)
			buf_byte(forwarded, ',');
		buf_append(forwarded, span_of(value));
	}
	return MHD_YES;
}

struct ip_address http_client_address(const struct http_request *request,
                                      const struct ip_networks *trusted)
{
	CLEANUP(buf_free) struct buf forwarded = BUF(FORWARDED_MAX);
	struct ip_address peer = {{0}};
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	if (!info || !info->client_addr ||
	    !ip_address_of_socket(info->client_addr, &peer))
		return peer;
	(void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND,
	                                add_forwarded, &forwarded);
	/* Without its end, the list names another client. */
	if (buf_overflowed(&forwarded))
		return peer;
	return ip_networks_client(trusted, &peer, buf_span(&forwarded));
}
