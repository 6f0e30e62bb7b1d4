"""WireMock plays a Twilio that answers late, wrongly, or not at all. A request of a client
never waits for it, and no SMS is sent twice."""

import pytest

from support.api import check_problem, new_name
from support.phones import Phones, new_phone, service_of
from support.stack import Stack
from support.wait import until

from servers import CHECK, MESSAGES, VERIFICATIONS, WireMock

LATE_MS = 600_000
FAULTS = ["EMPTY_RESPONSE", "CONNECTION_RESET_BY_PEER", "MALFORMED_RESPONSE_CHUNK",
          "RANDOM_DATA_THEN_CLOSE"]


def number(phone: str) -> str:
    """As a form has it."""
    return phone.replace("+", "%2B")


def failure(phones: Phones) -> dict:
    return until("the SMS failed", lambda: phones.service.events("sms.failed"))[0]


def sent_once(phones: Phones, wiremock: WireMock, phone: str) -> None:
    """The SMS to `phone` failed, and others follow it: so it is not sent again."""
    for _ in range(8):  # more than there are threads
        other = new_phone()
        assert phones.start(other).status_code == 202
        until("the next SMS", lambda: wiremock.received(MESSAGES, number(other)))
    assert wiremock.received(MESSAGES, number(phone)) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_answer_fails_the_send_once(stack: Stack, wiremock: WireMock, fault: str):
    phone = new_phone()
    wiremock.answer(MESSAGES)
    wiremock.answer(MESSAGES, holds=number(phone), fault=fault)
    with service_of(stack, **wiremock.settings("twilio-messages")) as service:
        phones = Phones(service, stack)
        assert phones.start(phone).status_code == 202
        assert failure(phones)["http"] == 0
        sent_once(phones, wiremock, phone)


def test_a_late_answer_fails_the_send_once(stack: Stack, wiremock: WireMock):
    phone = new_phone()
    wiremock.answer(MESSAGES)
    wiremock.answer(MESSAGES, holds=number(phone), fixedDelayMilliseconds=LATE_MS)
    with service_of(stack, **wiremock.settings("twilio-messages", SMS_TIMEOUT_MS="500")) as service:
        phones = Phones(service, stack)
        assert phones.start(phone).status_code == 202
        assert "imeout" in failure(phones)["why"]
        sent_once(phones, wiremock, phone)


@pytest.mark.parametrize("status, code", [(400, 21211), (401, 20003), (429, 20429), (500, 0),
                                          (503, 0)])
def test_a_refusal_is_logged_with_its_code(stack: Stack, wiremock: WireMock, status: int,
                                           code: int):
    phone = new_phone()
    wiremock.answer(MESSAGES)
    wiremock.answer(MESSAGES, status, {"code": code, "message": "no"}, holds=number(phone))
    with service_of(stack, **wiremock.settings("twilio-messages")) as service:
        phones = Phones(service, stack)
        assert phones.start(phone).status_code == 202
        event = failure(phones)
        assert (event["http"], event["code"]) == (status, code)
        sent_once(phones, wiremock, phone)


def test_a_redirect_is_not_followed(stack: Stack, wiremock: WireMock):
    wiremock.answer(MESSAGES, 307, headers={"Location": "/elsewhere"})
    with service_of(stack, **wiremock.settings("twilio-messages")) as service:
        phones = Phones(service, stack)
        assert phones.start(new_phone()).status_code == 202
        assert failure(phones)["http"] == 307
        assert wiremock.received("/elsewhere") == 0


def test_clients_do_not_wait_for_a_provider_that_hangs(stack: Stack, wiremock: WireMock):
    """All threads wait; the next requests are answered, and the service stops."""
    wiremock.answer(MESSAGES, fixedDelayMilliseconds=LATE_MS)
    with service_of(stack, **wiremock.settings("twilio-messages",
                                               SMS_TIMEOUT_MS="10000")) as service:
        phones = Phones(service, stack)
        for _ in range(12):
            assert phones.start(new_phone()).status_code == 202
        until("SMS are under way", lambda: wiremock.received(MESSAGES))
        assert phones.api.register()
        assert service.stop() == 0
        assert service.events("sms.dropped")


# --- Verify -------------------------------------------------------------------------
@pytest.fixture
def verifying(stack: Stack, wiremock: WireMock):
    wiremock.answer(VERIFICATIONS, 201, {"status": "pending", "valid": False})
    with service_of(stack, **wiremock.settings("twilio-verify", SMS_TIMEOUT_MS="500")) as service:
        yield Phones(service, stack)


def start(phones: Phones, wiremock: WireMock) -> str:
    phone = new_phone()
    assert phones.start(phone).status_code == 202
    until("a verification", lambda: wiremock.received(VERIFICATIONS, number(phone)))
    return phone


@pytest.mark.parametrize("status, body, expected", [
    (200, {"status": "pending", "valid": False}, 401),
    (404, {"code": 20404}, 401),
    (429, {"code": 60202}, 401),
    (429, {"code": 20429}, 503),
    (401, {"code": 20003}, 503),
    (500, {}, 503),
])
def test_a_check_that_is_not_approved(wiremock: WireMock, verifying: Phones, status: int,
                                      body: dict, expected: int):
    wiremock.answer(CHECK, status, body)
    phone = start(verifying, wiremock)
    check_problem(verifying.verify(phone, "123456"), expected)
    assert wiremock.received(CHECK, f"To={number(phone)}&Code=123456") == 1


@pytest.mark.parametrize("trouble", [{"fault": fault} for fault in FAULTS] +
                         [{"fixedDelayMilliseconds": LATE_MS}])
def test_a_check_without_an_answer(wiremock: WireMock, verifying: Phones, trouble: dict):
    wiremock.answer(CHECK, **trouble)
    phone = start(verifying, wiremock)
    check_problem(verifying.verify(phone, "123456"), 503)
    assert wiremock.received(CHECK) == 1
    wiremock.reset()
    wiremock.answer(CHECK, 200, {"status": "approved", "valid": True})
    assert verifying.verify(phone, "123456").status_code == 201


def test_an_approved_code_stays_good_for_another_name(wiremock: WireMock, verifying: Phones):
    """Twilio forgets a code that it has approved."""
    wiremock.answer(CHECK, 200, {"status": "approved", "valid": True})
    taken = verifying.api.register().name
    phone = start(verifying, wiremock)
    check_problem(verifying.verify(phone, "123456", name=taken), 409)
    wiremock.answer(CHECK, 404, {"code": 20404})
    check_problem(verifying.verify(phone, "654321", name=new_name()), 401)
    assert verifying.verify(phone, "123456", name=new_name()).status_code == 201
    assert wiremock.received(CHECK) == 1


def test_five_tries_are_the_limit_here_too(wiremock: WireMock, verifying: Phones):
    wiremock.answer(CHECK, 200, {"status": "pending", "valid": False})
    phone = start(verifying, wiremock)
    for _ in range(6):
        check_problem(verifying.verify(phone, "123456"), 401)
    assert wiremock.received(CHECK) == 5
