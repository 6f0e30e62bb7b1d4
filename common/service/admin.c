#include "common/service/admin.h"
#include "common/base/mem.h"
#include "common/io/http/client.h"
#include "common/io/http/server.h"
#include "common/service/metrics.h"
#include "common/service/readiness.h"

#include <stdio.h>
#include <string.h>

enum { METRICS_MAX = 256 * 1024, READY_MAX = 64 * 1024, ASK_TIMEOUT_MS = 2000 };

struct admin {
	struct http_server *server;
};

static void get_health(struct http_request *request, void *context)
{
	(void)context;
	http_answer_json(request, 200, SPAN("{\"alive\":true}"));
}

static void get_ready(struct http_request *request, void *context)
{
	struct buf json CLEANUP(buf_free) = BUF(READY_MAX);
	bool ready = readiness_write(&json);

	(void)context;
	http_answer_json(request, ready ? 200 : 503, buf_span(&json));
}

static void get_metrics(struct http_request *request, void *context)
{
	struct buf text CLEANUP(buf_free) = BUF(METRICS_MAX);

	(void)context;
	metrics_write(&text);
	http_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8",
	            buf_span(&text));
}

static const struct http_route routes[] = {
	{"GET", "/healthz", get_health, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/readyz", get_ready, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/metrics", get_metrics, HTTP_INLINE, HTTP_NO_BODY},
};

enum status admin_start(const char *bind_address, uint16_t port,
                        struct admin **ret_admin)
{
	struct admin *admin CLEANUP(admin_stop) = mem_new(sizeof(*admin));
	enum status st = http_server_start(
		&(struct http_server_options){
			.bind_address = bind_address,
			.port = port,
			.routes = routes,
			.route_count = ARRAY_LEN(routes),
			.max_body = 1024,
			.connection_max = 64,
			.idle_timeout_s = 30,
			.body_timeout_s = 10,
		},
		&admin->server);

	if (st != ST_OK)
		return st;
	*ret_admin = MOVE(admin);
	return ST_OK;
}

void admin_stop(struct admin **admin)
{
	if (!*admin)
		return;
	http_server_stop(&(*admin)->server);
	mem_free(admin);
}

/* A service that listens on all addresses is reachable on loopback. */
static const char *reachable(const char *bind_address)
{
	if (!strcmp(bind_address, "0.0.0.0"))
		return "127.0.0.1";
	if (!strcmp(bind_address, "::"))
		return "[::1]";
	return bind_address;
}

int admin_healthcheck(const char *bind_address, uint16_t port)
{
	struct http_client *client CLEANUP(http_client_destroy) =
		http_client_create();
	struct http_answer answer;
	char url[128];
	enum status st;

	(void)snprintf(url, sizeof(url), "http://%s:%u/readyz",
	               reachable(bind_address), port);
	st = http_client_ask(
		client,
		&(struct http_ask){.url = url, .timeout_ms = ASK_TIMEOUT_MS},
		&answer);
	return st == ST_OK && answer.http == 200 ? 0 : 1;
}
