#include "identity-service/settings.h"
#include "common/base/scope.h"

enum { KEYS_MAX_AGE_S = 300, SQL_TIMEOUT_S = 3 };

static const struct setting rows[] = {
#define SETTING(...) SETTING_ROW(struct identity_settings, __VA_ARGS__)
#include "identity-service/settings.def"
#undef SETTING
};

const struct settings_table identity_settings_table = {rows, ARRAY_LEN(rows)};

bool identity_trusted_proxies(const struct identity_settings *settings,
                              struct ip_networks *ret_networks)
{
	struct span text = span_of(settings->trusted_proxies);

	return ip_networks_parse(span_equal(text, SPAN("none")) ? SPAN_NONE
	                                                        : text,
	                         ret_networks);
}

static bool is_word(const char *text)
{
	for (; *text; text++) {
		char c = *text;

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    (c < '0' || c > '9'))
			return false;
	}
	return true;
}

static void check_needed(const char *provider, const char *name,
                         const char *value, struct buf *faults)
{
	if (!*value)
		buf_format(faults, "%s is not set, but SMS_PROVIDER is '%s'\n",
		           name, provider);
}

/* Both become a part of a URL. */
static void check_sid(const char *name, const char *value, struct buf *faults)
{
	if (!is_word(value))
		buf_format(faults,
		           "%s is '%s', must be letters and digits alone\n",
		           name, value);
}

/* Of a text in an SMS, where a browser reads it. */
static void check_domain(const char *domain, struct buf *faults)
{
	size_t len = strlen(domain);
	bool good = len == 0 || (domain[0] != '.' && domain[len - 1] != '.' &&
	                         !strstr(domain, ".."));

	for (size_t i = 0; i < len; i++)
		good &= domain[i] == '-' || domain[i] == '.' ||
		        (domain[i] >= '0' && domain[i] <= '9') ||
		        (domain[i] >= 'a' && domain[i] <= 'z');
	if (!good)
		buf_format(faults,
		           "SMS_WEBOTP_DOMAIN is '%s', must be a domain in "
		           "small letters as chat.example\n",
		           domain);
}

static void check_twilio(const struct identity_settings *s, enum sms_kind kind,
                         struct buf *faults)
{
	const char *provider = s->sms_provider;

	check_needed(provider, "SMS_ACCOUNT", s->sms_account, faults);
	check_sid("SMS_ACCOUNT", s->sms_account, faults);
	check_needed(provider, "SMS_SECRET", s->sms_secret, faults);
	if (kind == SMS_TWILIO_MESSAGES) {
		check_needed(provider, "SMS_FROM", s->sms_from, faults);
		check_domain(s->sms_webotp_domain, faults);
		return;
	}
	check_needed(provider, "SMS_VERIFY_SERVICE", s->sms_verify_service,
	             faults);
	check_sid("SMS_VERIFY_SERVICE", s->sms_verify_service, faults);
}

static void check_sms(const struct identity_settings *s, struct buf *faults)
{
	enum sms_kind kind = SMS_NONE;

	if (!sms_kind_parse(span_of(s->sms_provider), &kind))
		buf_format(faults,
		           "SMS_PROVIDER is '%s', must be log, twilio-messages "
		           "or twilio-verify\n",
		           s->sms_provider);
	if (*s->sms_base_url && !sms_url_fits(span_of(s->sms_base_url)))
		buf_format(faults,
		           "SMS_BASE_URL is '%s', must be https://..., or "
		           "http:// on a loopback address, without a / at its "
		           "end\n",
		           s->sms_base_url);
	if (kind == SMS_TWILIO_MESSAGES || kind == SMS_TWILIO_VERIFY)
		check_twilio(s, kind, faults);
}

/* Keys are kept while their tokens live, and the keyring has a size. */
static void check_rotation(const struct identity_settings *s,
                           struct buf *faults)
{
	uint64_t lives_days = s->token_ttl_s / (24 * 60 * 60);
	uint64_t keys = KEYRING_MAX / 2;

