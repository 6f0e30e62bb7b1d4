/*
 * api_context - what every handler of the REST server has, and does alike.
 *
 * The server's thread checks the token and the body; the workers of a pool run
 * SQL and hash passwords, each with its own struct database.
 */
#ifndef PARLEY_IDENTITY_API_API_CONTEXT_H
#define PARLEY_IDENTITY_API_API_CONTEXT_H

#include "common/io/http/server.h"
#include "identity-service/database.h"
#include "identity-service/guess/guess_limit.h"
#include "identity-service/keys/token.h"
#include "identity-service/session/session.h"
#include "identity-service/session/session_uses.h"

struct phone_auth;
struct sms_client;

/* The `context` of all handlers. */
struct api_context {
	struct tokens *tokens;
	struct revocations *revocations;
	struct session_uses *session_uses;
	struct keyring *keyring;
	const struct session_rules *session_rules;
	unsigned keys_max_age_s; /* for which a client may keep the JWKS */
	const char *issuer;
	const char *service_secret; /* of services that introspect */
	bool password_grant;
	uint64_t name_reserved_s; /* after the deletion of an account */
	const char *dummy_hash;   /* of a random password */
	const struct guess_rules *guess_rules;
	const struct ip_networks *trusted_proxies;
	const struct phone_auth *phone; /* NULL: no sign-in by phone */
	struct sms_client *sms;         /* of a worker of POOL_PHONE */
	struct database
		*database; /* of the worker; NULL on the server's thread */
};

enum api_pool { POOL_HASH, POOL_QUERY, POOL_PHONE, POOL_COUNT };

/*
 * The owner of the request's token. False: the request is answered, with 401
 * or 503, or passed to the query pool, where its handler runs again, because
 * the database must say whether there is such a key. Only the log says why a
 * token is refused.
 */
bool api_authenticate(struct http_request *request,
                      const struct api_context *api,
                      struct token_owner *ret_owner);
/* An inline handler: a request with a good token goes to the query pool. */
void api_pass_if_authenticated(struct http_request *request, void *context,
                               http_handler *handle);

/*
 * An inline handler: the request goes to the pool. A client that sends without
 * end fills its share of the queue only.
 */
void api_pass_of_client(struct http_request *request,
                        const struct api_context *api, enum api_pool pool,
                        http_handler *handle);
void api_pass_to_hash(struct http_request *request,
                      const struct api_context *api, http_handler *handle);

/* The device of a request; its texts are copied into `texts`. */
struct session_device api_device(const struct http_request *request,
                                 const struct api_context *api,
                                 struct buf *texts);

/* 401 for an account that was deleted while the request ran. */
void api_answer_deleted(struct http_request *request);
/* 503 for a database that is away, 500 for what a retry does not help. */
void api_answer_failure(struct http_request *request, enum status status);

/* 429 after too many failures, when the client may try again. */
void api_answer_guess_limited(struct http_request *request,
                              const struct api_context *api,
                              const struct guess *guess);
/* The same for any limit. */
void api_answer_limited(struct http_request *request, uint64_t wait_s,
                        const char *detail);

/*
 * Reads the sessions of the user that have ended: from now on this instance
 * refuses their tokens. The others read them within a second.
 */
void api_read_ended(const struct api_context *api, uint64_t user);

/*
 * The answer to a sign-in, and to a refresh; that of OAuth 2 has its own form.
 * A page that asks gets the refresh token as a cookie (refresh_cookie.h).
 */
void api_answer_oauth(struct http_request *request,
                      const struct api_context *api,
                      const struct session *session, uint64_t now_ms);
void api_answer_signed_in(struct http_request *request,
                          const struct api_context *api, unsigned http,
                          const struct session *session, uint64_t now_ms);

#endif
