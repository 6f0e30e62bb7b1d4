#include "common/service/log.h"
#include "identity-service/account/account.h"
#include "identity-service/api/phone_check.h"
#include "identity-service/api/phone_sign_in.h"
#include "identity-service/api/profiles.h"

struct attach {
	struct phone_check check;
	uint64_t user;
};

static void attach_free(struct attach *attach)
{
	phone_check_free(&attach->check);
}

static enum status take_phone(struct sql *sql, void *argument)
{
	struct attach *attach = argument;

	return account_take_phone(sql, attach->user,
	                          phone_span(&attach->check.phone));
}

static void answer(struct http_request *request, void *context,
                   const struct attach *attach, enum status status)
{
	if (status == ST_OK) {
		log_event(LOG_INFO, "user.phone_changed",
		          F_NUMBER("user", attach->user));
		profile_answer_own(request, context);
	} else if (status == ST_DENIED) {
		http_answer_problem(request, 403, "the code is wrong or old");
	} else if (status == ST_CONFLICT) {
		http_answer_problem(request, 409,
		                    "this phone is the only way into another "
		                    "account");
	} else if (status == ST_NOT_FOUND) {
		api_answer_deleted(request);
	} else {
		phone_check_answer(request, &attach->check, status);
	}
}

static void attach_phone(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	CLEANUP(attach_free) struct attach attach = {0};
	struct token_owner owner;
	enum status status;

	if (!api_authenticate(request, api, &owner) ||
	    !phone_check_read(request, api, &attach.check))
		return;
	attach.user = owner.user;
	status = phone_check(&attach.check);
	if (status == ST_OK)
		status = phone_check_commit(&attach.check, take_phone, &attach);
	if (status == ST_CONFLICT)
		phone_check_give_back(&attach.check);
	answer(request, context, &attach, status);
}

/* Answers a bad request at once, without waiting in the queue. */
void phone_attach(struct http_request *request, void *context)
{
	CLEANUP(attach_free) struct attach attach = {0};
	struct token_owner owner;

	if (api_authenticate(request, context, &owner) &&
	    phone_is_on(request, context) &&
	    phone_check_read(request, context, &attach.check))
		api_pass_of_client(request, context, POOL_PHONE, attach_phone);
}
