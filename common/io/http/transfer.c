#include "common/io/http/transfer.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 64 * 1024, HEADER_MAX = 16 * 1024, ERROR_MAX = 256 };

struct http_transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct buf body;
	char error[ERROR_MAX];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void global_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

/* Any other result than `size * count` makes libcurl end the transfer. */
static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;

	buf_append(&transfer->body, span_make(data, size * count));
	return buf_overflowed(&transfer->body) ? 0 : size * count;
}

static void set_constants(struct http_transfer *transfer)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
	                 (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "parley");
	curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

struct http_transfer *http_transfer_create(void)
{
	struct http_transfer *transfer = mem_new(sizeof(*transfer));

	(void)pthread_once(&once, global_init);
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		abort();
	transfer->body = BUF(BODY_MAX);
	set_constants(transfer);
	return transfer;
}

void http_transfer_destroy(struct http_transfer **transfer)
{
	if (!*transfer)
		return;
	curl_easy_cleanup((*transfer)->easy);
	curl_slist_free_all((*transfer)->headers);
	buf_free(&(*transfer)->body);
	mem_free(transfer);
}

/* A line break in a value would start another header. */
static bool fits_header(struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] < ' ' || value.data[i] > '~')
			return false;
	}
	return value.len < HEADER_MAX;
}

static void add_header(struct http_transfer *transfer, const char *name,
                       struct span value)
{
	struct buf line = BUF(HEADER_MAX + 64);
	struct curl_slist *longer;

	buf_append(&line, span_of(name));
	buf_append(&line, value);
	longer = curl_slist_append(transfer->headers, buf_text(&line));
	if (!longer)
		abort();
	transfer->headers = longer;
	buf_free(&line);
}

static void set_headers(struct http_transfer *transfer,
                        const struct http_ask *ask)
{
	curl_slist_free_all(MOVE(transfer->headers));
	add_header(transfer, "Accept: ", SPAN("application/json"));
	if (ask->bearer.len)
		add_header(transfer, "Authorization: Bearer ", ask->bearer);
	if (ask->content_type)
		add_header(transfer,
		           "Content-Type: ", span_of(ask->content_type));
	else
		add_header(transfer, "Content-Type:", SPAN_NONE); /* none */
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_method(CURL *easy, const struct http_ask *ask)
{
	bool post = ask->method && !strcmp(ask->method, "POST");

	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, ask->method);
	if (!ask->content_type && !post) {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
		return;
	}
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)ask->body.len);
	curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
	                 ask->body.len ? ask->body.data : "");
}

enum status http_transfer_prepare(struct http_transfer *transfer,
                                  const struct http_ask *ask)
{
	if (!ask->url || !ask->url[0] || !ask->timeout_ms ||
	    !fits_header(ask->bearer) ||
	    !fits_header(span_of(ask->content_type)))
		return ST_INVALID;
	buf_free(&transfer->body);
	transfer->body.max = ask->answer_max ? ask->answer_max : BODY_MAX;
	transfer->error[0] = '\0';
	set_headers(transfer, ask);
	set_method(transfer->easy, ask);
	curl_easy_setopt(transfer->easy, CURLOPT_USERPWD, ask->basic);
	curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT,
	                 (long)ask->once);
	curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, (long)ask->once);
	curl_easy_setopt(transfer->easy, CURLOPT_URL, ask->url);
	curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS,
	                 (long)ask->timeout_ms);
	return ST_OK;
}

void *http_transfer_easy(struct http_transfer *transfer)
{
	return transfer->easy;
}

/* libcurl's own text has times in it: the same fault differs each time. */
static void set_error(struct http_transfer *transfer, CURLcode result)
{
	const char *words = curl_easy_strerror(result);
	long number = 0;

	if (result == CURLE_WRITE_ERROR)
		words = "the answer is too long";
	if (result == CURLE_COULDNT_CONNECT)
		curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
	if (number)
		(void)snprintf(transfer->error, sizeof(transfer->error),
		               "%s: %s", words, strerror((int)number));
	else
		(void)snprintf(transfer->error, sizeof(transfer->error), "%s",
		               words);
}

enum status http_transfer_result(struct http_transfer *transfer, int result,
                                 struct http_answer *ret_answer)
{
	long http = 0;

	if (result != CURLE_OK) {
		set_error(transfer, (CURLcode)result);
		return ST_UNAVAILABLE;
	}
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http);
	ret_answer->http = (unsigned)http;
	ret_answer->body = buf_span(&transfer->body);
	return ST_OK;
}

const char *http_transfer_error(const struct http_transfer *transfer)
{
	return transfer->error;
}
