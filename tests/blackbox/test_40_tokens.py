"""Forged tokens: getIdByToken and the upgrade refuse all of them."""

import json

import pytest

from support.api import Api, Person, check_problem
from support.raw import RawSocket
from support.server_key import forge_with_server_key
from support.stack import Stack
from support.tokens import FORGERIES, Forge
from support.wait import until


@pytest.fixture(scope="module")
def forge(stack: Stack, shared_api: Api) -> Forge:
    stack.wait_ready()
    return forge_with_server_key(stack, shared_api)


def test_the_forge_can_make_valid_tokens(forge: Forge, api: Api):
    """Without this, the refusals below would prove nothing."""
    assert api.user_of_token(forge.good).status_code == 200
    assert api.user_of_token(forge.signed()).status_code == 200


def test_the_token_has_the_documented_form(forge: Forge):
    assert forge.head["alg"] == "RS256"
    assert {"iss", "aud", "sub", "iat", "exp", "jti", "sid"} <= set(forge.body)


@pytest.mark.parametrize("make", FORGERIES.values(), ids=FORGERIES.keys())
def test_get_id_by_token_refuses_a_forged_token(make, forge: Forge, shared_api: Api):
    answer = shared_api.user_of_token(make(forge))
    check_problem(answer, 401)
    assert set(answer.json()) <= {"type", "title", "status", "detail"}


@pytest.mark.parametrize("make", FORGERIES.values(), ids=FORGERIES.keys())
def test_the_upgrade_refuses_a_forged_token(make, forge: Forge, stack: Stack):
    with RawSocket(stack.ws_url) as raw:
        answer = raw.upgrade(make(forge))
    assert answer.status == 401, answer
    assert answer.headers["www-authenticate"].lower().startswith("bearer")
    assert json.loads(answer.body)["status"] == 401


@pytest.mark.parametrize("make", FORGERIES.values(), ids=FORGERIES.keys())
def test_history_refuses_a_forged_token(make, forge: Forge, shared_api: Api):
    answer = shared_api.http.get("/conversations",
                                 headers={"Authorization": f"Bearer {make(forge)}"})
    check_problem(answer, 401)


def test_all_refusals_have_the_same_text(forge: Forge, api: Api):
    """A refusal does not tell an attacker what was wrong."""
    texts = {api.user_of_token(make(forge)).text for make in FORGERIES.values()}
    assert len(texts) == 1, texts


# --- the header --------------------------------------------------------------------
HEADERS = {
    "none": None,
    "empty": "",
    "only the scheme": "Bearer",
    "Basic": "Basic YWxpY2U6c2VjcmV0",
    "no scheme": "{token}",
    "Bearer with a colon": "Bearer: {token}",
    "Token": "Token {token}",
    "glued": "Bearer{token}",
    "two schemes": "Bearer Bearer {token}",
    "token and more": "Bearer {token} x",
}


@pytest.mark.parametrize("value", HEADERS.values(), ids=HEADERS.keys())
def test_another_authorization_header_is_refused(value, forge: Forge, stack: Stack,
                                                 shared_api: Api):
    headers = {} if value is None else {"Authorization": value.format(token=forge.good)}
    check_problem(shared_api.http.get("/auth/getIdByToken", headers=headers), 401)
    check_problem(shared_api.http.get("/conversations", headers=headers), 401)
    with RawSocket(stack.ws_url) as raw:
        assert raw.upgrade(None, **headers).status == 401


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_compared_without_regard_to_case(scheme: str, alice: Person, stack: Stack,
                                                       api: Api):
    headers = {"Authorization": f"{scheme} {alice.token}"}
    assert api.http.get("/auth/getIdByToken", headers=headers).status_code == 200
    assert api.http.get("/conversations", headers=headers).status_code == 200
    with RawSocket(stack.ws_url) as raw:
        assert raw.upgrade(None, **headers).status == 101


@pytest.mark.parametrize("query", ["token={}", "access_token={}", "bearer={}",
                                   "Authorization=Bearer%20{}"])
def test_a_token_in_the_query_is_never_read(query: str, alice: Person, stack: Stack, api: Api):
    query = query.format(alice.token)
    check_problem(api.http.get(f"/auth/getIdByToken?{query}"), 401)
    check_problem(api.http.get(f"/conversations?{query}"), 401)
    with RawSocket(f"{stack.ws_url}") as raw:
        raw.path = f"/ws?{query}"
        assert raw.upgrade().status == 401


PROTOCOLS = {
    "no bearer": "parley",
    "only bearer": "bearer.{token}",
    "bearer empty": "parley, bearer.",
    "a forged one": "parley, bearer.{token}x",
    "another protocol": "chat, bearer.{token}",
    "with a dash": "parley, bearer-{token}",
}


@pytest.mark.parametrize("value", PROTOCOLS.values(), ids=PROTOCOLS.keys())
def test_a_bad_subprotocol_gets_401(value: str, alice: Person, stack: Stack):
    with RawSocket(stack.ws_url) as raw:
        answer = raw.upgrade(Sec_WebSocket_Protocol=value.format(token=alice.token))
    assert answer.status == 401


def test_the_offered_protocols_may_stand_on_several_lines(alice: Person, stack: Stack):
    for url in (stack.ws_url, f"ws://127.0.0.1:{stack.port('WEBSOCKET_PORT')}/ws"):
        with RawSocket(url) as raw:
            answer = raw.upgrade(Sec_WebSocket_Protocol="parley\r\n"
                                 f"Sec-WebSocket-Protocol: bearer.{alice.token}")
            assert (answer.status, answer.headers["sec-websocket-protocol"]) == (101, "parley")


def test_the_gateway_logs_a_bad_token_at_the_upgrade(stack: Stack, api: Api):
    before = stack.log_text("websocket-service").count('"upgrade.bad_token"')
    with RawSocket(stack.ws_url) as raw:
        assert raw.upgrade("a.b.c").status == 401
    until("a warning is on stdout", lambda: stack.log_text("websocket-service").count(
        '"upgrade.bad_token"') > before, 5)
