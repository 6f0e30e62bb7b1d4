#include "common/base/mem.h"
#include "common/base/percent.h"
#include "common/base/utf8.h"
#include "common/io/http/private.h"

#include <assert.h>
#include <string.h>

/* --- the check of all parameters ------------------------------------------ */
/* Decodes the text in place. NULL, or the fault. */
static const char *decode(struct http_text *text)
{
	/* The library has replaced the plus signs by blanks. */
	if (!percent_decode(span_make(text->bytes, text->len), false,
	                    text->bytes, &text->len))
		return "the query has a malformed percent escape";
	if (memchr(text->bytes, '\0', text->len))
		return "the query has a NUL byte";
	if (!utf8_valid(span_make(text->bytes, text->len)))
		return "the query is not UTF-8";
	return NULL;
}

static bool has_twice(const struct http_parameters *all, unsigned at)
{
	const struct http_text *name = &all->name[at];

	for (unsigned i = 0; i < at; i++) {
		if (span_equal(span_make(all->name[i].bytes, all->name[i].len),
		               span_make(name->bytes, name->len)))
			return true;
	}
	return false;
}

unsigned http_parameters_check(struct http_parameters *all,
                               const char **ret_fault)
{
	*ret_fault = NULL;
	if (all->count > HTTP_PARAMETERS_MAX)
		*ret_fault = "the query has too many parameters";
	for (unsigned i = 0; i < all->count && !*ret_fault; i++) {
		*ret_fault = decode(&all->name[i]);
		if (!*ret_fault && has_twice(all, i))
			*ret_fault = "a query parameter occurs twice";
	}
	if (*ret_fault)
		return 400;
	for (unsigned i = 0; i < all->count && !*ret_fault; i++)
		*ret_fault = decode(&all->value[i]);
	return *ret_fault ? 422 : 0;
}

void http_parameters_add(struct http_parameters *all, struct span name,
                         struct span value)
{
	if (all->count < HTTP_PARAMETERS_MAX) {
		all->name[all->count] = (struct http_text){
			mem_text(name.data, name.len), name.len};
		all->value[all->count] = (struct http_text){
			mem_text(value.data, value.len), value.len};
	}
	all->count++;
}

void http_parameters_free(struct http_parameters *all)
{
	for (unsigned i = 0; i < HTTP_PARAMETERS_MAX; i++) {
		mem_free(&all->name[i].bytes);
		mem_free(&all->value[i].bytes);
	}
}

static enum MHD_Result add(void *context, enum MHD_ValueKind kind,
                           const char *name, size_t name_len, const char *value,
                           size_t value_len)
{
	(void)kind;
	http_parameters_add(context, span_make(name, name_len),
	                    value ? span_make(value, value_len) : SPAN(""));
	return MHD_YES;
}

void http_query_check(struct http_request *request)
{
	CLEANUP(http_parameters_free) struct http_parameters all = {0};
	const char *fault;
	unsigned http;

	(void)MHD_get_connection_values_n(request->connection,
	                                  MHD_GET_ARGUMENT_KIND, add, &all);
	http = http_parameters_check(&all, &fault);
	if (http)
		http_request_refuse(request, http, fault);
}

/* --- one parameter -------------------------------------------------------- */
bool http_query(const struct http_request *request, const char *name,
                struct span *ret_value)
{
	/* The storage for decoded text is not visible to the caller. */
	struct http_request *owner = (struct http_request *)(uintptr_t)request;
	struct span raw;
	size_t len;
	char *text;

	if (!http_request_look_up(request, MHD_GET_ARGUMENT_KIND, name, &raw))
		return false;
	for (unsigned i = 0; i < ARRAY_LEN(owner->decoded); i++) {
		if (owner->decoded[i])
			continue;
		text = owner->decoded[i] = mem_text(raw.data, raw.len);
		*ret_value = percent_decode(raw, false, text, &len)
		                     ? span_make(text, len)
		                     : raw;
		return true;
	}
	assert(!"a handler reads too many query parameters");
	return false;
}
