/*
 * sms_provider - sends codes by SMS.
 *
 *	log              writes number and code to the log: for development
 *	twilio-messages  Twilio's Programmable Messaging: POST …/Messages.json
 *	twilio-verify    Twilio's Verify: Twilio makes, sends and checks the
 *code
 *
 * https://www.twilio.com/docs/messaging/api/message-resource
 * https://www.twilio.com/docs/verify/api
 * https://wicg.github.io/sms-one-time-codes/
 *
 * A send is never repeated: after a timeout Twilio may have sent the SMS.
 *
 * Errors     ST_OK           the provider has taken it
 *            ST_DENIED       the provider refused it: the phone, the account or
 *                            the code
 *            ST_UNAVAILABLE  it did not answer in time, or not as documented:
 *                            an SMS may be on its way
 * Threads    an sms_provider: any; an sms_client: one.
 */
#ifndef PARLEY_IDENTITY_SMS_SMS_PROVIDER_H
#define PARLEY_IDENTITY_SMS_SMS_PROVIDER_H

#include "common/base/status.h"
#include "identity-service/phone/code.h"

#include <stdbool.h>

enum sms_kind { SMS_NONE, SMS_LOG, SMS_TWILIO_MESSAGES, SMS_TWILIO_VERIFY };

/* Texts are those of the settings. */
struct sms_provider {
	enum sms_kind kind;
	const char *name;           /* as in SMS_PROVIDER */
	const char *base_url;       /* without a "/" at its end */
	const char *account;        /* AC… */
	const char *secret;         /* the auth token */
	const char *from;           /* a number, or MG… of a service */
	const char *webotp_domain;  /* ends a message; empty: none */
	const char *verify_service; /* VA… */
	unsigned timeout_ms;
	unsigned code_ttl_s;
};

/* False: there is no such provider. */
MUST_CHECK bool sms_kind_parse(struct span text, enum sms_kind *ret_kind);
/* Where the provider is when no setting says otherwise. */
const char *sms_default_url(enum sms_kind kind);
/* An https URL, or http on a loopback address; and no "/" at its end. */
MUST_CHECK bool sms_url_fits(struct span url);

/* Whether the provider checks the codes: then the service makes none. */
static inline bool sms_checks_codes(const struct sms_provider *provider)
{
	return provider->kind == SMS_TWILIO_VERIFY;
}

struct sms_client;

struct sms_client *sms_client_create(const struct sms_provider *provider);
void sms_client_destroy(struct sms_client **client);
/* Blocks for at most provider->timeout_ms. `code` is unused with Verify. */
MUST_CHECK enum status sms_send(struct sms_client *client,
                                const struct phone *phone,
                                const struct code *code);
/*
 * Asks the provider whether the code is right. ST_DENIED: it is wrong or old,
 * or was tried too often.
 */
MUST_CHECK enum status sms_check(struct sms_client *client,
                                 const struct phone *phone,
                                 const struct code *code);

#endif
