/* What the headers of a request must not say, whatever its route. */
#include "common/io/http/private.h"

/* How often a header occurs that may occur once only. */
struct header_counts {
	unsigned authorization;
	unsigned content_type;
	unsigned content_length;
	unsigned content_encoding;
	unsigned transfer_encoding;
	unsigned host;
	unsigned origin;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind,
                                    const char *name, const char *value)
{
	struct header_counts *counts = context;
	struct span n = span_of(name);

	(void)kind;
	(void)value;
	counts->authorization += span_equal_nocase(n, SPAN("Authorization"));
	counts->content_type += span_equal_nocase(n, SPAN("Content-Type"));
	counts->content_length += span_equal_nocase(n, SPAN("Content-Length"));
	counts->content_encoding +=
		span_equal_nocase(n, SPAN("Content-Encoding"));
	counts->transfer_encoding +=
		span_equal_nocase(n, SPAN("Transfer-Encoding"));
	counts->host += span_equal_nocase(n, SPAN("Host"));
	counts->origin += span_equal_nocase(n, SPAN("Origin"));
	return MHD_YES;
}

/* The library reads a body in an unknown transfer coding until the client
 * closes. */
static void check_length(struct http_request *request,
                         const struct header_counts *counts)
{
	uint64_t bytes = 0;

	if (counts->content_length && counts->transfer_encoding)
		http_request_refuse(
			request, 400,
			"Content-Length and Transfer-Encoding exclude each "
			"other");
	else if (counts->transfer_encoding &&
	         !span_equal_nocase(
			 span_trim(http_header(request, "Transfer-Encoding")),
			 SPAN("chunked")))
		http_request_refuse(request, 501,
		                    "the only transfer coding is chunked");
	else if (counts->content_length &&
	         !span_to_u64(http_header(request, "Content-Length"),
	                      UINT64_MAX, &bytes))
		http_request_refuse(request, 400,
		                    "Content-Length is not a number");
	else if (bytes > request->body.max)
		http_request_refuse(request, 413, "the body is too large");
	else if (counts->content_encoding &&
	         (bytes || counts->transfer_encoding))
		http_request_refuse(request, 415,
		                    "the body must have no Content-Encoding");
	else if (bytes)
		(void)buf_space(&request->body, bytes);
}

void http_headers_check(struct http_request *request)
{
	struct header_counts counts = {0};

	(void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND,
	                                count_header, &counts);
	if (counts.authorization > 1 || counts.content_type > 1 ||
	    counts.content_length > 1 || counts.transfer_encoding > 1 ||
	    counts.host > 1 || counts.origin > 1)
		http_request_refuse(request, 400, "a header occurs twice");
	else
		check_length(request, &counts);
}
