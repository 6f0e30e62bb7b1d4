#include "common/base/mem.h"
#include "common/service/log.h"
#include "common/wire/frame.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/socket/connection_private.h"

#include <utlist.h>

enum { TEXT_MAX = 1024 };

/* --- the end of a token -------------------------------------------------- */

bool connection_token_ended(struct connection *c)
{
	if (c->expires_at_ms > clock_unix_ms())
		return false;
	if (!c->token_ended_s) {
		log_event(LOG_WARN, "socket.token_ended",
		          F_NUMBER("user", c->user));
		c->token_ended_s = clock_mono_s();
	}
	return true;
}

static uint64_t left_ms(const struct connection *c)
{
	uint64_t now_ms = clock_unix_ms();

	return c->expires_at_ms > now_ms ? c->expires_at_ms - now_ms : 0;
}

uint64_t connection_token_due_s(const struct connection *c)
{
	uint64_t before_ms = c->token_notified ? 0 : TOKEN_NOTICE_S * 1000;
	uint64_t in_ms = left_ms(c) > before_ms ? left_ms(c) - before_ms : 0;

	return clock_mono_s() + (in_ms + 999) / 1000;
}

void connection_notify_token(struct connection *c)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);

	if (c->token_notified || left_ms(c) > TOKEN_NOTICE_S * 1000)
		return;
	c->token_notified = true;
	frame_token(&text, c->expires_at_ms);
	connection_send(c, buf_span(&text));
}

/* --- a new token --------------------------------------------------------- */

struct new_token {
	struct new_token *prev, *next;
	char *token;
};

static void drop_first(struct connection *c)
{
	struct new_token *first = c->new_tokens;

	DL_DELETE(c->new_tokens, first);
	c->new_token_count--;
	mem_free(&first->token);
	mem_free(&first);
}

void connection_drop_new_tokens(struct connection *c)
{
	while (c->new_tokens)
		drop_first(c);
}

static void refuse(struct connection *c, enum frame_code code,
                   const char *detail)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);

	frame_error(&text, NULL, code, detail);
	connection_send(c, buf_span(&text));
	metric_count(&gateway_metrics.frames_refused, 1);
}

/* The new token may end before the old one. */
static void adopt(struct connection *c, const struct identity_response *owner)
{
	struct buf text CLEANUP(buf_free) = BUF(TEXT_MAX);

	mem_free(&c->token);
	c->token = MOVE(c->new_tokens->token);
	(void)uuid_parse(span_of(owner->session), &c->session_id);
	c->expires_at_ms = owner->expires_at_ms;
	c->token_notified = false;
	metric_count(&gateway_metrics.tokens_replaced, 1);
	frame_auth(&text, span_of(owner->session), owner->expires_at_ms);
	connection_send(c, buf_span(&text));
	connection_notify_token(c);
	if (c->state == STATE_OPEN)
		connection_plan_timer(c,
		                      clock_mono_s() + c->set->options.ping_s);
}

/*
 * Frames are ignored as soon as the old token has expired: the socket closes,
 * so that the client knows which of its frames are lost.
 */
static void settle(struct connection *c, const struct identity_response *owner)
{
	if (connection_token_ended(c))
		return;
	if (owner->status == ST_UNAVAILABLE) {
		log_event(LOG_WARN, "token.identity_unavailable",
		          F_NUMBER("user", c->user));
		refuse(c, FRAME_UNAVAILABLE,
		       "identity-service is not available");
	} else if (owner->status != ST_OK ||
	           owner->expires_at_ms <= clock_unix_ms()) {
		log_event(LOG_WARN, "token.refused", F_NUMBER("user", c->user));
		refuse(c, FRAME_BAD_TOKEN,
		       "the token is malformed, expired or unknown");
	} else if (owner->user != c->user) {
		log_event(LOG_WARN, "token.of_another_user",
		          F_NUMBER("user", c->user),
		          F_NUMBER("other", owner->user));
		connection_close(c, WEBSOCKET_TOKEN_ENDED, "another_user");
	} else {
		adopt(c, owner);
	}
}

/* A close has dropped the new tokens already. */
static void settle_first(struct connection *c,
                         const struct identity_response *owner)
{
	settle(c, owner);
	if (c->new_tokens)
		drop_first(c);
}

static void look_up_first(struct connection *c);

static void on_owner(void *context, const struct identity_response *owner)
{
	settle_first(context, owner);
	look_up_first(context);
}

static void look_up_first(struct connection *c)
{
	struct identity_response response;

	while (c->new_tokens) {
		struct identity_request request =
			identity_request_owner(span_of(c->new_tokens->token));

		c->waiter.done = on_owner;
		c->waiter.context = c;
		if (!identity_client_get(c->set->options.identity, &request,
		                         &c->waiter, &response))
			return;
		settle_first(c, &response);
	}
}

void connection_replace_token(struct connection *connection, struct span token)
{
	struct connection *c = connection;
	struct new_token *new_token;

	if (c->new_token_count == NEW_TOKENS_MAX) {
		refuse(c, FRAME_TOO_FAST, "too many tokens are looked up");
		return;
	}
	new_token = mem_new(sizeof(*new_token));
	new_token->token = mem_text(token.data, token.len);
	DL_APPEND(c->new_tokens, new_token);
	if (c->new_token_count++ == 0)
		look_up_first(c);
}
