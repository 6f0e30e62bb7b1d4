#include "common/io/http/client.h"
#include "common/base/mem.h"
#include "common/io/http/transfer.h"

#include <curl/curl.h>

struct http_client {
	struct http_transfer *transfer;
};

struct http_client *http_client_create(void)
{
	struct http_client *client = mem_new(sizeof(*client));

	client->transfer = http_transfer_create();
	return client;
}

void http_client_destroy(struct http_client **client)
{
	if (!*client)
		return;
	http_transfer_destroy(&(*client)->transfer);
	mem_free(client);
}

enum status http_client_ask(struct http_client *client,
                            const struct http_ask *ask,
                            struct http_answer *ret_answer)
{
	CURLcode result;

	if (http_transfer_prepare(client->transfer, ask) != ST_OK)
		return ST_INVALID;
	result = curl_easy_perform(http_transfer_easy(client->transfer));
	return http_transfer_result(client->transfer, (int)result, ret_answer);
}

const char *http_client_error(const struct http_client *client)
{
	return http_transfer_error(client->transfer);
}
