/*
 * phone_check - whether a code was sent to a phone, and what all calls of the
 * sign-in by phone share.
 *
 * Each wrong code counts as a guess of the client's address (guess_limit.h),
 * and as a try at the open code (open_code.h). Nothing here depends on whether
 * the phone belongs to a user.
 */
#ifndef PARLEY_IDENTITY_API_PHONE_CHECK_H
#define PARLEY_IDENTITY_API_PHONE_CHECK_H

#include "common/io/json.h"
#include "identity-service/api/api_context.h"
#include "identity-service/phone/open_code.h"
#include "identity-service/phone/send_limit.h"
#include "identity-service/sms/sms_sender.h"

/* What all workers share. */
struct phone_auth {
	struct sms_provider provider;
	struct sms_sender *sender;
	struct digest key; /* of code_digest() */
	struct send_rules send_rules;
	uint64_t ttl_s;
	uint64_t interval_s; /* between two codes to a phone */
	uint64_t tries_max;
};

/* False: the request is answered, with 501. */
bool phone_is_on(struct http_request *request, const struct api_context *api);
/* The member `phone` of a body. False: the request is answered. */
bool phone_read_member(struct http_request *request, const struct json *body,
                       struct phone *ret_phone);

struct phone_check {
	/* Set by phone_check_read(). */
	const struct api_context *api;
	struct json *body; /* free it with phone_check_free() */
	struct phone phone;
	struct code code;
	struct ip_address client;
	/* Set by phone_check(). */
	struct open_code open;
	struct guess guess;
	bool limited;
	/* Set by phone_check_commit(). */
	struct uuid id; /* of this request */
	bool again;     /* an earlier run was committed */
};

/* Reads `phone` and `code` of the body. False: the request is answered. */
bool phone_check_read(struct http_request *request,
                      const struct api_context *api,
                      struct phone_check *ret_check);
/* The same without `phone`, which the caller sets. */
bool phone_check_read_code(struct http_request *request,
                           const struct api_context *api,
                           struct phone_check *ret_check);
void phone_check_free(struct phone_check *check);
/* In a pool: check->phone is that of the user. ST_NOT_FOUND: there is none. */
MUST_CHECK enum status phone_check_find(struct phone_check *check,
                                        uint64_t user);
/*
 * In the phone pool. ST_DENIED: the code is wrong or old. ST_BUSY: nothing was
 * checked, because there were too many failures.
 */
MUST_CHECK enum status phone_check(struct phone_check *check);
/*
 * A transaction that uses the code up and does `work`, which may run again:
 * check->again says that it was done. ST_DENIED: the code is used or replaced.
 */
typedef enum status phone_work(struct sql *sql, void *argument);
MUST_CHECK enum status phone_check_commit(struct phone_check *check,
                                          phone_work *work, void *argument);
/* The code was right but not used: the try does not count. */
void phone_check_give_back(struct phone_check *check);
/* Answers every status but ST_OK, ST_DENIED and ST_CONFLICT. */
void phone_check_answer(struct http_request *request,
                        const struct phone_check *check, enum status status);

#endif
