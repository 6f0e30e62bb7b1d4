#include "persistence-service/rest/asker.h"

#include "common/base/mem.h"
#include "common/io/http/client.h"
#include "common/service/log.h"

enum { ASK_TIMEOUT_MS = 2000, URL_MAX = 2048 };

struct asker {
	const char *base; /* lives on with the settings */
	struct http_client *client;
	struct buf url;
};

struct asker *asker_create(const char *identity_url)
{
	struct asker *asker = mem_new(sizeof(*asker));

	asker->base = identity_url;
	asker->client = http_client_create();
	asker->url = BUF(URL_MAX);
	return asker;
}

void asker_destroy(struct asker **asker)
{
	if (!*asker)
		return;
	http_client_destroy(&(*asker)->client);
	buf_free(&(*asker)->url);
	mem_free(asker);
}

static void log_unavailable(const struct asker *asker, enum status asked,
                            const struct http_answer *answer)
{
	log_event(LOG_WARN, "identity.unavailable",
	          F_NUMBER("http", answer->http),
	          F_TEXT("why", asked == ST_OK
	                                ? "unexpected answer"
	                                : http_client_error(asker->client)));
}

enum status asker_ask(struct asker *asker, const char *path, struct span token,
                      asker_read *read, void *ret_read)
{
	struct http_ask ask = {.bearer = token, .timeout_ms = ASK_TIMEOUT_MS};
	struct http_answer answer = {0};
	enum status asked, status;

	buf_clear(&asker->url);
	buf_append(&asker->url, span_of(asker->base));
	buf_append(&asker->url, span_of(path));
	ask.url = buf_text(&asker->url);
	asked = http_client_ask(asker->client, &ask, &answer);
	status = read(asked, &answer, ret_read);
	if (status == ST_UNAVAILABLE)
		log_unavailable(asker, asked, &answer);
	return status;
}
