#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/ledger_state.h"

static struct device_session *session_at(const struct ledger *ledger,
                                         struct ledger_device_id device)
{
	return &ledger->sessions[(size_t)device.user * ledger->config.devices +
	                         device.device];
}

const struct device_session *sessions_get(const struct ledger *ledger,
                                          struct ledger_device_id device)
{
	return session_at(ledger, device);
}

void sessions_welcome(struct ledger *ledger, struct ledger_device_id device,
                      uint64_t now_us)
{
	*session_at(ledger, device) = (struct device_session){
		.number = ++ledger->session_count,
		.welcome_us = now_us,
	};
}

void sessions_disconnected(struct ledger *ledger,
                           struct ledger_device_id device)
{
	session_at(ledger, device)->number = 0;
}
