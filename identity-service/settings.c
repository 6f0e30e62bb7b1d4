#include "identity-service/settings.h"
#include "common/base/scope.h"

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

void identity_settings_check(const void *settings, struct buf *faults)
{
	const struct identity_settings *s = settings;
	struct ip_networks networks;

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
