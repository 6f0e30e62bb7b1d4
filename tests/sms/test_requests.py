"""Twilio's own OpenAPI judges what identity-service sends: Prism refuses a request that does
not fit with 401 or 422."""

import pytest

from support.api import new_name
from support.phones import Phones, new_phone, service_of
from support.stack import Stack
from support.wait import until

from servers import ACCOUNT, MESSAGES, TOKEN, VERIFICATIONS, Prism


def outcome(phones: Phones) -> tuple[str, dict]:
    """What became of the first SMS."""
    def settled() -> tuple[str, dict] | None:
        found = [(name, event) for name in ("sms.sent", "sms.failed")
                 for event in phones.service.events(name)]
        return found[0] if found else None
    return until("the SMS was sent or refused", settled)


@pytest.mark.parametrize("path, form", [
    (MESSAGES, {"Body": "x", "From": "+15017122661"}), (VERIFICATIONS, {"Channel": "sms"})])
def test_the_judge_refuses_what_twilio_would(prism: Prism, path: str, form: dict):
    auth, to = (ACCOUNT, TOKEN), {"To": "+4915112345678"}
    assert prism.http.post(path, data=form | to, auth=auth).status_code == 201
    assert prism.http.post(path, data=form, auth=auth).status_code == 422
    assert prism.http.post(path, data=form | to).status_code == 401
    assert prism.http.post(path, json=form | to, auth=auth).status_code in (415, 422)


@pytest.mark.parametrize("sender", ["+15017122661", "MG" + "0" * 32, "Parley"])
def test_a_message_fits_the_description(stack: Stack, prism: Prism, sender: str):
    with service_of(stack, **prism.settings("twilio-messages", SMS_FROM=sender)) as service:
        phones = Phones(service, stack)
        assert phones.start(new_phone()).status_code == 202
        name, event = outcome(phones)
        assert name == "sms.sent", event
        assert event["provider"] == "twilio-messages" and event["country"] == "49"
        assert not service.events("sms.code")


def test_a_wrong_account_is_refused(stack: Stack, prism: Prism):
    """So Prism does judge: an account has 34 characters."""
    with service_of(stack, **prism.settings("twilio-messages", SMS_ACCOUNT="AC1")) as service:
        phones = Phones(service, stack)
        assert phones.start(new_phone()).status_code == 202
        name, event = outcome(phones)
        assert name == "sms.failed" and event["http"] == 422, event


def test_verify_sends_and_checks_codes(stack: Stack, prism: Prism):
    """Prism approves each code."""
    with service_of(stack, **prism.settings("twilio-verify")) as service:
        phones, phone, name = Phones(service, stack), new_phone(), new_name()
        assert phones.start(phone).status_code == 202
        assert outcome(phones)[0] == "sms.sent"
        answer = phones.verify(phone, "123456", name=name)
        assert answer.status_code == 201, answer.text
        assert answer.json()["user"]["name"] == name
        assert not service.events("sms.failed") and not service.events("sms.code")
