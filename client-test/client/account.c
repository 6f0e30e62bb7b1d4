#include "client-test/client/account.h"
#include "common/base/mem.h"

struct account {
	struct rest *rest;
	char *name;
	char *password;
	char *token;
	uint64_t user; /* 0: never signed in */
	account_done *done;
	void *context;
};

struct account *account_create(struct rest *rest, const char *name,
                               const char *password, account_done *done,
                               void *context)
{
	struct account *account = mem_new(sizeof(*account));

	account->rest = rest;
	account->name = mem_text(name, strlen(name));
	account->password = mem_text(password, strlen(password));
	account->token = mem_text("", 0);
	account->done = done;
	account->context = context;
	return account;
}

void account_destroy(struct account **account)
{
	if (!*account)
		return;
	mem_wipe((*account)->password, strlen((*account)->password));
	mem_free(&(*account)->name);
	mem_free(&(*account)->password);
	mem_free(&(*account)->token);
	mem_free(account);
}

static bool read_session(struct account *account, const struct json *json)
{
	const struct json *user = json_get_object(json, "user");
	struct span token;

	if (!user || !json_get_id(user, "id", &account->user) ||
	    !json_get_text(json, "token", &token) || token.len == 0)
		return false;
	mem_free(&account->token);
	account->token = mem_text(token.data, token.len);
	return true;
}

static void finish(struct account *account, const struct rest_answer *answer)
{
	if (answer->status != ST_OK)
		account->done(account->context, answer->status, answer->why);
	else if (!read_session(account, answer->json))
		account->done(account->context, ST_UNAVAILABLE,
		              SPAN("the answer has no token or no user"));
	else
		account->done(account->context, ST_OK, SPAN_NONE);
}

static void logged_in(void *context, const struct rest_answer *answer)
{
	finish(context, answer);
}

static void log_in(struct account *account)
{
	rest_post_credentials(account->rest, "/auth/login", account->name,
	                      account->password, logged_in, account);
}

static void registered(void *context, const struct rest_answer *answer)
{
	struct account *account = context;

	if (answer->status == ST_CONFLICT) {
		log_in(account);
		return;
	}
	finish(account, answer);
}

void account_sign_in(struct account *account)
{
	if (account->user)
		log_in(account);
	else
		rest_post_credentials(account->rest, "/auth/register",
		                      account->name, account->password,
		                      registered, account);
}

uint64_t account_user(const struct account *account)
{
	return account->user;
}

struct span account_token(const struct account *account)
{
	return span_of(account->token);
}
