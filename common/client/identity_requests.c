#include "common/client/identity_requests.h"

#include <stdio.h>
#include <string.h>

struct identity_request identity_request_owner(struct span token)
{
	struct identity_request request = {.kind = IDENTITY_OWNER,
	                                   .token = token};

	digest_make(token, &request.digest);
	return request;
}

struct identity_request identity_request_user(uint64_t user, struct span token)
{
	return (struct identity_request){
		.kind = IDENTITY_USER, .user = user, .token = token};
}

struct span identity_request_key(const struct identity_request *request)
{
	if (request->kind == IDENTITY_OWNER)
		return digest_span(&request->digest);
	return span_make(&request->user, sizeof(request->user));
}

void identity_request_path(const struct identity_request *request,
                           char ret_path[IDENTITY_PATH_MAX])
{
	if (request->kind == IDENTITY_OWNER)
		(void)snprintf(ret_path, IDENTITY_PATH_MAX, "%s",
		               IDENTITY_LOOKUP_PATH);
	else
		(void)snprintf(ret_path, IDENTITY_PATH_MAX, "%s%llu",
		               IDENTITY_USERS_PATH,
		               (unsigned long long)request->user);
}

bool identity_request_valid(const struct identity_request *request)
{
	return request->kind != IDENTITY_OWNER ||
	       (request->token.len > 0 && request->token.len <= TOKEN_MAX);
}

static enum status read_owner(enum status transport,
                              const struct http_answer *http,
                              struct identity_response *ret_response)
{
	struct token_owner owner;
	enum status status = identity_read_owner(transport, http, &owner);

	if (status != ST_OK)
		return status;
	ret_response->user = owner.user;
	ret_response->expires_at_ms = owner.expires_at_ms;
	memcpy(ret_response->session, owner.session, sizeof(owner.session));
	return ST_OK;
}

struct identity_response identity_response_read(enum identity_kind kind,
                                                enum status transport,
                                                const struct http_answer *http)
{
	struct identity_response response = {0};

	if (kind == IDENTITY_OWNER)
		response.status = read_owner(transport, http, &response);
	else
		response.status =
			identity_read_user(transport, http, &response.user);
	return response;
}

/* The TTL of an owner begins with the request, before identity checked it. */
static uint64_t owner_expires_ms(const struct identity_ttl *ttl,
                                 const struct identity_response *response,
                                 uint64_t began_ms)
{
	if (ttl->owner_ms < response->expires_at_ms &&
	    began_ms < response->expires_at_ms - ttl->owner_ms)
		return began_ms + ttl->owner_ms;
	return response->expires_at_ms;
}

static uint64_t after(uint64_t now_ms, uint64_t ttl_ms)
{
	return ttl_ms ? now_ms + ttl_ms : 0;
}

uint64_t identity_response_expires_ms(enum identity_kind kind,
                                      const struct identity_ttl *ttl,
                                      const struct identity_response *response,
                                      uint64_t began_ms, uint64_t now_ms)
{
	if (kind == IDENTITY_OWNER && response->status == ST_OK)
		return owner_expires_ms(ttl, response, began_ms);
	if (kind == IDENTITY_OWNER && response->status == ST_DENIED)
		return after(now_ms, ttl->denied_ms);
	if (kind == IDENTITY_USER && response->status == ST_OK)
		return after(now_ms, ttl->user_ms);
	if (kind == IDENTITY_USER && response->status == ST_NOT_FOUND)
		return after(now_ms, ttl->no_user_ms);
	return 0;
}