	if (s->key_rotate_days && lives_days / s->key_rotate_days >= keys)
		buf_format(faults,
		           "IDENTITY_KEY_ROTATE_DAYS is '%llu', must be more "
		           "than the %llu days of IDENTITY_TOKEN_TTL / %llu\n",
		           (unsigned long long)s->key_rotate_days,
		           (unsigned long long)lives_days,
		           (unsigned long long)keys);
}

void identity_settings_check(const void *settings, struct buf *faults)
{
	const struct identity_settings *s = settings;
	struct ip_networks networks;

	check_sms(s, faults);
	check_rotation(s, faults);
	if (!identity_trusted_proxies(s, &networks))
		buf_format(faults,
		           "IDENTITY_TRUSTED_PROXIES is '%s', must be at most "
		           "%d addresses and networks as 10.0.0.0/8, separated "
		           "by commas, or none\n",
		           s->trusted_proxies, IP_NETWORKS_MAX);
}

struct guess_rules
identity_guess_rules(const struct identity_settings *settings)
{
	const struct guess_rule rule = {
		.window_s = settings->guess_window_s,
		.wait_max_s = settings->guess_wait_max_s,
	};
	struct guess_rules rules = {.name = rule,
	                            .known = rule,
	                            .address = rule,
	                            .known_s = settings->guess_known_s};

	rules.name.max = settings->guess_name_max;
	rules.known.max = settings->guess_known_max;
	rules.address.max = settings->guess_address_max;
	return rules;
}

struct session_rules
identity_session_rules(const struct identity_settings *settings)
{
	return (struct session_rules){
		.idle_s = settings->refresh_idle_s,
		.max_s = settings->refresh_max_s,
	};
}

struct sms_provider identity_sms_provider(const struct identity_settings *s)
{
	struct sms_provider provider = {
		.name = s->sms_provider,
		.base_url = s->sms_base_url,
		.account = s->sms_account,
		.secret = s->sms_secret,
		.from = s->sms_from,
		.webotp_domain = s->sms_webotp_domain,
		.verify_service = s->sms_verify_service,
		.timeout_ms = (unsigned)s->sms_timeout_ms,
		.code_ttl_s = (unsigned)s->code_ttl_s,
	};

	if (!sms_kind_parse(span_of(s->sms_provider), &provider.kind))
		provider.kind = SMS_NONE;
	if (!*provider.base_url)
		provider.base_url = sms_default_url(provider.kind);
	return provider;
}

struct send_rules identity_send_rules(const struct identity_settings *settings)
{
	return (struct send_rules){
		.window_s = settings->code_window_s,
		.max =
			{
				[SEND_PHONE] = settings->code_phone_max,
				[SEND_ADDRESS] = settings->code_address_max,
				[SEND_COUNTRY] = settings->code_country_max,
				[SEND_TOTAL] = settings->code_total_max,
				[SEND_FEW_USED] = settings->code_used_from,
			},
		.used_percent = settings->code_used_percent,
	};
}

struct key_rules identity_key_rules(const struct identity_settings *settings)
{
	struct key_rules rules = {
		.rotate_days = settings->key_rotate_days,
		.lead_s = settings->key_lead_s,
		.token_ttl_s = settings->token_ttl_s,
	};

	key_secret_make(span_of(settings->key_secret),
	                span_of(settings->key_secret_before), &rules.secret);
	return rules;
}

/*
 * Half of the lead: a client may have asked an instance that read the new key
 * a second later.
 */
unsigned identity_keys_max_age_s(const struct identity_settings *settings)
{
	uint64_t half_s = settings->key_lead_s / 2;

	return half_s < KEYS_MAX_AGE_S ? (unsigned)half_s : KEYS_MAX_AGE_S;
}

struct sql_options identity_sql_options(const struct identity_settings *s)
{
	return (struct sql_options){
		.host = s->mysql_host,
		.port = (uint16_t)s->mysql_port,
		.user = s->mysql_user,
		.password = s->mysql_password,
		.database = s->database,
		.timeout_s = SQL_TIMEOUT_S,
	};
}
