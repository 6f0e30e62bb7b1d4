#include "tests/ledger/judge/sessions.h"
#include "tests/ledger/judge/faults.h"
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

void sessions_cut(struct ledger *ledger, struct ledger_device_id device)
{
	const struct device_session *session = session_at(ledger, device);

	ledger->totals.cuts++;
	if (ledger->config.judge_cuts && !ledger->cuts_expected &&
	    session->number > ledger->last_cut_session)
		faults_add(ledger, FAULT_cut, "user %u, device %u", device.user,
		           device.device);
}

void sessions_expect_cuts(struct ledger *ledger, bool expected)
{
	ledger->cuts_expected = expected;
	ledger->last_cut_session = ledger->session_count;
}

void sessions_disconnected(struct ledger *ledger,
                           struct ledger_device_id device)
{
	session_at(ledger, device)->number = 0;
}
