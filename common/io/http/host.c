#include "common/io/http/host.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/resolver.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRY_MAX = 1024, ERROR_MAX = 400 };

struct http_host {
	struct resolver *resolver; /* NULL: libcurl needs no addresses */
	void (*changed)(void *context);
	void *context;
	char *name; /* NAME:PORT, as in the URLs */
	struct curl_slist *addresses;
	struct curl_slist *previous; /* an added request may still need it */
	uint64_t asked_ms;
	char error[ERROR_MAX];
};

/* NAME:PORT:ADDRESS,ADDRESS; an IPv6 address stands in brackets. */
static struct curl_slist *make_entry(const struct http_host *host,
                                     const struct resolver_addresses *found)
{
	struct buf entry CLEANUP(buf_free) = BUF(ENTRY_MAX);
	struct curl_slist *list;

	buf_format(&entry, "%s:", host->name);
	for (unsigned i = 0; i < found->count; i++) {
		const char *text = found->text[i];
		bool colons = strchr(text, ':');

		buf_format(&entry, "%s%s%s%s", i ? "," : "", colons ? "[" : "",
		           text, colons ? "]" : "");
	}
	list = curl_slist_append(NULL, buf_text(&entry));
	if (!list)
		abort();
	return list;
}

static void on_resolved(void *context, const struct resolver_addresses *found,
                        const char *why)
{
	struct http_host *host = context;
	struct curl_slist *addresses;

	if (!found) {
		(void)snprintf(host->error, sizeof(host->error), "%s", why);
		return;
	}
	addresses = make_entry(host, found);
	if (host->addresses &&
	    !strcmp(host->addresses->data, addresses->data)) {
		curl_slist_free_all(addresses);
		return;
	}
	curl_slist_free_all(host->previous);
	host->previous = host->addresses;
	host->addresses = addresses;
	host->changed(host->context);
}

static char *url_part(CURLU *url, CURLUPart part)
{
	char *text = NULL, *copy;

	if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT))
		return NULL;
	copy = mem_text(text, strlen(text));
	curl_free(text);
	return copy;
}

/* An address in a URL is no name, and a URL without a host fails later. */
static bool is_name(const char *name)
{
	return name && *name != '[' &&
	       strspn(name, "0123456789.") < strlen(name);
}

static void use_name(struct http_host *host, struct uv_loop_s *loop,
                     const char *name, const char *port)
{
	size_t size = strlen(name) + strlen(port) + 2;

	host->name = mem_new(size);
	(void)snprintf(host->name, size, "%s:%s", name, port);
	(void)snprintf(host->error, sizeof(host->error),
	               "%.255s is not resolved yet", name);
	host->resolver = resolver_create(loop, name, on_resolved, host);
	http_host_refresh(host, 0);
}

struct http_host *http_host_create(struct uv_loop_s *loop, const char *url,
                                   void (*changed)(void *context),
                                   void *context)
{
	struct http_host *host = mem_new(sizeof(*host));
	CURLU *parsed = curl_url();
	char *name, *port;

	if (!parsed)
		abort();
	host->changed = changed;
	host->context = context;
	(void)curl_url_set(parsed, CURLUPART_URL, url, 0);
	name = url_part(parsed, CURLUPART_HOST);
	port = url_part(parsed, CURLUPART_PORT);
	if (is_name(name) && port)
		use_name(host, loop, name, port);
	mem_free(&name);
	mem_free(&port);
	curl_url_cleanup(parsed);
	return host;
}

void http_host_destroy(struct http_host **host)
{
	struct http_host *h = MOVE(*host);

	if (!h)
		return;
	resolver_destroy(&h->resolver);
	curl_slist_free_all(h->addresses);
	curl_slist_free_all(h->previous);
	mem_free(&h->name);
	mem_free(&h);
}

bool http_host_known(const struct http_host *host)
{
	return !host->resolver || host->addresses;
}

struct curl_slist *http_host_addresses(const struct http_host *host)
{
	return host->addresses;
}

void http_host_refresh(struct http_host *host, unsigned age_ms)
{
	uint64_t now_ms = clock_mono_ms();

	if (!host->resolver ||
	    (host->asked_ms && now_ms < host->asked_ms + age_ms))
		return;
	host->asked_ms = now_ms;
	resolver_ask(host->resolver);
}

const char *http_host_error(const struct http_host *host)
{
	return host->error;
}
