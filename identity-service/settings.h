/*
 * settings - the settings of identity-service, listed in settings.def.
 */
#ifndef PARLEY_IDENTITY_SETTINGS_H
#define PARLEY_IDENTITY_SETTINGS_H

#include "common/base/ip_address.h"
#include "common/service/settings.h"
#include "identity-service/guess/guess_limit.h"
#include "identity-service/keys/signing_keys.h"
#include "identity-service/phone/send_limit.h"
#include "identity-service/session/session.h"
#include "identity-service/sms/sms_provider.h"

struct identity_settings {
#define SETTING(field, environment, kind, ...) SETTING_MEMBER_##kind(field)
#include "identity-service/settings.def"
#undef SETTING
};

extern const struct settings_table identity_settings_table;

/* For service.check. */
void identity_settings_check(const void *settings, struct buf *faults);
/* False: the setting has a fault. */
MUST_CHECK bool
identity_trusted_proxies(const struct identity_settings *settings,
                         struct ip_networks *ret_networks);
struct guess_rules
identity_guess_rules(const struct identity_settings *settings);
struct session_rules
identity_session_rules(const struct identity_settings *settings);
/* Of the sign-in by phone. The texts are those of the settings. */
struct sms_provider
identity_sms_provider(const struct identity_settings *settings);
struct send_rules identity_send_rules(const struct identity_settings *settings);
/* Wipe its secret after use. */
struct key_rules identity_key_rules(const struct identity_settings *settings);
/* Of one connection; the texts are those of the settings. */
struct sql_options
identity_sql_options(const struct identity_settings *settings);
/* For so many seconds a client may keep the JWKS. */
unsigned identity_keys_max_age_s(const struct identity_settings *settings);

#endif
